//! What people have allowed clients.

use std::collections::BTreeSet;

use crate::values::{ClientId, Resource, Scope, Timestamp, UserId};

/// What one person has allowed one client, all questions together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who allowed it.
    pub user: UserId,
    /// To whom.
    pub client: ClientId,
    /// The scopes that were allowed.
    pub scope: Scope,
    /// The APIs at which they were allowed.
    pub apis: BTreeSet<Resource>,
    /// The claims that were asked for one by one and allowed.
    pub claims: BTreeSet<String>,
    /// When it was last answered.
    pub granted_at: Timestamp,
}
