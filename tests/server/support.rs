//! A server, a browser in front of it, and the clients between them.

use std::{
    env, process,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::{Response, StatusCode, header, redirect};
use serde_json::Value;
use sha2::{Digest, Sha256};
use signet::{
    config::Config,
    flows::{
        App,
        admin::{Admin, NewClient, NewResource, NewUser},
        app::{Clock, Random},
    },
    model::{GrantType, User},
    values::Timestamp,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

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
    pub(crate) app: App,
    pub(crate) http: reqwest::Client,
    pub(crate) ada: User,
    pub(crate) web: Credentials,
    pub(crate) other: Credentials,
    pub(crate) machine: Credentials,
    pub(crate) api: Credentials,
    hand: Arc<AtomicI64>,
    _directory: TempDir,
    _schema: Option<Schema>,
}

/// A corner of a PostgreSQL server, gone when it is dropped.
struct Schema {
    server: String,
    name: String,
}

/// Somebody's browser: it keeps cookies, and shows every redirect.
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    issuer: String,
}

impl Server {
    pub(crate) async fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("signet.db").display());
        Self::start(directory, url, None).await
    }

    pub(crate) async fn on_postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let server = env::var("TEST_POSTGRES").ok()?;
        let name = format!("server_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("create schema {name}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{name}");
        let schema = Some(Schema { server, name });
        Some(Self::start(tempfile::tempdir().unwrap(), url, schema).await)
    }

    async fn start(directory: TempDir, database: String, schema: Option<Schema>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let keys = directory.path().join("keys").display().to_string();
        let flags = [("issuer", issuer.clone()), ("database_url", database), ("keys_dir", keys)];
        let config = Config::load(flags, []).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (clock, hand) = Clock::movable(Timestamp(i64::try_from(now).unwrap()));
        let app = App::open(config, clock, Random::system()).await.unwrap();

        let admin = admin(&app);
        let ada = admin
            .create_user(NewUser {
                username: "ada".parse().unwrap(),
                email: Some("ada@example.test".parse().unwrap()),
                email_verified: true,
                profile: signet::values::Profile::default(),
                roles: [].into(),
                password: Some(PASSWORD.parse().unwrap()),
            })
            .await
            .unwrap();
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

        let router = signet::cli::router(app.clone(), None);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self {
            issuer,
            app,
            http,
            ada,
            web,
            other,
            machine,
            api,
            hand,
            _directory: directory,
            _schema: schema,
        }
    }

    pub(crate) fn admin(&self) -> Admin {
        admin(&self.app)
    }

    /// Let time pass.
    pub(crate) async fn wait(&self, seconds: i64) {
        self.hand.fetch_add(seconds, Ordering::Relaxed);
        signet::jobs::follow(&self.app).await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub(crate) fn browser(&self) -> Browser {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .cookie_store(true)
            .build()
            .unwrap();
        Browser { http, issuer: self.issuer.clone() }
    }

    /// Post a form as a client.
    pub(crate) async fn post(
        &self,
        path: &str,
        client: Option<&Credentials>,
        form: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = self.http.post(self.url(path)).form(form);
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

impl Browser {
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Response {
        let request = self.http.get(format!("{}{path}", self.issuer)).query(query);
        request.send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(format!("{}{path}", self.issuer)).form(form);
        request.send().await.unwrap()
    }

    /// Fill in every page until the client has its answer.
    pub(crate) async fn follow(&self, mut response: Response) -> Response {
        while let Some(page) = location(&response).filter(|page| page.starts_with('/')) {
            let sealed = sealed(&page);
            response = if page.starts_with("/login") {
                let form = [("request", sealed.as_str()), ("username", "ada")];
                let form = [&form[..], &[("password", PASSWORD), ("action", "login")]].concat();
                self.post("/login", &form).await
            } else {
                self.post("/consent", &[("request", &sealed), ("action", "allow")]).await
            };
        }
        response
    }

    /// Sign in and consent wherever that is asked for: the address that the client is called at.
    pub(crate) async fn answer(&self, request: &[(&str, &str)]) -> Url {
        let response = self.follow(self.get("/authorize", request).await).await;
        location(&response).unwrap().parse().unwrap()
    }

    pub(crate) async fn code(&self, request: &[(&str, &str)]) -> String {
        let answer = self.answer(request).await;
        parameter(&answer, "code").unwrap_or_else(|| panic!("{answer}"))
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("drop schema {name} cascade")));
        });
        let _ = dropped.join();
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
        ("code_challenge", challenge()),
        ("code_challenge_method", "S256"),
    ]
}

/// The usual request with this parameter instead, or too.
pub(crate) fn request_with(
    name: &'static str,
    value: &'static str,
) -> Vec<(&'static str, &'static str)> {
    let mut request = request();
    request.retain(|(other, _)| *other != name);
    request.push((name, value));
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
pub(crate) fn challenge() -> &'static str {
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    assert_eq!(BASE64.encode(Sha256::digest(VERIFIER)), CHALLENGE);
    CHALLENGE
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

fn with_people() -> NewClient {
    NewClient {
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        post_logout_redirect_uris: vec!["https://app.test/bye".parse().unwrap()],
        scope: Some("openid profile email offline_access orders:read".parse().unwrap()),
        ..NewClient::default()
    }
}

async fn create(admin: &Admin, id: &str, new: NewClient) -> Credentials {
    let new = NewClient { id: Some(id.parse().unwrap()), ..new };
    let (_, secret) = admin.create_client(new).await.unwrap();
    (id.to_owned(), secret.map_or(String::new(), |secret| secret.expose().to_owned()))
}

async fn execute(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}
