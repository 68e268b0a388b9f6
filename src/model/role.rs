//! Roles: what somebody may do at an API, under one name.

use std::collections::BTreeSet;

use crate::values::{
    ClientId, GroupId, GroupName, Permission, Resource, Role, RoleAddress, RoleId, Timestamp,
    UserId,
};

/// A role of an API.
#[derive(Clone, Debug)]
pub struct RoleRecord {
    /// Which role.
    pub id: RoleId,
    /// The API that it is of, in its registered form.
    pub resource: Resource,
    /// What tokens call it; unique at its API.
    pub name: Role,
    /// What people read about it.
    pub description: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// The roles whose holder one is, too, whichever API they are of.
    pub includes: BTreeSet<RoleId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl RoleRecord {
    /// How operators name it.
    #[must_use]
    pub fn address(&self) -> RoleAddress {
        RoleAddress { resource: self.resource.clone(), name: self.name.clone() }
    }
}

/// Whom a role is given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A person.
    Person(UserId),
    /// A client, for its own tokens.
    Client(ClientId),
    /// Everybody in a group.
    Group(GroupId),
}

/// People who are given roles together.
#[derive(Clone, Debug)]
pub struct UserGroup {
    /// Which group.
    pub id: GroupId,
    /// What operators call it; unique.
    pub name: GroupName,
    /// What people read about it.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a person was given, directly and through groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The roles, without those that they include.
    pub roles: BTreeSet<RoleId>,
    /// How often roles had been changed at that moment.
    pub revision: i64,
}
