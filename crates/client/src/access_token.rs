//! An access token, and how a request carries it
//! ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
//! [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).

use std::{fmt, sync::Arc};

use http::HeaderValue;
use signet_jwt::Timestamp;

use crate::{Error, secret::Secret};

/// An access token. It cannot be printed by accident: `Debug` shows everything but its value, which
/// only [`AccessToken::expose`] gives.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    value: Secret,
    authorization: HeaderValue,
    kind: TokenKind,
    scope: Option<String>,
    expires_at: Option<Timestamp>,
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Whoever has it may use it.
    Bearer,
    /// It is bound to a key, and goes with a proof of it.
    Dpop,
}

impl AccessToken {
    /// A bearer token that came from somewhere else, such as the environment.
    pub fn bearer(value: &str) -> Result<Self, Error> {
        Self::new(value.trim(), TokenKind::Bearer, None, None)
    }

    pub(crate) fn new(
        value: &str,
        kind: TokenKind,
        scope: Option<String>,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, Error> {
        // What else it might hold would end the header, or be read differently by others.
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::NoToken);
        }
        let scheme = match kind {
            TokenKind::Bearer => "Bearer",
            TokenKind::Dpop => "DPoP",
        };
        let authorization = HeaderValue::try_from(format!("{scheme} {value}"));
        let mut authorization = authorization.map_err(|_| Error::NoToken)?;
        authorization.set_sensitive(true);
        let value = Secret::new(value);
        Ok(Self(Arc::new(Inner { value, authorization, kind, scope, expires_at })))
    }

    /// The token itself, to be sent to the API that it is for and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.value.expose()
    }

    /// How it is presented.
    #[must_use]
    pub fn kind(&self) -> TokenKind {
        self.0.kind
    }

    /// What it is good for, where the server said so.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// When it ends, where that is known.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// The value of the `Authorization` header, marked as sensitive.
    #[must_use]
    pub fn authorization(&self) -> HeaderValue {
        self.0.authorization.clone()
    }

    /// Whether it is the same token. Both are ours, so no time is measured by comparing them.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("kind", &self.0.kind)
            .field("scope", &self.0.scope)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_printed() {
        let token = AccessToken::bearer("top-secret\n").unwrap();
        assert_eq!(token.expose(), "top-secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(!format!("{:?}", token.authorization()).contains("secret"));
    }

    #[test]
    fn what_would_break_a_header_is_no_token() {
        for value in ["", " ", "a b", "a\r\nX: y", "é"] {
            assert!(AccessToken::bearer(value).is_err(), "{value:?}");
        }
    }
}
