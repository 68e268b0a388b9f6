//! An authorization server that does what it is told, an API, and a clock that tests move.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use signet_client::{Clock, Credentials, Timestamp, TokenSource, TokenSourceBuilder};
use tokio::{net::TcpListener, sync::Semaphore};

/// For how long the server's tokens live.
pub(crate) const LIFETIME: u64 = 1000;

/// A clock that goes when it is told to.
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn moves(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(1_800_000_000 + i64::try_from(self.0.load(Ordering::Relaxed)).unwrap())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// A token request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) headers: HeaderMap,
    pub(crate) form: HashMap<String, String>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) issuer: String,
    pub(crate) clock: Hand,
    shared: Arc<Shared>,
}

struct Shared {
    asked: Mutex<Vec<Asked>>,
    discovered: AtomicU64,
    answers: Mutex<VecDeque<Response>>,
    down: Mutex<Option<(StatusCode, HeaderMap)>>,
    gate: Semaphore,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            asked: Mutex::default(),
            discovered: AtomicU64::new(0),
            answers: Mutex::default(),
            down: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { issuer, clock: Hand::default(), shared };
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/token", post(token))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }

    /// A source of its tokens.
    pub(crate) fn source(&self) -> TokenSource {
        self.asks(Credentials::secret("billing", "s3cret")).build().unwrap()
    }

    pub(crate) fn asks(&self, credentials: Credentials) -> TokenSourceBuilder {
        TokenSource::client_credentials(&self.issuer, credentials).clock(self.clock.clone())
    }

    /// What it was asked for tokens.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How often it was asked for tokens.
    pub(crate) fn count(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// How often it was asked what it is.
    pub(crate) fn discovered(&self) -> u64 {
        self.shared.discovered.load(Ordering::Relaxed)
    }

    /// It answers the next request so.
    pub(crate) fn answers(&self, answer: impl IntoResponse) {
        self.shared.answers.lock().unwrap().push_back(answer.into_response());
    }

    /// It answers everything so until it is up again.
    pub(crate) fn goes_down(&self, status: StatusCode, headers: &[(&'static str, &'static str)]) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        *self.shared.down.lock().unwrap() = Some((status, headers.collect()));
    }

    pub(crate) fn is_up_again(&self) {
        *self.shared.down.lock().unwrap() = None;
    }

    /// Answers wait until the gate is opened.
    pub(crate) fn closes_the_gate(&self) {
        self.shared.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn opens_the_gate(&self) {
        self.shared.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Wait until it was asked this often.
    pub(crate) async fn was_asked(&self, times: usize) {
        while self.count() < times {
            tokio::task::yield_now().await;
        }
    }
}

async fn metadata(State(server): State<Server>) -> Json<Value> {
    server.shared.discovered.fetch_add(1, Ordering::Relaxed);
    let token = format!("{}/token", server.issuer);
    Json(json!({"issuer": server.issuer, "token_endpoint": token}))
}

async fn token(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let count = {
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        let mut asked = server.shared.asked.lock().unwrap();
        asked.push(Asked { headers, form });
        asked.len()
    };
    let _open = server.shared.gate.acquire().await.unwrap();
    if let Some(answer) = server.shared.answers.lock().unwrap().pop_front() {
        return answer;
    }
    if let Some((status, headers)) = server.shared.down.lock().unwrap().clone() {
        return (status, headers, "out of order").into_response();
    }
    gives(&format!("token-{count}"), "Bearer").into_response()
}

/// The answer that gives a token.
pub(crate) fn gives(token: &str, kind: &str) -> Json<Value> {
    Json(json!({
        "access_token": token, "token_type": kind, "expires_in": LIFETIME, "scope": "orders:read",
    }))
}

/// The answer that refuses.
pub(crate) fn refuses(error: &str) -> impl IntoResponse + use<> {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error, "error_description": "be\tcause"})))
}
