//! What somebody may do where a token is meant for: people as the database says at this moment, clients as
//! this node has followed.

use std::collections::BTreeSet;

use super::{App, Result};
use crate::{
    model::{KeyOwner, User},
    protocol::{Entitlement, Subject, Terms, role::Authority},
    values::ClientId,
};

/// What the tokens of this entitlement say of roles. `user` is the person that it speaks of, if it speaks of
/// one. For a client nothing is read.
pub(super) async fn authority(
    app: &App,
    entitlement: &Entitlement,
    user: Option<&User>,
) -> Result<Authority> {
    let terms = entitlement.terms();
    match (user, client(terms)) {
        (Some(user), _) => of_person(app, terms, user).await,
        (None, Some(client)) => {
            let granted = app.directory.roles_of_client(&client).await?;
            Ok(app.directory.apis().roles.authority(&granted, &BTreeSet::new(), terms))
        }
        (None, None) => Ok(Authority::default()),
    }
}

async fn of_person(app: &App, terms: &Terms, user: &User) -> Result<Authority> {
    let known = app.directory.apis();
    let is_for_api = terms.audience.iter().any(|name| known.catalogue.find(name).is_some());
    if !is_for_api {
        // Where there is no API there are no roles of one, and nothing to look up.
        return Ok(known.roles.authority(&BTreeSet::new(), &user.roles, terms));
    }
    let granted = app.store.granted_to_user(user.id).await?;
    let apis = app.directory.apis_since(granted.revision).await?;
    Ok(apis.roles.authority(&granted.roles, &user.roles, terms))
}

/// The client that a token speaks of.
fn client(terms: &Terms) -> Option<ClientId> {
    match &terms.subject {
        Subject::Client => Some(terms.client.clone()),
        Subject::Owner(KeyOwner::Client(id)) => Some(id.clone()),
        Subject::Of(token) => token.client(),
        Subject::Person(..) | Subject::Owner(KeyOwner::Person(_)) => None,
    }
}
