//! The token endpoint's request
//! ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

use super::{
    ErrorCode::{InvalidScope, UnauthorizedClient, UnsupportedGrantType},
    OAuthError, Params,
    authorization_code::CodeRequest,
    client_credentials::ClientCredentialsRequest,
    device::DeviceCodeRequest,
    exchange::ExchangeRequest,
    refresh::RefreshRequest,
};
use crate::{
    model::{Client, GrantType},
    values::Scope,
};

/// What a client asks the token endpoint for, one variant per grant.
#[derive(Debug)]
pub enum GrantRequest {
    /// To redeem a code.
    AuthorizationCode(CodeRequest),
    /// To continue a family.
    RefreshToken(RefreshRequest),
    /// A token of its own.
    ClientCredentials(ClientCredentialsRequest),
    /// To learn what a person has answered on another device.
    DeviceCode(DeviceCodeRequest),
    /// A token for another, or for an API key.
    TokenExchange(ExchangeRequest),
}

impl GrantRequest {
    /// Read the request of `client`, which must be allowed to use the grant.
    ///
    /// # Errors
    /// `unsupported_grant_type`, `unauthorized_client`, or what the grant says of its parameters.
    pub fn parse(params: &Params, client: &Client) -> Result<Self, OAuthError> {
        let grant: GrantType = params.required("grant_type")?.parse().map_err(|_| {
            UnsupportedGrantType.because("this server does not know the grant_type")
        })?;
        if !client.may_use(grant) {
            return Err(
                UnauthorizedClient.because("the client is not registered for this grant_type")
            );
        }
        match grant {
            GrantType::AuthorizationCode => CodeRequest::parse(params).map(Self::AuthorizationCode),
            GrantType::RefreshToken => RefreshRequest::parse(params).map(Self::RefreshToken),
            GrantType::ClientCredentials => {
                ClientCredentialsRequest::parse(params).map(Self::ClientCredentials)
            }
            GrantType::DeviceCode => DeviceCodeRequest::parse(params).map(Self::DeviceCode),
            GrantType::TokenExchange => ExchangeRequest::parse(params).map(Self::TokenExchange),
        }
    }
}

/// The scope that a request asks for, if it asks for one.
pub(super) fn asked_scope(params: &Params) -> Result<Option<Scope>, OAuthError> {
    let parsed = params.one("scope")?.map(str::parse).transpose();
    parsed.map_err(|_| InvalidScope.because("scope is not a list of names with single spaces"))
}

/// Every resource that a request names.
pub(super) fn asked_resources(params: &Params) -> Vec<String> {
    params.many("resource").map(str::to_owned).collect()
}
