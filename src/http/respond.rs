//! How programs are answered.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::edge::no_store;

/// What scripts of other origins may read of an answer, beside its body.
pub(super) const EXPOSED: &str = "www-authenticate,etag";

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
