//! Give a client a token of its own. Nothing is written.

use super::{
    App, Result,
    issue::{self, Issued},
};
use crate::protocol::{
    client_auth::AuthenticatedClient,
    client_credentials::{self, ClientCredentialsRequest},
};

/// Answer a client credentials request.
pub async fn issue(
    app: &App,
    client: &AuthenticatedClient,
    request: &ClientCredentialsRequest,
) -> Result<Issued> {
    let apis = app.directory.apis();

    let entitlement = client_credentials::decide(request, client, &apis.catalogue)?;

    issue::mint(app, &entitlement, None, None, app.clock.now()).await
}
