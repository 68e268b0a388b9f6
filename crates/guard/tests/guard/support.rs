//! An authorization server that does what a test tells it, a clock that a test moves, and a request.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Request, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use signet_guard::{Algorithm, Builder, Caller, Clock, Guard, Presented, Refusal, Timestamp};
use signet_jwt::{KeySet, SigningKey};
use tokio::net::TcpListener;

pub(crate) const API: &str = "https://api.example.com/orders";
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock that stands until it is moved.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<(AtomicI64, AtomicU64)>);

impl TestClock {
    pub(crate) fn wait(&self, seconds: u64) {
        self.0.0.fetch_add(i64::try_from(seconds).unwrap(), Ordering::SeqCst);
        self.0.1.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW + self.0.0.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(1_000_000 + self.0.1.load(Ordering::SeqCst))
    }
}

/// What the server answers, by path; and how often it was asked.
pub(crate) struct World {
    pub(crate) issuer: String,
    pub(crate) clock: TestClock,
    pub(crate) state: Arc<Served>,
}

/// What the token endpoint was asked.
pub(crate) struct Exchange {
    pub(crate) authorization: String,
    pub(crate) form: Vec<(String, String)>,
}

#[derive(Default)]
pub(crate) struct Served {
    pub(crate) keys: Mutex<Vec<Arc<SigningKey>>>,
    /// Another answer for the keys than the keys.
    pub(crate) jwks: Mutex<Option<(StatusCode, String)>>,
    pub(crate) delay: AtomicU64,
    pub(crate) asked_for_keys: AtomicUsize,
    pub(crate) metadata: Mutex<Value>,
    pub(crate) list: Mutex<Option<String>>,
    pub(crate) asked_for_list: AtomicUsize,
    pub(crate) events: Mutex<String>,
    pub(crate) exchange: Mutex<Option<(StatusCode, Value)>>,
    pub(crate) exchanges: Mutex<Vec<Exchange>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Served::default());
        *state.metadata.lock().unwrap() = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/jwks"),
            "token_endpoint": format!("{issuer}/token"),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(jwks))
            .route("/elsewhere", get(jwks))
            .route("/status/0", get(list))
            .route("/status/events", get(events))
            .route("/token", post(token))
            .with_state(state.clone());
        #[expect(clippy::disallowed_methods, reason = "a server of its own, beside the test")]
        tokio::spawn(async move { axum::serve(listener, router).await });

        let world = Self { issuer, clock: TestClock::default(), state };
        world.rotate();
        world
    }

    /// Sign with another key from now on; the ones before stay published.
    pub(crate) fn rotate(&self) {
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        self.state.keys.lock().unwrap().push(Arc::new(key));
    }

    pub(crate) fn key(&self) -> Arc<SigningKey> {
        self.state.keys.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn builder(&self) -> Builder {
        Guard::discover(&self.issuer).audience(API).clock(self.clock.clone())
    }

    pub(crate) async fn guard(&self) -> Guard {
        self.builder().await.unwrap()
    }

    /// What a good token says, and this.
    pub(crate) fn claims(&self, more: Value) -> Value {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": "ada",
            "aud": API,
            "exp": self.clock.now().plus(300),
            "iat": self.clock.now(),
            "client_id": "web",
            "scope": "orders:read",
        });
        let Value::Object(more) = more else { panic!("claims are an object") };
        claims.as_object_mut().unwrap().extend(more);
        claims
    }

    pub(crate) fn token(&self, more: Value) -> String {
        self.key().sign("at+jwt", &self.claims(more)).unwrap()
    }

    pub(crate) fn asked_for_keys(&self) -> usize {
        self.state.asked_for_keys.load(Ordering::SeqCst)
    }

    /// Serve no keys but this.
    pub(crate) fn serve_jwks(&self, status: StatusCode, body: impl Into<String>) {
        *self.state.jwks.lock().unwrap() = Some((status, body.into()));
    }
}

async fn metadata(State(state): State<Arc<Served>>) -> Json<Value> {
    Json(state.metadata.lock().unwrap().clone())
}

async fn jwks(State(state): State<Arc<Served>>) -> Response {
    state.asked_for_keys.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(state.delay.load(Ordering::SeqCst))).await;
    let caching = [(header::CACHE_CONTROL, "public, max-age=300")];
    if let Some((status, body)) = state.jwks.lock().unwrap().clone() {
        return (status, caching, [(header::LOCATION, "/elsewhere")], body).into_response();
    }
    let keys = state.keys.lock().unwrap().iter().map(|key| key.public()).collect();
    (caching, Json(KeySet::new(keys).to_json())).into_response()
}

async fn list(State(state): State<Arc<Served>>) -> Response {
    state.asked_for_list.fetch_add(1, Ordering::SeqCst);
    match state.list.lock().unwrap().clone() {
        Some(list) => list.into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What there is, and then silence for as long as anybody listens.
async fn events(State(state): State<Arc<Served>>) -> Response {
    let mut sent = 0;
    let stream = futures_util::stream::poll_fn(move |context| {
        let news = state.events.lock().unwrap()[sent..].to_owned();
        if news.is_empty() {
            let waker = context.waker().clone();
            #[expect(clippy::disallowed_methods, reason = "a stream looks again later")]
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                waker.wake();
            });
            return std::task::Poll::Pending;
        }
        sent += news.len();
        std::task::Poll::Ready(Some(Ok::<_, std::convert::Infallible>(news)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

async fn token(State(state): State<Arc<Served>>, headers: HeaderMap, body: String) -> Response {
    let authorization = headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    state.exchanges.lock().unwrap().push(Exchange { authorization, form });
    tokio::time::sleep(Duration::from_millis(state.delay.load(Ordering::SeqCst))).await;
    let answer = state.exchange.lock().unwrap().clone();
    let (status, body) = answer.unwrap();
    (status, [(header::RETRY_AFTER, "30")], Json(body)).into_response()
}

/// A request for this path with these headers.
pub(crate) fn request(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().uri(path.parse::<Uri>().unwrap());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// Who a guard says sends this token as bearer.
pub(crate) async fn bearer(guard: &Guard, token: &str) -> Result<Caller, Refusal> {
    let authorization = format!("Bearer {token}");
    let request = request("/orders", &[("authorization", &authorization)]);
    guard.verify(&Presented::by(&request)).await
}

/// How a guard refuses this token as bearer: the status, the error, and what it says.
pub(crate) async fn refusal(guard: &Guard, token: &str) -> (u16, String) {
    told(&bearer(guard, token).await.unwrap_err())
}

pub(crate) fn told(refusal: &Refusal) -> (u16, String) {
    let error = refusal.error().unwrap_or("none");
    (refusal.status().as_u16(), format!("{error}: {}", refusal.description()))
}
