//! The userinfo endpoint
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)) and the
//! access tokens that open it, whoever brings them ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750))
//! or with a proof ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).

use serde_json::{Map, Value, json};

use super::{
    ErrorCode::{InsufficientScope, InvalidRequest, InvalidToken},
    OAuthError, Params,
    access_token::AccessClaims,
    claims,
};
use crate::{
    model::User,
    values::{Binding, Issuer, Secret, Thumbprint, UserId},
};

/// An access token as a request presents it.
#[derive(Debug)]
pub struct Presented {
    /// The scheme.
    pub scheme: Scheme,
    /// The token.
    pub token: Secret<String>,
}

/// How a request presents an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As something that is enough by itself.
    Bearer,
    /// Beside a proof.
    Dpop,
}

impl Presented {
    /// The access token of a request: in the header or in a form body, never in the query (RFC 9700
    /// §4.3.2), and never twice (RFC 6750 §2). Another scheme in the header is as good as none (§3.1).
    ///
    /// # Errors
    /// `invalid_request` for two tokens.
    pub fn parse(authorization: Option<&str>, body: &Params) -> Result<Option<Self>, OAuthError> {
        let presented = |scheme, token: &str| Self { scheme, token: Secret::new(token.to_owned()) };
        let header =
            authorization.and_then(|header| header.split_once(' ')).and_then(|(scheme, token)| {
                match scheme.to_ascii_lowercase().as_str() {
                    "bearer" => Some(presented(Scheme::Bearer, token)),
                    "dpop" => Some(presented(Scheme::Dpop, token)),
                    _ => None,
                }
            });
        match (header, body.one("access_token")?) {
            (Some(_), Some(_)) => {
                Err(InvalidRequest.because("the access token comes in more than one way"))
            }
            (header, None) => Ok(header),
            (None, Some(token)) => Ok(Some(presented(Scheme::Bearer, token))),
        }
    }

    /// The key of which the token needs a proof, if it is bound to one. A bound token is never a bearer
    /// token (RFC 9449 §7.2), and a proof beside one that is bound to nothing would prove nothing.
    ///
    /// # Errors
    /// `invalid_token` when the scheme is not the one that the token was issued for.
    pub fn needed_key(&self, token: &AccessClaims) -> Result<Option<Thumbprint>, OAuthError> {
        match (self.scheme, token.binding()) {
            (Scheme::Bearer, Binding::Bearer) => Ok(None),
            (Scheme::Dpop, Binding::Dpop(key)) => Ok(Some(key)),
            (Scheme::Bearer, Binding::Dpop(_)) => Err(InvalidToken.because(
                "the access token is bound to a key: send it with the scheme DPoP, and a proof",
            )),
            (Scheme::Dpop, Binding::Bearer) => Err(InvalidToken
                .because("the access token is bound to no key: send it with the scheme Bearer")),
        }
    }
}

/// The person that a valid token lets its holder ask about.
///
/// # Errors
/// `insufficient_scope` without `openid`, `invalid_token` when it was meant for others or speaks of
/// no person.
pub fn decide(token: &AccessClaims, issuer: &Issuer) -> Result<UserId, OAuthError> {
    if !token.aud.contains(issuer.as_str()) {
        return Err(InvalidToken.because("the access token is meant for another audience"));
    }
    if !token.scope.contains("openid") {
        return Err(InsufficientScope.because("userinfo needs the scope openid"));
    }
    token.person().ok_or_else(|| InvalidToken.because("the access token speaks of no person"))
}

/// The answer.
#[must_use]
pub fn answer(user: &User, token: &AccessClaims) -> Map<String, Value> {
    let mut answer = claims::about(user, &token.scope, &token.userinfo_claims);
    answer.insert("sub".to_owned(), json!(user.id));
    answer
}
