//! Give a client a token of its own. Nothing is written but that a proof was used.

use super::{
    App, Result, dpop,
    issue::{self, Held, Issued, Place},
    role,
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
    let authority = role::authority(app, &entitlement, None).await?;

    dpop::spend(app, client.possession()).await?;

    let place = client.client().first_status_place.map(Place::InBlock);
    let held = Held { place, authority, refresh_token: None };
    issue::mint(app, &entitlement, None, held, app.clock.now()).await
}
