//! Roles, as operators make, give and take them.

use std::collections::BTreeSet;

use super::{Admin, AdminError, check_description, refused};
use crate::{
    model::{Holder, Revoked, RoleRecord},
    protocol::role::RoleBook,
    storage::RoleChange,
    values::{ClientId, Permission, RoleAddress, RoleId, UserId},
};

/// How many permissions a role has at most: they all travel in tokens.
const MOST_PERMISSIONS: usize = 200;

/// How many roles a role includes at most.
const MOST_INCLUDED: usize = 100;

/// A role to be.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// Of which API, and what it is called.
    pub address: RoleAddress,
    /// What people read about it.
    pub description: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// The roles whose holder one is, too.
    pub includes: Vec<RoleAddress>,
}

/// What is to be different about a role. What is left out stays.
#[derive(Clone, Debug, Default)]
pub struct RoleEdit {
    /// What people read about it.
    pub description: Option<String>,
    /// What it allows, all of it.
    pub permissions: Option<BTreeSet<Permission>>,
    /// The roles whose holder one is, too: all of them.
    pub includes: Option<Vec<RoleAddress>>,
}

/// Whose tokens may speak of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bearers {
    /// People, directly or through groups.
    pub people: BTreeSet<UserId>,
    /// Clients.
    pub clients: BTreeSet<ClientId>,
}

impl Admin {
    /// Make a role of an API.
    pub async fn create_role(&self, new: NewRole) -> Result<RoleRecord, AdminError> {
        let now = self.clock.now();
        let resource = self.resource(&new.address.resource).await?.id;
        let role = RoleRecord {
            id: self.random.id(now),
            resource,
            name: new.address.name,
            description: new.description,
            permissions: new.permissions,
            includes: self.included(&new.includes).await?,
            created_at: now,
            updated_at: now,
        };
        check(&role)?;

        match self.store.create_role(&role).await? {
            RoleChange::Made => Ok(role),
            RoleChange::Taken => refused(format!(
                "there is a role {0} already: change that one with `signet role update {0}`",
                role.address()
            )),
            outcome => not_made(outcome, &role.address()),
        }
    }

    /// The role at this address, in any spelling of its API.
    pub async fn role(&self, address: &RoleAddress) -> Result<RoleRecord, AdminError> {
        let (_, roles) = self.store.roles().await?;
        match roles.into_iter().find(|role| is_at(role, address)) {
            Some(role) => Ok(role),
            None => unknown(address),
        }
    }

    /// Change a role.
    pub async fn update_role(
        &self,
        address: &RoleAddress,
        edit: RoleEdit,
    ) -> Result<RoleRecord, AdminError> {
        let mut role = self.role(address).await?;
        role.description = edit.description.unwrap_or(role.description);
        role.permissions = edit.permissions.unwrap_or(role.permissions);
        if let Some(includes) = &edit.includes {
            role.includes = self.included(includes).await?;
        }
        role.updated_at = self.clock.now();
        check(&role)?;

        match self.store.update_role(&role).await? {
            RoleChange::Made => Ok(role),
            outcome => not_made(outcome, address),
        }
    }

    /// Remove a role from everybody who has it, and from the roles that include it.
    pub async fn delete_role(&self, address: &RoleAddress) -> Result<RoleRecord, AdminError> {
        let role = self.role(address).await?;
        if self.store.delete_role(role.id, self.clock.now()).await? {
            Ok(role)
        } else {
            unknown(address)
        }
    }

    /// Give somebody a role. Whoever has it keeps it: that is no refusal.
    pub async fn grant_role(
        &self,
        address: &RoleAddress,
        to: &Holder,
    ) -> Result<RoleRecord, AdminError> {
        let role = self.role(address).await?;
        let granted = self.store.grant_role(role.id, to, self.clock.now()).await?;
        if granted || self.store.granted_roles(to).await?.contains(&role.id) {
            Ok(role)
        } else {
            refused("the role, or whom it was to be given to, has been deleted meanwhile")
        }
    }

    /// Take a role from somebody.
    pub async fn revoke_role(
        &self,
        address: &RoleAddress,
        from: &Holder,
    ) -> Result<RoleRecord, AdminError> {
        let role = self.role(address).await?;
        if self.store.revoke_role(role.id, from, self.clock.now()).await? {
            Ok(role)
        } else {
            refused(format!(
                "the role {address} was not given to them directly: `signet role show {address}` says to \
                 whom it was"
            ))
        }
    }

    /// Whose tokens may speak of this role: of everybody who has it, or one that includes it.
    pub async fn bearers_of_role(&self, role: RoleId) -> Result<Bearers, AdminError> {
        let (revision, roles) = self.store.roles().await?;
        let mut bearers = Bearers::default();
        for giver in RoleBook::new(revision, roles).givers(role) {
            for holder in self.store.holders_of_role(giver).await? {
                bearers.add(self.bearers(&holder).await?);
            }
        }
        Ok(bearers)
    }

    /// Whose tokens may speak of what this holder was given.
    pub async fn bearers(&self, holder: &Holder) -> Result<Bearers, AdminError> {
        let mut bearers = Bearers::default();
        match holder {
            Holder::Person(id) => drop(bearers.people.insert(*id)),
            Holder::Client(id) => drop(bearers.clients.insert(id.clone())),
            Holder::Group(id) => {
                let members = self.store.members(*id).await?;
                bearers.people.extend(members.into_iter().map(|member| member.user));
            }
        }
        Ok(bearers)
    }

    /// End every access token that they were given until now. Their grants go on: with the next token they
    /// have what is theirs then.
    pub async fn end_tokens(&self, bearers: &Bearers) -> Result<(), AdminError> {
        let people = bearers.people.iter().copied().map(Revoked::User);
        let clients = bearers.clients.iter().cloned().map(Revoked::Client);
        for what in people.chain(clients) {
            let revocation = self.revocation(what, self.clock.now());
            self.store.revoke(&revocation, None).await?;
        }
        Ok(())
    }

    async fn included(&self, addresses: &[RoleAddress]) -> Result<BTreeSet<RoleId>, AdminError> {
        if addresses.is_empty() {
            return Ok(BTreeSet::new());
        }
        let (_, roles) = self.store.roles().await?;
        let mut included = BTreeSet::new();
        for address in addresses {
            match roles.iter().find(|role| is_at(role, address)) {
                Some(role) => drop(included.insert(role.id)),
                None => return unknown(address),
            }
        }
        Ok(included)
    }
}

impl Bearers {
    fn add(&mut self, others: Self) {
        self.people.extend(others.people);
        self.clients.extend(others.clients);
    }
}

fn is_at(role: &RoleRecord, address: &RoleAddress) -> bool {
    role.name == address.name && role.resource.canonical() == address.resource.canonical()
}

fn check(role: &RoleRecord) -> Result<(), AdminError> {
    check_description(&role.description)?;
    if role.permissions.len() > MOST_PERMISSIONS {
        return refused(format!(
            "a role has {MOST_PERMISSIONS} permissions at most, since tokens carry them: name what belongs \
             together by one word, or make several roles"
        ));
    }
    if role.includes.len() > MOST_INCLUDED {
        return refused(format!("a role includes {MOST_INCLUDED} others at most"));
    }
    Ok(())
}

fn not_made<T>(outcome: RoleChange, address: &RoleAddress) -> Result<T, AdminError> {
    if outcome == RoleChange::Circular {
        return refused(format!(
            "the role {address} would include itself, through one that it is to include: `signet role show` \
             says what each includes"
        ));
    }
    refused("the role, its resource, or one that it is to include has been deleted meanwhile")
}

fn unknown<T>(address: &RoleAddress) -> Result<T, AdminError> {
    refused(format!("there is no role {address}: `signet role list` shows those there are"))
}
