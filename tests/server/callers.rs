//! Those who call APIs, with the crate that is made for them: `crates/client`.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest_middleware::ClientBuilder;
use signet::{
    flows::admin::{AuthMethod, NewClient, public_keys},
    model::GrantType,
};
use signet_client::{
    Authorize, Credentials, DpopKey, TokenSource, TokenSourceBuilder,
    login::{Login, Prompt, Session, Sessions, SignedIn, Way},
};
use signet_jwt::{Algorithm, SigningKey};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinSet};
use url::Url;

use crate::support::{API, Browser, Hand, Server, location, payload, text};

on_both_engines! {
    a_thousand_tasks_of_a_service_share_a_token
    a_service_signs_with_a_key_of_each_kind
    a_service_holds_tokens_that_are_bound_to_its_key
    somebody_signs_in_through_the_browser_of_their_computer
    somebody_signs_in_on_another_screen
    processes_that_refresh_at_once_are_no_theft
    a_token_that_an_api_refuses_is_replaced_on_the_way
    signing_out_ends_what_was_signed_in
}

fn asks(server: &Server, credentials: Credentials) -> TokenSourceBuilder {
    TokenSource::client_credentials(&server.issuer, credentials).clock(server.clock())
}

fn machine(server: &Server) -> Credentials {
    Credentials::secret(&server.machine.0, &server.machine.1)
}

async fn a_thousand_tasks_of_a_service_share_a_token(server: Server) {
    let source =
        asks(&server, machine(&server)).resource(API).scope("orders:read").build().unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let mut tasks = JoinSet::new();
        for _ in 0..1000 {
            let source = source.clone();
            tasks.spawn(async move { source.token().await.unwrap().expose().to_owned() });
        }
        let tokens: BTreeSet<_> = tasks.join_all().await.into_iter().collect();
        assert_eq!(tokens.len(), 1);
        let answer = server.introspect(&server.api, tokens.first().unwrap()).await;
        assert_eq!((&answer["active"], text(&answer, "scope")), (&true.into(), "orders:read"));
        seen.extend(tokens);
        server.wait(900).await;
    }
    assert_eq!(seen.len(), 2);
}

async fn a_service_signs_with_a_key_of_each_kind(server: Server) {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::EdDsa] {
        let (key, der) = SigningKey::generate(algorithm).unwrap();
        let set = serde_json::json!({ "keys": [key.public().to_jwk()] }).to_string();
        let new = NewClient {
            grants: [GrantType::ClientCredentials].into(),
            auth_method: Some(AuthMethod::PrivateKeyJwt),
            keys: Some(public_keys(&set).unwrap()),
            ..NewClient::default()
        };
        let id = format!("signs-with-{algorithm}");
        server.client(&id, new).await;
        let pem = pem(&der);
        let source = asks(&server, Credentials::key(&id, &pem).unwrap()).build().unwrap();
        let token = source.token().await.unwrap();
        assert_eq!(payload(token.expose())["client_id"], id);
        // Each request has an assertion of its own.
        source.reject(&token);
        assert_ne!(source.token().await.unwrap().expose(), token.expose());
    }
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449).
async fn a_service_holds_tokens_that_are_bound_to_its_key(server: Server) {
    let key = DpopKey::generate().unwrap();
    let source = asks(&server, machine(&server)).dpop(key.clone()).build().unwrap();
    for _ in 0..3 {
        let token = source.token().await.unwrap();
        let bound = &payload(token.expose())["cnf"]["jkt"];
        assert_eq!(bound, &key.thumbprint().to_string());
        server.wait(1000).await;
    }
}

/// A client as `signet dev` makes it for the command line.
async fn command_line(server: &Server) {
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
    let new = NewClient {
        public: true,
        redirect_uris: vec!["http://127.0.0.1/callback".parse().unwrap()],
        grants: grants.into(),
        scope: Some("openid email profile offline_access orders:read".parse().unwrap()),
        ..NewClient::default()
    };
    server.client("cli", new).await;
    server.follow().await;
}

fn login(server: &Server, clock: &Hand) -> Login {
    let login = Login::new(&server.issuer, "cli").clock(clock.clone());
    login.scope("openid email offline_access")
}

/// What the person is shown.
fn shown() -> (impl FnOnce(&Prompt) + Send, oneshot::Receiver<Prompt>) {
    let (tell, told) = oneshot::channel();
    (|prompt: &Prompt| tell.send(prompt.clone()).unwrap(), told)
}

/// Sign in through a browser of this computer, which comes back to the program.
async fn through(browser: &Browser, server: &Server) -> SignedIn {
    let (show, told) = shown();
    let login = login(server, &server.clock());
    let signing_in = tokio::spawn(async move { login.sign_in(Way::Browser, show).await });
    let Prompt::Visit { url } = told.await.unwrap() else { panic!() };
    let url: Url = url.parse().unwrap();
    let asked: Vec<_> = url.query_pairs().into_owned().collect();
    let asked: Vec<_> = asked.iter().map(|(name, value)| (&**name, &**value)).collect();
    let answer = browser.answer(&asked).await;
    let page = server.http.get(answer).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("You are signed in"), "{page}");
    signing_in.await.unwrap().unwrap()
}

async fn kept(server: &Server) -> (TempDir, Session) {
    command_line(server).await;
    let signed_in = through(&server.browser(), server).await;
    let directory = tempfile::tempdir().unwrap();
    let session = sessions(server, &directory).keep(signed_in).await.unwrap();
    (directory, session)
}

/// As another process opens it.
fn sessions(server: &Server, directory: &TempDir) -> Sessions {
    Sessions::in_files("test", directory.path()).clock(server.clock())
}

async fn somebody_signs_in_through_the_browser_of_their_computer(server: Server) {
    command_line(&server).await;
    let signed_in = through(&server.browser(), &server).await;
    let person = signed_in.person().unwrap();
    assert_eq!(person.subject, server.ada.id.to_string());
    assert_eq!(person.email.as_deref(), Some("ada@example.test"));
}

async fn somebody_signs_in_on_another_screen(server: Server) {
    command_line(&server).await;
    let (show, told) = shown();
    let clock = server.clock();
    let login = login(&server, &clock);
    let signing_in = tokio::spawn(async move { login.sign_in(Way::Device, show).await });
    let Prompt::Enter { code, url, .. } = told.await.unwrap() else { panic!() };
    assert_eq!(url, format!("{}/device", server.issuer));

    // The first question comes too early.
    clock.opens();
    let browser = server.browser();
    let page = browser.looks_at(&code).await;
    let response = browser.answers(&page, "allow").await;
    assert_eq!(location(&response).as_deref(), Some("/device/allowed"));
    clock.opens();
    let signed_in = signing_in.await.unwrap().unwrap();
    assert_eq!(signed_in.person().unwrap().subject, server.ada.id.to_string());
}

async fn processes_that_refresh_at_once_are_no_theft(server: Server) {
    let (directory, _) = kept(&server).await;
    for _ in 0..5 {
        // Beyond the grace for answers that were lost.
        server.wait(700).await;
        let mut processes = JoinSet::new();
        for _ in 0..8 {
            let sessions = sessions(&server, &directory);
            processes.spawn(async move {
                let session = sessions.last().await.unwrap().unwrap();
                session.source().unwrap().token().await.unwrap().expose().to_owned()
            });
        }
        let tokens: BTreeSet<_> = processes.join_all().await.into_iter().collect();
        assert_eq!(tokens.len(), 1, "one refreshes, and the others read what it has kept");
        assert_eq!(server.userinfo(tokens.first().unwrap()).await.status(), 200);
    }
}

async fn a_token_that_an_api_refuses_is_replaced_on_the_way(server: Server) {
    let (directory, _) = kept(&server).await;
    // By its own clock the caller's token lives.
    let sessions = Sessions::in_files("test", directory.path());
    let source = sessions.last().await.unwrap().unwrap().source().unwrap();
    let token = source.token().await.unwrap();
    server.wait(1000).await;
    assert_eq!(server.userinfo(token.expose()).await.status(), 401);

    let api = ClientBuilder::new(server.http.clone());
    let api = api.with(Authorize::new(source.clone()).to(&server.issuer).unwrap()).build();
    let response = api.get(server.url("/userinfo")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_ne!(source.token().await.unwrap().expose(), token.expose());
}

async fn signing_out_ends_what_was_signed_in(server: Server) {
    let (directory, session) = kept(&server).await;
    let token = session.source().unwrap().token().await.unwrap();
    session.sign_out().await.unwrap();
    server.follow().await;
    assert_eq!(server.userinfo(token.expose()).await.status(), 401);
    assert!(sessions(&server, &directory).last().await.unwrap().is_none());
}
