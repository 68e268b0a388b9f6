//! A server, a browser in front of it, and the clients between them.

mod browser;
mod device;
mod guard;
mod hand;
mod home;
mod machine;
mod prover;
mod signer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::{RequestBuilder, Response, StatusCode, header, redirect};
use serde_json::Value;
use sha2::{Digest, Sha256};
use signet::{
    flows::{
        App,
        admin::{Admin, NewClient, NewResource, NewUser},
        app::Clock,
    },
    model::{GrantType, User},
    values::Timestamp,
};
use tokio::net::TcpListener;
use url::Url;

use home::Home;

pub(crate) use browser::{Browser, hidden, session_of, set_cookie};
pub(crate) use device::{DEVICE_GRANT, for_televisions, poll_form};
pub(crate) use hand::Hand;
pub(crate) use machine::{Machine, assertion_form};
pub(crate) use prover::{Prover, access_token, presenting};
pub(crate) use signer::{Signer, as_secrets, hs256, payload, unsigned};

pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CALLBACK: &str = "https://app.test/cb";
pub(crate) const API: &str = "https://api.test/";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A confidential client and its secret.
pub(crate) type Credentials = (String, String);

/// A running server with a person, `ada`, and the clients `web` and `other` (which sign people in),
/// `spa` (public), `machine` (client credentials) and `api` (which introspects for an API).
pub(crate) struct Server {
    pub(crate) issuer: String,
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) app: Arc<App>,
    pub(crate) http: reqwest::Client,
    pub(crate) ada: User,
    pub(crate) web: Credentials,
    pub(crate) other: Credentials,
    pub(crate) machine: Credentials,
    pub(crate) api: Credentials,
    hand: Arc<AtomicI64>,
    home: Arc<Home>,
}

impl Server {
    pub(crate) async fn on_sqlite() -> Self {
        Self::start(Home::on_sqlite()).await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        Some(Self::start(Home::on_postgres()?).await)
    }

    async fn start(home: Home) -> Self {
        let home = Arc::new(home);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (clock, hand) = Clock::movable(Timestamp(i64::try_from(now).unwrap()));
        let (listener, address) = listen().await;
        let issuer = address.clone();
        let app = home.open(&[("issuer", &issuer)], clock).await;

        let admin = admin(&app);
        let ada = create_person(&admin, "ada", Some(PASSWORD)).await;
        let web = create(&admin, "web", with_people()).await;
        let other = create(&admin, "other", with_people()).await;
        create(&admin, "spa", NewClient { public: true, ..with_people() }).await;
        let machine = NewClient {
            grants: [GrantType::ClientCredentials].into(),
            scope: Some("orders:read orders:write".parse().unwrap()),
            ..NewClient::default()
        };
        let machine = create(&admin, "machine", machine).await;
        let api =
            NewClient { grants: [GrantType::ClientCredentials].into(), ..NewClient::default() };
        let api = create(&admin, "api", api).await;
        admin
            .create_resource(NewResource {
                id: API.parse().unwrap(),
                name: None,
                scope: "orders:read orders:write".parse().unwrap(),
                client: Some("api".parse().unwrap()),
                algorithm: None,
            })
            .await
            .unwrap();
        signet::jobs::follow(&app).await;

        serve(listener, &app);
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { issuer, address, app, http, ada, web, other, machine, api, hand, home }
    }

    /// Another node of this server.
    pub(crate) async fn node(&self) -> Self {
        self.known_as(|_| self.issuer.clone()).await
    }

    /// Another node on the same database, that the world knows by another name than its address.
    pub(crate) async fn known_as(&self, name: impl FnOnce(&str) -> String) -> Self {
        let (listener, address) = listen().await;
        let issuer = name(&address);
        self.another(listener, address, &[("issuer", &issuer)]).await
    }

    /// Another node of this server, with this setting.
    pub(crate) async fn with(&self, setting: &'static str, value: &str) -> Self {
        let (listener, address) = listen().await;
        self.another(listener, address, &[("issuer", &self.issuer), (setting, value)]).await
    }

    async fn another(
        &self,
        listener: TcpListener,
        address: String,
        settings: &[(&'static str, &str)],
    ) -> Self {
        let app = self.home.open(settings, self.app.clock.clone()).await;
        serve(listener, &app);
        Self {
            issuer: app.issuer().to_string(),
            address,
            app,
            http: self.http.clone(),
            ada: self.ada.clone(),
            web: self.web.clone(),
            other: self.other.clone(),
            machine: self.machine.clone(),
            api: self.api.clone(),
            hand: self.hand.clone(),
            home: self.home.clone(),
        }
    }

    /// Register another client.
    pub(crate) async fn client(&self, id: &str, new: NewClient) -> Credentials {
        create(&self.admin(), id, new).await
    }

    pub(crate) fn admin(&self) -> Admin {
        admin(&self.app)
    }

    /// Let time pass.
    pub(crate) async fn wait(&self, seconds: i64) {
        self.hand.fetch_add(seconds, Ordering::Relaxed);
        self.follow().await;
    }

    /// The server's clock, for those who call it.
    pub(crate) fn clock(&self) -> Hand {
        Hand::new(self.hand.clone())
    }

    /// Register another person, who has ada's password.
    pub(crate) async fn person(&self, username: &str) -> User {
        create_person(&self.admin(), username, Some(PASSWORD)).await
    }

    /// Register a person who cannot sign in yet.
    pub(crate) async fn person_without_password(&self, username: &str) -> User {
        create_person(&self.admin(), username, None).await
    }

    /// What the other nodes and the operators have changed is known here, too.
    pub(crate) async fn follow(&self) {
        signet::jobs::follow(&self.app).await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.address, self.app.issuer().path())
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address.clone(), self.app.issuer().path().to_owned())
    }

    /// A request to an endpoint, to which anything can be added.
    pub(crate) fn to(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    /// Post a form as a client.
    pub(crate) async fn post(
        &self,
        path: &str,
        client: Option<&Credentials>,
        form: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = self.to(path).form(form);
        if let Some((id, secret)) = client {
            request = request.basic_auth(id, Some(secret));
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// Redeem a code of the client `web`.
    pub(crate) async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        let form = code_form(code);
        self.post("/token", Some(&self.web), &form).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", Some(&self.web), &form).await
    }

    /// The tokens of a person who has just signed in to `web`.
    pub(crate) async fn tokens(&self, browser: &Browser) -> Value {
        let code = browser.code(&request()).await;
        let (status, tokens) = self.redeem(&code).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    pub(crate) async fn introspect(&self, client: &Credentials, token: &str) -> Value {
        let (status, answer) = self.post("/introspect", Some(client), &[("token", token)]).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Response {
        self.http.get(self.url("/userinfo")).bearer_auth(token).send().await.unwrap()
    }
}

/// A usual authorization request of `web`.
pub(crate) fn request() -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email offline_access"),
        ("state", "s t"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The usual request with this parameter instead, or too.
pub(crate) fn request_with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut request = request_without(name);
    request.push((name, value));
    request
}

/// The usual request without this parameter.
pub(crate) fn request_without(name: &str) -> Vec<(&'static str, &'static str)> {
    let mut request = request();
    request.retain(|(other, _)| *other != name);
    request
}

pub(crate) fn code_form(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// The challenge of [`VERIFIER`] (RFC 7636 appendix B).
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The challenge that a verifier meets.
pub(crate) fn challenge_of(verifier: &str) -> String {
    BASE64.encode(Sha256::digest(verifier))
}

pub(crate) fn location(response: &Response) -> Option<String> {
    response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned())
}

pub(crate) fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

/// The sealed request in the address of a page.
pub(crate) fn sealed(page: &str) -> String {
    let url = Url::parse("http://localhost").unwrap().join(page).unwrap();
    parameter(&url, "request").unwrap_or_else(|| panic!("{page}"))
}

/// A member that is text.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}"))
}

fn admin(app: &App) -> Admin {
    Admin { store: app.store.clone(), clock: app.clock.clone(), random: app.random.clone() }
}

/// A client that signs people in.
pub(crate) fn with_people() -> NewClient {
    NewClient {
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        post_logout_redirect_uris: vec!["https://app.test/bye".parse().unwrap()],
        scope: Some("openid profile email offline_access orders:read".parse().unwrap()),
        ..NewClient::default()
    }
}

async fn create_person(admin: &Admin, username: &str, password: Option<&str>) -> User {
    let new = NewUser {
        username: username.parse().unwrap(),
        email: Some(format!("{username}@example.test").parse().unwrap()),
        email_verified: true,
        profile: signet::values::Profile::default(),
        roles: [].into(),
        password: password.map(|password| password.parse().unwrap()),
    };
    admin.create_user(new).await.unwrap()
}

async fn create(admin: &Admin, id: &str, new: NewClient) -> Credentials {
    let new = NewClient { id: Some(id.parse().unwrap()), ..new };
    let (_, secret) = admin.create_client(new).await.unwrap();
    (id.to_owned(), secret.map_or(String::new(), |secret| secret.expose().to_owned()))
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

fn serve(listener: TcpListener, app: &Arc<App>) {
    let door = signet::cli::door(app.clone(), None);
    tokio::spawn(signet::edge::serve(listener, door, None, std::future::pending()));
}
