//! The one place that speaks the errors of RFC 6749 over HTTP.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    edge::{Rejection, no_store},
    flows::{Error, events::Event},
    protocol::{ErrorCode, OAuthError},
};

/// An error on its way to a program.
pub struct Refusal(Error);

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Refused(refusal) => refused(status(refusal.code), &refusal),
            Error::Failed(cause) if cause.is_transient() => {
                tracing::error!(cause = ?cause, "unavailable");
                let refusal = ErrorCode::TemporarilyUnavailable.because("try again in a moment");
                let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, &refusal);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Error::Failed(cause) => {
                tracing::error!(cause = ?cause, "failed");
                let refusal = ErrorCode::ServerError.because("the server failed");
                answer(StatusCode::INTERNAL_SERVER_ERROR, &refusal)
            }
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        refused(self.status, &self.refusal)
    }
}

fn refused(status: StatusCode, refusal: &OAuthError) -> Response {
    Event::Refused { code: refusal.code, reason: &refusal.description }.emit();
    let mut response = answer(status, refusal);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}

fn answer(status: StatusCode, refusal: &OAuthError) -> Response {
    let code = refusal.code.as_str();
    let body = json!({ "error": code, "error_description": refusal.description });
    let mut response = (status, Json(body)).into_response();
    no_store(response.headers_mut());
    if refusal.code == ErrorCode::InvalidClient {
        let challenge = HeaderValue::from_static("Basic realm=\"signet\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// RFC 6749 §5.2, RFC 6750 §3.1: 401 for who you are, 403 for what you may, 400 for the rest; 429 for how
/// often ([RFC 6585 §4](https://www.rfc-editor.org/rfc/rfc6585#section-4)).
fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        // Whoever asks too often is refused; when we are busy ourselves, that is a 503.
        ErrorCode::TemporarilyUnavailable => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::BAD_REQUEST,
    }
}
