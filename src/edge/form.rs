//! Bodies, read strictly.

use std::error::Error;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use http_body_util::LengthLimitError;

use crate::protocol::{ErrorCode::InvalidRequest, OAuthError};

/// The largest body that any request needs, in bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// The text of an `application/x-www-form-urlencoded` body.
pub struct Body(pub String);

/// The text of an `application/json` body.
pub struct JsonBody(pub String);

/// A body that is not one.
pub struct Rejection {
    /// The status of the answer.
    pub status: StatusCode,
    /// What to tell the caller.
    pub refusal: OAuthError,
}

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        let wrong = "the body must be application/x-www-form-urlencoded";
        read(request, "application/x-www-form-urlencoded", wrong).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Rejection> {
        read(request, "application/json", "the body must be application/json").await.map(Self)
    }
}

async fn read(request: Request, kind: &str, wrong: &'static str) -> Result<String, Rejection> {
    let (parts, body) = request.into_parts();
    check_kind(&parts.headers, kind, wrong)?;
    let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|cause| match cause.source() {
        Some(cause) if cause.is::<LengthLimitError>() => {
            reject(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB")
        }
        _ => reject(StatusCode::BAD_REQUEST, "the body broke off"),
    })?;
    String::from_utf8(bytes.into())
        .map_err(|_| reject(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
}

fn check_kind(headers: &HeaderMap, expected: &str, other: &'static str) -> Result<(), Rejection> {
    let named = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let kind = named(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or("");
    let wrong = if !kind.trim().eq_ignore_ascii_case(expected) {
        other
    } else if named(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        "the body must not be compressed"
    } else {
        return Ok(());
    };
    Err(reject(StatusCode::UNSUPPORTED_MEDIA_TYPE, wrong))
}

fn reject(status: StatusCode, why: &'static str) -> Rejection {
    Rejection { status, refusal: InvalidRequest.because(why) }
}
