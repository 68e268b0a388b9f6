//! A name for every request, by which an answer is found in the log.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use tracing::Instrument;

use crate::flows::App;

/// The name of a request.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Name the request, and let every line of the log that comes of it carry the name. The path is
/// logged, the query never: codes and hints travel in it.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = BASE64.encode(app.random.bytes::<9>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", %id, %method, path);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}
