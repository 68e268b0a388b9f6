//! The metadata document, in every place where clients look for it
//! ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3),
//! [OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
//! No look at the database.

use axum::{body::Body, http::HeaderMap, response::Response};

use super::respond::document;
use crate::flows::App;

/// For how many seconds it may be kept.
const MAX_AGE: i64 = 300;

pub(super) fn discovery(app: &App, _: &HeaderMap) -> Response {
    document("application/json", MAX_AGE, Body::from(app.directory.apis().metadata.clone()))
}
