//! `GET /jwks` ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)). No look at the
//! database.

use axum::{body::Body, http::HeaderMap, response::Response};

use super::respond::{document, tagged};
use crate::flows::App;

pub(super) fn jwks(app: &App, headers: &HeaderMap) -> Response {
    let (published, max_age) = app.keys.published(app.clock.now());
    let body = Body::from(published.body.clone());
    tagged(document("application/jwk-set+json", max_age, body), headers, &published.etag)
}
