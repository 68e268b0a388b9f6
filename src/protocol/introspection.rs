//! Token introspection ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::json;

use super::{
    ErrorCode::InvalidClient, OAuthError, access_token::AccessClaims,
    client_auth::AuthenticatedClient, resource::Catalogue,
};
use crate::{
    model::{ApiKeyRecord, RefreshFamily},
    values::{Issuer, Scope},
};

/// What a caller learns of a token.
#[derive(Debug)]
pub enum Answer {
    /// Nothing but that it is of no use (§2.2).
    Inactive,
    /// What an access token allows.
    Access(Arc<AccessClaims>),
    /// What an API key allows, and whose it is.
    Key(Issuer, Box<ApiKeyRecord>),
    /// What a refresh token continues.
    Refresh(Issuer, Box<RefreshFamily>),
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

/// What the caller may learn of an API key: as much of its scope as belongs to an API that introspects as this
/// client.
#[must_use]
pub fn scope_to_learn_of(
    held: &Scope,
    caller: &AuthenticatedClient,
    catalogue: &Catalogue,
) -> Option<Scope> {
    let own = catalogue.resources().iter().filter(|api| api.client.as_ref() == Some(caller.id()));
    let own = own.fold(Scope::empty(), |own, api| own.union(&api.scope));
    let scope = held.intersection(&own);
    (!scope.is_empty()).then_some(scope)
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inactive => json!({ "active": false }).serialize(serializer),
            Self::Access(claims) => {
                let claims = for_apis(claims);
                let token_type = claims.binding().token_type();
                Access { active: true, token_type, claims }.serialize(serializer)
            }
            Self::Key(issuer, key) => json!({
                "active": true,
                "iss": issuer,
                "sub": key.owner.to_string(),
                "scope": key.scope,
                "iat": key.created_at,
                "exp": key.expires_at,
                "api_key": key.id,
            })
            .serialize(serializer),
            Self::Refresh(issuer, family) => json!({
                "active": true,
                "iss": issuer,
                "sub": family.authorization.user,
                "client_id": family.authorization.client,
                "scope": family.authorization.scope,
                "sid": family.authorization.authentication.session,
                "exp": family.idle_until.min(family.expires_at),
            })
            .serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Access<'a> {
    active: bool,
    token_type: &'static str,
    #[serde(flatten)]
    claims: Cow<'a, AccessClaims>,
}

/// Without what is between the token and userinfo.
fn for_apis(claims: &AccessClaims) -> Cow<'_, AccessClaims> {
    if claims.userinfo_claims.is_empty() {
        return Cow::Borrowed(claims);
    }
    Cow::Owned(AccessClaims { userinfo_claims: Vec::new(), ..claims.clone() })
}
