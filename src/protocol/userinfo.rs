//! The userinfo endpoint
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)) and the
//! bearer tokens that open it ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).

use serde_json::{Map, Value, json};

use super::{
    ErrorCode::{InsufficientScope, InvalidRequest, InvalidToken},
    OAuthError, Params,
    access_token::AccessClaims,
    claims,
};
use crate::{
    model::User,
    values::{Issuer, Secret, UserId},
};

/// The access token of a request: in the header or in a form body, never in the query (RFC 9700
/// §4.3.2), and never twice (RFC 6750 §2). Another scheme in the header is as good as none (§3.1).
///
/// # Errors
/// `invalid_request` for two tokens.
pub fn bearer(
    authorization: Option<&str>,
    body: &Params,
) -> Result<Option<Secret<String>>, OAuthError> {
    let header = authorization
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token);
    match (header, body.one("access_token")?) {
        (Some(_), Some(_)) => {
            Err(InvalidRequest.because("the access token comes in more than one way"))
        }
        (token, None) | (None, token) => Ok(token.map(|token| Secret::new(token.to_owned()))),
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
