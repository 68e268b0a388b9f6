//! The token endpoint: authenticate the client, then do what its grant does.

use super::{
    App, Result, authorization_code, client_auth, client_credentials, issue::Issued, refresh,
};
use crate::protocol::{Params, token::GrantRequest};

/// Answer a token request.
pub async fn token(app: &App, authorization: Option<&str>, params: &Params) -> Result<Issued> {
    params.without_repeats()?;
    let client = client_auth::authenticate(app, authorization, params, "/token").await?;

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
    }
}
