//! Headers that some answers have.

use axum::http::{HeaderMap, HeaderValue, header};

/// Let nobody keep an answer.
pub fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
