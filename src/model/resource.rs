//! Protected APIs ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).

use crate::values::{Algorithm, ClientId, Resource, Scope, Timestamp};

/// An API that tokens can be meant for.
#[derive(Clone, Debug)]
pub struct ResourceServer {
    /// Its name in `resource` and `aud`.
    pub id: Resource,
    /// What people see.
    pub name: String,
    /// The scopes that belong to it. Never empty: holding one is a client's permission to ask for it.
    pub scope: Scope,
    /// The client as which it introspects tokens.
    pub client: Option<ClientId>,
    /// The algorithm of the access tokens meant for it.
    pub algorithm: Algorithm,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
