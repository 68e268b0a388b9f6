//! The door that every request goes through, once: nothing ambiguous comes in, nothing takes for ever,
//! whatever is logged names its request, and every answer has its headers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use tokio::time::timeout;
use tower::Service;

use super::{ClientAddress, CurrentRequest, Documents, RequestId};
use crate::flows::App;

/// How long a request may take, from its head to its answer.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Fields that a request has once at most.
const SINGLE: [HeaderName; 3] = [header::HOST, header::CONTENT_TYPE, header::CONTENT_LENGTH];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The door. Cheap to clone; every clone is the same door.
#[derive(Clone)]
pub struct Door(Arc<Inside>);

struct Inside {
    app: Arc<App>,
    documents: Documents,
    router: Router,
    /// What the names of this process's requests begin with, and how many there were.
    names: (String, AtomicU64),
}

impl Door {
    /// The door to all of this.
    #[must_use]
    pub fn new(app: Arc<App>, documents: Documents, router: Router) -> Self {
        let names = (BASE64.encode(app.random.bytes::<6>()), AtomicU64::new(0));
        Self(Arc::new(Inside { app, documents, router, names }))
    }

    /// Let a request in and its answer out. The path is logged, the query never: codes and hints travel
    /// in it.
    pub async fn answer(&self, request: Request, from: SocketAddr) -> Response {
        let Inside { app, documents, router, .. } = &*self.0;
        let version = request.version();
        let id = self.name();
        let mut response = if is_ambiguous(&request) {
            (StatusCode::BAD_REQUEST, "the request has no host, or a header twice\n")
                .into_response()
        } else if let Some(document) = documents.answer(app, &request) {
            document
        } else {
            let from = ClientAddress::find(from.ip(), request.headers(), &app.config.server).0;
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let current = CurrentRequest { id: id.clone(), from, method, uri };
            let answer = current.during(router.clone().call(request));
            match timeout(LONGEST_REQUEST, answer).await {
                Ok(answer) => answer.into_response(),
                Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
            }
        };

        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id.0);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if app.issuer().is_https() {
            // https stays https for a year once seen.
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        if app.leaving.has_begun() && version < Version::HTTP_2 {
            // Whoever is answered now comes back on another connection (RFC 9112 §9.6), which a proxy
            // opens to another node.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// A name that no other request has, here or on another node.
    fn name(&self) -> RequestId {
        let (process, count) = &self.0.names;
        let name = format!("{process}{:x}", count.fetch_add(1, Ordering::Relaxed));
        RequestId(HeaderValue::try_from(name).expect("base64url and digits may stand in a header"))
    }
}

/// Whether we and what stands before us could read a request differently: without a host, or with two
/// ([RFC 9112 §3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
fn is_ambiguous(request: &Request) -> bool {
    let headers = request.headers();
    let lacks_host = request.version() == Version::HTTP_11 && !headers.contains_key(header::HOST);
    lacks_host || SINGLE.iter().any(|name| repeats(headers, name))
}

fn repeats(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}
