//! Find out which client is calling.

use super::{App, Result};
use crate::protocol::{
    Params,
    client_auth::{AuthenticatedClient, Presented, Proof, unknown_client},
};

/// Authenticate the client of a request to `endpoint`, a path of ours.
pub async fn authenticate(
    app: &App,
    authorization: Option<&str>,
    params: &Params,
    endpoint: &str,
) -> Result<AuthenticatedClient> {
    let presented = Presented::parse(authorization, params)?;
    let client = app.directory.client(&presented.client).await?.ok_or_else(unknown_client)?;

    match presented.authenticate(client, app.issuer(), endpoint, app.clock.now())? {
        Proof::Complete(client) => Ok(client),
        Proof::Once(proof) => {
            let first = app.store.remember_assertion(&proof.id, proof.until).await?;
            Ok(proof.first_use(first)?)
        }
    }
}
