//! The client credentials grant
//! ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).

use super::{
    Entitlement,
    ErrorCode::{InvalidScope, UnauthorizedClient},
    OAuthError, Params, Subject, Terms,
    client_auth::AuthenticatedClient,
    resource::{Catalogue, IDENTITY_SCOPES},
    token::{asked_resources, asked_scope},
};
use crate::values::Scope;

/// A client asks for a token of its own.
#[derive(Debug)]
pub struct ClientCredentialsRequest {
    scope: Option<Scope>,
    resources: Vec<String>,
}

impl ClientCredentialsRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, OAuthError> {
        Ok(Self { scope: asked_scope(params)?, resources: asked_resources(params) })
    }
}

/// Decide what the client's own token may do. Scopes that speak of a person mean nothing here, so the
/// token does not carry them, and there is neither an ID token nor a refresh token (§4.4.3).
///
/// # Errors
/// `unauthorized_client` for a public client, `invalid_scope`, `invalid_target`.
pub fn decide(
    request: &ClientCredentialsRequest,
    client: &AuthenticatedClient,
    catalogue: &Catalogue,
) -> Result<Entitlement, OAuthError> {
    let registered = client.client();
    if registered.is_public() {
        return Err(UnauthorizedClient.because("a public client has no credentials of its own"));
    }
    let asked = request.scope.as_ref().unwrap_or(&registered.scope);
    let scope = registered
        .scope
        .narrow(asked)
        .ok_or_else(|| InvalidScope.because("the client is not registered for this scope"))?;
    let resources = catalogue.ask(request.resources.iter().map(String::as_str), registered)?;
    let aim = catalogue.aim(&scope.without_any(&IDENTITY_SCOPES), &resources);
    if aim.scope.is_empty() && request.scope.is_some() {
        return Err(InvalidScope.because(
            "the client's own token can carry none of this scope: it speaks of a person, or belongs \
             to another resource",
        ));
    }

    Ok(Terms {
        subject: Subject::Client,
        client: registered.id.clone(),
        scope: aim.scope,
        audience: aim.audience,
        algorithm: aim.algorithm,
        family: None,
        api_key: None,
        actor: None,
        expires_by: None,
        userinfo_claims: Vec::new(),
        id_token: None,
    }
    .decided(client))
}
