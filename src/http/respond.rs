//! How programs are answered.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::edge::no_store;

/// What scripts of other origins may read of an answer, beside its body.
pub(super) const EXPOSED: &str = "www-authenticate,etag,dpop-nonce";

/// JSON that nobody keeps: it holds tokens, or speaks of them or of a person.
pub(super) struct NoStore<T>(pub(super) T);

impl<T: Serialize> IntoResponse for NoStore<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        no_store(response.headers_mut());
        response
    }
}

/// What everybody may read, from whatever origin, and keep for so many seconds.
pub(super) fn document(kind: &'static str, max_age: i64, body: Body) -> Response {
    let mut response = Response::new(body);
    let caching = HeaderValue::try_from(format!("public, max-age={max_age}"));
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, caching.expect("a number may stand in a header"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    response
}

/// A document under a tag that names this version of it: whoever has it already is told so and no more.
pub(super) fn tagged(mut response: Response, headers: &HeaderMap, etag: &str) -> Response {
    let tag = HeaderValue::from_str(etag).expect("a quoted base64url text may be sent");
    response.headers_mut().insert(header::ETAG, tag);
    if is_known(headers, etag) {
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
