//! API keys: what scripts and machines hold that cannot ask for tokens themselves.

use std::fmt;

use ipnet::IpNet;

use super::SecretHash;
use crate::values::{ApiKeyId, ClientId, Scope, StatusPlace, Timestamp, UserId};

/// What is kept of a key.
#[derive(Clone, Debug)]
pub struct ApiKeyRecord {
    /// Which key.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: String,
    /// Whose it is.
    pub owner: KeyOwner,
    /// What is kept of its secret, and for a while of the one before it.
    pub secret: SecretHash,
    /// The most that it allows.
    pub scope: Scope,
    /// Where it may be used from; anywhere, if none are given.
    pub addresses: Vec<IpNet>,
    /// How often a minute it may be exchanged or looked up, on each node.
    pub rate_limit: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends. Never moves.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Where the tokens that it was exchanged for are found in the status lists. None when those that were
    /// issued so far have been revoked: the next one needs another place.
    pub status_place: Option<StatusPlace>,
}

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// A person.
    Person(UserId),
    /// A client.
    Client(ClientId),
}

impl ApiKeyRecord {
    /// Whether it can still be used.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

impl fmt::Display for KeyOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Client(id) => id.fmt(f),
        }
    }
}
