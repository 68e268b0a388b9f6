//! What handlers of axum take from a request that a guard let through.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;

use crate::{
    caller::Caller,
    refusal::{Reason, Refusal, Scheme},
};

/// The caller, and the claims of the token as a type of your own.
///
/// ```
/// use signet_guard::Token;
///
/// #[derive(serde::Deserialize)]
/// struct Claims {
///     tenant: String,
/// }
///
/// async fn handler(Token { caller, claims }: Token<Claims>) -> String {
///     format!("{} of {}\n", caller.subject(), claims.tenant)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Token<C> {
    /// Who calls.
    pub caller: Caller,
    /// What the token says.
    pub claims: C,
}

/// A handler wants to know who calls, and no guard stands before it. It is answered with 500, and nothing
/// of the handler has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGuard;

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = NoGuard;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoGuard> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(path = parts.uri.path(), "no guard stands before this handler");
            NoGuard
        })
    }
}

impl<S: Sync, C: DeserializeOwned> FromRequestParts<S> for Token<C> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, state).await;
        let caller = caller.map_err(IntoResponse::into_response)?;
        let Ok(claims) = caller.claims() else {
            let why = "a claim that is needed here is missing or of the wrong kind".to_owned();
            return Err(Refusal::new(Reason::BadToken(Scheme::Bearer, why)).into_response());
        };
        Ok(Self { caller, claims })
    }
}

impl IntoResponse for NoGuard {
    fn into_response(self) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}
