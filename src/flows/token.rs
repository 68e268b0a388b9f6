//! The token endpoint: find out which client is calling and what key it holds, then do what its grant
//! does.

use super::{
    App, Result, authorization_code, client_auth, client_credentials, device, dpop, exchange,
    issue::Issued, refresh,
};
use crate::protocol::{
    Params,
    dpop::{ProofHeader, admit},
    token::GrantRequest,
};

/// Answer a token request.
pub async fn token(
    app: &App,
    authorization: Option<&str>,
    proof: &ProofHeader,
    params: &Params,
) -> Result<Issued> {
    params.without_repeats()?;
    let client = client_auth::authenticate(app, authorization, params, "/token").await?;
    let client = admit(client, dpop::prove(app, proof, "POST", "/token", None)?)?;

    // What waits for the database is large, and would be moved about with every other request.
    match GrantRequest::parse(params, client.client())? {
        GrantRequest::AuthorizationCode(request) => {
            Box::pin(authorization_code::redeem(app, &client, request)).await
        }
        GrantRequest::RefreshToken(request) => {
            Box::pin(refresh::refresh(app, &client, request)).await
        }
        GrantRequest::ClientCredentials(request) => {
            client_credentials::issue(app, &client, &request).await
        }
        GrantRequest::DeviceCode(request) => Box::pin(device::poll(app, &client, request)).await,
        GrantRequest::TokenExchange(request) => {
            Box::pin(exchange::exchange(app, &client, &request)).await
        }
    }
}
