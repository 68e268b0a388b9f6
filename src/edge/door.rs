//! The door that every request goes through, once: nothing ambiguous comes in, whatever is logged
//! names its request, and every answer has its headers.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use tracing::Instrument;

use super::ClientAddress;
use crate::flows::App;

/// Fields that a request has once at most.
const SINGLE: [HeaderName; 3] = [header::HOST, header::CONTENT_TYPE, header::CONTENT_LENGTH];

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request, by which its answer is found in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Let a request in and its answer out. The path is logged, the query never: codes and hints travel in
/// it.
pub async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let version = request.version();
    let id = BASE64.encode(app.random.bytes::<9>());
    let from = client_address(&app, &request);
    let mut response = if is_ambiguous(&request) {
        (StatusCode::BAD_REQUEST, "the request has no host, or a header twice\n").into_response()
    } else {
        request.extensions_mut().insert(RequestId(id.clone()));
        if let Some(from) = from {
            request.extensions_mut().insert(from);
        }
        let (method, path) = (request.method(), request.uri().path());
        let from = from.map(|from| tracing::field::display(from.0));
        // Of the highest level, so that whatever is logged at all says where it came from.
        let span = tracing::error_span!("request", %id, from, %method, path);
        next.run(request).instrument(span).await
    };

    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
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

fn client_address(app: &App, request: &Request) -> Option<ClientAddress> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?.0.ip();
    Some(ClientAddress::find(peer, request.headers(), &app.config.server))
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
