//! Token introspection ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    ErrorCode::InvalidClient, OAuthError, access_token::AccessClaims,
    client_auth::AuthenticatedClient, resource::Catalogue,
};
use crate::{model::RefreshFamily, values::Issuer};

/// What a caller learns of a token.
#[derive(Debug)]
pub enum Answer {
    /// Nothing but that it is of no use (§2.2).
    Inactive,
    /// What an access token allows.
    Access(Box<AccessClaims>),
    /// What a refresh token continues.
    Refresh(Box<RefreshFamily>),
}

/// Whether the caller may introspect at all (§2.1): a public client has proved nothing.
///
/// # Errors
/// `invalid_client`.
pub fn admit(caller: &AuthenticatedClient) -> Result<(), OAuthError> {
    if caller.client().is_public() {
        return Err(InvalidClient.because("introspection needs a client that authenticates"));
    }
    Ok(())
}

/// Whether the caller may learn of this access token: it is its own, or meant for an API that
/// introspects as this client (§4).
#[must_use]
pub fn may_learn_of(
    token: &AccessClaims,
    caller: &AuthenticatedClient,
    catalogue: &Catalogue,
) -> bool {
    let of_its_api = catalogue.resources().iter().any(|resource| {
        resource.client.as_ref() == Some(caller.id()) && token.aud.contains(resource.id.as_str())
    });
    token.client_id == *caller.id() || of_its_api
}

impl Answer {
    /// The answer as JSON.
    #[must_use]
    pub fn to_json(&self, issuer: &Issuer) -> Value {
        match self {
            Self::Inactive => json!({ "active": false }),
            Self::Access(claims) => serde_json::to_value(ActiveAccess {
                active: true,
                token_type: "Bearer",
                claims: &AccessClaims { userinfo_claims: Vec::new(), ..(**claims).clone() },
            })
            .unwrap_or_else(|_| json!({ "active": false })),
            Self::Refresh(family) => json!({
                "active": true,
                "iss": issuer,
                "sub": family.authorization.user,
                "client_id": family.authorization.client,
                "scope": family.authorization.scope,
                "sid": family.authorization.authentication.session,
                "exp": family.idle_until.min(family.expires_at),
            }),
        }
    }
}

#[derive(Serialize)]
struct ActiveAccess<'a> {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: &'a AccessClaims,
}
