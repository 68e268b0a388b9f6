//! An authorization server that signs people in, and a clock that tests move.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::Future,
    pin::Pin,
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
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use signet_client::{
    Clock, Timestamp,
    login::{Login, Prompt},
};
use signet_jwt::{Algorithm, KeySet, SigningKey};
use tokio::net::TcpListener;

pub(crate) const NOW: i64 = 1_800_000_000;

/// For how long access tokens live.
pub(crate) const LIFETIME: u64 = 1000;

/// A clock that goes when it is told to, and when somebody waits.
#[derive(Clone, Default)]
pub(crate) struct Hand(Arc<AtomicU64>);

impl Hand {
    pub(crate) fn moves(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(NOW + i64::try_from(self.seconds()).unwrap())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.seconds())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Nobody waits for the browser of a test.
        if duration >= Duration::from_mins(10) {
            return Box::pin(std::future::pending());
        }
        self.moves(duration.as_secs());
        Box::pin(std::future::ready(()))
    }
}

/// The server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) issuer: String,
    pub(crate) clock: Hand,
    key: Arc<SigningKey>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    asked: Vec<HashMap<String, String>>,
    answers: VecDeque<Response>,
    metadata: HashMap<&'static str, Value>,
    claims: HashMap<&'static str, Value>,
    spent: HashSet<String>,
    reused: bool,
    count: u64,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        let server =
            Self { issuer, clock: Hand::default(), key: Arc::new(key), shared: Arc::default() };
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(keys))
            .route("/userinfo", get(userinfo))
            .route("/device_authorization", post(device))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        server
    }

    pub(crate) fn login(&self) -> Login {
        Login::new(&self.issuer, "cli").scope("openid offline_access").clock(self.clock.clone())
    }

    /// Everything that the server was asked in a form.
    pub(crate) fn asked(&self) -> Vec<HashMap<String, String>> {
        self.shared.lock().unwrap().asked.clone()
    }

    /// How often it was asked for this grant.
    pub(crate) fn count(&self, grant: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|form| form.get("grant_type").is_some_and(|one| one == grant)).count()
    }

    /// It answers the next form so.
    pub(crate) fn answers(&self, answer: impl IntoResponse) {
        self.shared.lock().unwrap().answers.push_back(answer.into_response());
    }

    pub(crate) fn refuses(&self, error: &str) {
        self.answers((StatusCode::BAD_REQUEST, Json(json!({"error": error}))));
    }

    /// Its metadata says this.
    pub(crate) fn says(&self, name: &'static str, value: impl Into<Value>) {
        self.shared.lock().unwrap().metadata.insert(name, value.into());
    }

    /// Its ID tokens say this.
    pub(crate) fn claims(&self, name: &'static str, value: impl Into<Value>) {
        self.shared.lock().unwrap().claims.insert(name, value.into());
    }

    /// Whether a refresh token came twice.
    pub(crate) fn saw_theft(&self) -> bool {
        self.shared.lock().unwrap().reused
    }

    /// The next tokens.
    fn gives(&self, nonce: Option<&String>) -> Json<Value> {
        let mut shared = self.shared.lock().unwrap();
        shared.count += 1;
        let now = self.clock.now();
        let mut claims = json!({
            "iss": self.issuer, "sub": "ada-1", "aud": "cli", "name": "Ada",
            "iat": now, "exp": now.plus(60), "nonce": nonce,
        });
        for (name, value) in &shared.claims {
            claims[*name] = value.clone();
        }
        Json(json!({
            "access_token": format!("access-{}", shared.count),
            "refresh_token": format!("refresh-{}", shared.count),
            "id_token": self.key.sign("JWT", &claims).unwrap(),
            "token_type": "Bearer", "expires_in": LIFETIME, "scope": "offline_access openid",
        }))
    }
}

async fn metadata(State(server): State<Server>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", server.issuer);
    let mut document = json!({
        "issuer": server.issuer,
        "authorization_endpoint": at("/authorize?kept=yes"),
        "token_endpoint": at("/token"),
        "device_authorization_endpoint": at("/device_authorization"),
        "revocation_endpoint": at("/revoke"),
        "jwks_uri": at("/jwks"),
        "userinfo_endpoint": at("/userinfo"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    for (name, value) in &server.shared.lock().unwrap().metadata {
        document[*name] = value.clone();
    }
    Json(document)
}

/// Of whomever the test says.
async fn userinfo(State(server): State<Server>, headers: HeaderMap) -> Response {
    assert_eq!(headers["authorization"], "Bearer access-1");
    let told = server.shared.lock().unwrap().metadata.get("userinfo").cloned();
    told.map_or(StatusCode::FORBIDDEN.into_response(), |told| Json(told).into_response())
}

async fn keys(State(server): State<Server>) -> Json<Value> {
    Json(KeySet::new(vec![server.key.public()]).to_json())
}

async fn device(State(server): State<Server>, body: Bytes) -> Response {
    if let Some(answer) = note(&server, &body).1 {
        return answer;
    }
    let page = format!("{}/device", server.issuer);
    Json(json!({
        "device_code": "device-1", "user_code": "BCDF-GHJK", "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code=BCDF-GHJK"),
        "expires_in": 600, "interval": 5,
    }))
    .into_response()
}

/// The nonce of a code is the code itself: tests take it from the address.
async fn token(State(server): State<Server>, body: Bytes) -> Response {
    let (form, answer) = note(&server, &body);
    if let Some(answer) = answer {
        return answer;
    }
    if let Some(refresh) = form.get("refresh_token") {
        let mut shared = server.shared.lock().unwrap();
        if !shared.spent.insert(refresh.clone()) {
            shared.reused = true;
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})))
                .into_response();
        }
    }
    server.gives(form.get("code")).into_response()
}

async fn revoke(State(server): State<Server>, body: Bytes) -> Response {
    note(&server, &body).1.unwrap_or_else(|| StatusCode::OK.into_response())
}

fn note(server: &Server, body: &Bytes) -> (HashMap<String, String>, Option<Response>) {
    let form: HashMap<_, _> = url::form_urlencoded::parse(body).into_owned().collect();
    let mut shared = server.shared.lock().unwrap();
    shared.asked.push(form.clone());
    (form, shared.answers.pop_front())
}

/// What was shown, for a browser to go on with.
pub(crate) fn shown() -> (impl FnOnce(&Prompt) + Send, tokio::sync::oneshot::Receiver<Prompt>) {
    let (tell, told) = tokio::sync::oneshot::channel();
    (|prompt: &Prompt| tell.send(prompt.clone()).unwrap(), told)
}
