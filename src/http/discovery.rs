//! The metadata document, in every place where clients look for it
//! ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3),
//! [OpenID Connect Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
//! No look at the database.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::flows::App;

pub(super) async fn discovery(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.directory.apis().metadata.clone()).into_response()
}
