//! `GET /jwks` ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)). No look at the
//! database.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::flows::App;

pub(super) async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let (published, max_age) = app.keys.published(app.clock.now());
    let caching = [
        (header::CACHE_CONTROL, format!("public, max-age={max_age}")),
        (header::ETAG, published.etag.clone()),
    ];
    if is_known(&headers, &published.etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/jwk-set+json")];
    (caching, kind, published.body.clone()).into_response()
}

/// Whether the caller has it: tags are compared weakly
/// ([RFC 9110 §13.1.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2)).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag) == etag;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    known.flat_map(|tags| tags.split(',')).map(str::trim).any(|tag| tag == "*" || strong(tag))
}
