//! Requests that carry tokens.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::any,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use signet_client::{AccessToken, Authorize, Credentials, DpopKey, TokenSource};
use tokio::net::TcpListener;

use crate::support::{Server, gives};

/// An API that accepts one token, and remembers what it was shown.
#[derive(Clone)]
struct Api {
    address: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    accepted: Option<&'static str>,
    nonce: Option<&'static str>,
    elsewhere: String,
    seen: Vec<HeaderMap>,
}

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let api = Self { address, shared: Arc::default() };
        let router = Router::new()
            .route("/orders", any(answer))
            .route("/here", any(async || Redirect::temporary("/orders")))
            .route("/there", any(elsewhere))
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        api
    }

    fn accepts(&self, token: &'static str) {
        self.shared.lock().unwrap().accepted = Some(token);
    }

    fn seen(&self) -> Vec<Option<String>> {
        let seen = &self.shared.lock().unwrap().seen;
        let shown =
            |headers: &HeaderMap| Some(headers.get("authorization")?.to_str().unwrap().to_owned());
        seen.iter().map(shown).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    let mut shared = api.shared.lock().unwrap();
    let headers = request.headers().clone();
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("");
    let token = shown.split(' ').nth(1).unwrap_or("").to_owned();
    let nonce = proof_nonce(&headers);
    shared.seen.push(headers);
    if let Some(wanted) = shared.nonce.filter(|wanted| nonce.as_deref() != Some(wanted)) {
        let challenge =
            [("www-authenticate", r#"DPoP error="use_dpop_nonce""#), ("dpop-nonce", wanted)];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    }
    if shared.accepted.is_some_and(|accepted| accepted != token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    "done".into_response()
}

async fn elsewhere(State(api): State<Api>) -> Redirect {
    Redirect::temporary(&api.shared.lock().unwrap().elsewhere)
}

fn proof_nonce(headers: &HeaderMap) -> Option<String> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let payload = headers.get("dpop")?.to_str().unwrap().split('.').nth(1).unwrap();
    let claims: serde_json::Value =
        serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap();
    assert!(claims["ath"].is_string());
    claims["nonce"].as_str().map(str::to_owned)
}

fn client(authorize: Authorize) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(authorize).build()
}

#[tokio::test]
async fn an_api_gets_the_token_and_nobody_else_does() {
    let (server, api, other) = (Server::start().await, Api::start().await, Api::start().await);
    let client = client(Authorize::new(server.source()).to(&api.address).unwrap());
    for url in [api.url("/orders"), other.url("/orders")] {
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }
    assert_eq!(api.seen(), [Some("Bearer token-1".to_owned())]);
    assert_eq!(other.seen(), [None]);
}

#[tokio::test]
async fn a_redirect_to_another_origin_carries_no_token() {
    let (server, api, other) = (Server::start().await, Api::start().await, Api::start().await);
    api.shared.lock().unwrap().elsewhere = other.url("/orders");
    let client = client(Authorize::new(server.source()).to(&api.address).unwrap());
    client.get(api.url("/there")).send().await.unwrap();
    assert_eq!(other.seen(), [None]);
    client.get(api.url("/here")).send().await.unwrap();
    assert_eq!(api.seen(), [Some("Bearer token-1".to_owned())]);
}

#[tokio::test]
async fn a_resource_that_is_an_address_gets_tokens() {
    let (server, api) = (Server::start().await, Api::start().await);
    let source = server.asks(Credentials::secret("billing", "s3cret"));
    let source = source.resource(api.url("/orders")).resource("urn:other").build().unwrap();
    client(Authorize::new(source)).get(api.url("/orders")).send().await.unwrap();
    assert_eq!(api.seen(), [Some("Bearer token-1".to_owned())]);
    assert!(Authorize::new(server.source()).to("http://api.example.com").is_err());
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (server, api) = (Server::start().await, Api::start().await);
    let client = client(Authorize::new(server.source()).to(&api.address).unwrap());
    api.accepts("token-2");
    let response = client.post(api.url("/orders")).body("an order").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(server.count(), 2);

    // An API that accepts nothing costs one more token, and then none for a while.
    server.clock.moves(100);
    api.accepts("nothing");
    for _ in 0..10 {
        assert_eq!(client.get(api.url("/orders")).send().await.unwrap().status(), 401);
    }
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_request_that_has_its_own_token_keeps_it() {
    let (server, api) = (Server::start().await, Api::start().await);
    let client = client(Authorize::new(server.source()).to(&api.address).unwrap());
    client.get(api.url("/orders")).bearer_auth("own").send().await.unwrap();
    assert_eq!(api.seen(), [Some("Bearer own".to_owned())]);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_token_that_cannot_be_replaced_leaves_the_answer_as_it_is() {
    let api = Api::start().await;
    api.accepts("another");
    let source = TokenSource::fixed(AccessToken::bearer("given").unwrap());
    let client = client(Authorize::new(source).to(&api.address).unwrap());
    assert_eq!(client.get(api.url("/orders")).send().await.unwrap().status(), 401);
    assert_eq!(api.seen(), [Some("Bearer given".to_owned())]);
}

/// [RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9).
#[tokio::test]
async fn a_bound_token_goes_with_a_proof_that_has_the_apis_nonce() {
    let (server, api) = (Server::start().await, Api::start().await);
    server.answers(gives("bound", "DPoP"));
    api.shared.lock().unwrap().nonce = Some("n-1");
    let source = server.asks(Credentials::secret("billing", "s3cret"));
    let source = source.dpop(DpopKey::generate().unwrap()).build().unwrap();
    let client = client(Authorize::new(source).to(&api.address).unwrap());
    for _ in 0..2 {
        let response = client.get(api.url("/orders?page=1")).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(api.seen().len(), 3);
    assert_eq!(server.count(), 1);
}
