//! The stylesheet and the scripts, compiled in.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "signet.css" => ("text/css; charset=utf-8", include_str!("assets/signet.css")),
        "demo.js" => ("text/javascript; charset=utf-8", include_str!("assets/demo.js")),
        "form_post.js" => ("text/javascript; charset=utf-8", include_str!("assets/form_post.js")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, text).into_response()
}
