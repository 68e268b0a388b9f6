//! `GET /jwks` ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)). No look at the
//! database.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::flows::App;

pub(super) async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    let (published, max_age) = app.keys.published(app.clock.now());
    let caching = [
        (header::CACHE_CONTROL, format!("public, max-age={max_age}")),
        (header::ETAG, published.etag.clone()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == published.etag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/jwk-set+json")];
    (caching, kind, published.body.clone()).into_response()
}
