//! `GET /jwks` ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)). No look at the
//! database.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};

use super::respond::document;
use crate::flows::App;

pub(super) fn jwks(app: &App, headers: &HeaderMap) -> Response {
    let (published, max_age) = app.keys.published(app.clock.now());
    let body = Body::from(published.body.clone());
    let mut response = document("application/jwk-set+json", max_age, body);
    let tag = HeaderValue::from_str(&published.etag).expect("a quoted base64url text may be sent");
    response.headers_mut().insert(header::ETAG, tag);
    if is_known(headers, &published.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}

/// Whether the caller has it: tags are compared weakly
/// ([RFC 9110 §13.1.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2)).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag) == etag;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    known.flat_map(|tags| tags.split(',')).map(str::trim).any(|tag| tag == "*" || strong(tag))
}
