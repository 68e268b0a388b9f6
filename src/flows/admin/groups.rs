//! Groups of people, as operators make and fill them.

use super::{Admin, AdminError, check_description, refused};
use crate::{
    model::{User, UserGroup},
    storage::Creation,
    values::GroupName,
};

impl Admin {
    /// Make a group.
    pub async fn create_group(
        &self,
        name: GroupName,
        description: String,
    ) -> Result<UserGroup, AdminError> {
        check_description(&description)?;
        let now = self.clock.now();
        let group = UserGroup { id: self.random.id(now), name, description, created_at: now };
        match self.store.create_group(&group).await? {
            Creation::Created => Ok(group),
            Creation::Taken => refused(format!(
                "there is a group called {0} already: `signet group show {0}` says who is in it",
                group.name
            )),
        }
    }

    /// The group of this name.
    pub async fn group(&self, name: &GroupName) -> Result<UserGroup, AdminError> {
        match self.store.group(name).await? {
            Some(group) => Ok(group),
            None => unknown(name),
        }
    }

    /// Remove a group; its members stay, without what it gave them.
    pub async fn delete_group(&self, name: &GroupName) -> Result<UserGroup, AdminError> {
        let group = self.group(name).await?;
        if self.store.delete_group(group.id).await? { Ok(group) } else { unknown(name) }
    }

    /// Take somebody into a group. Whoever is in it stays: that is no refusal.
    pub async fn add_member(&self, group: &UserGroup, user: &User) -> Result<(), AdminError> {
        let added = self.store.add_member(group.id, user.id).await?;
        let is_member = async || {
            let groups = self.store.groups_of_user(user.id).await?;
            Ok::<_, AdminError>(groups.iter().any(|other| other.id == group.id))
        };
        if added || is_member().await? {
            Ok(())
        } else {
            refused("the group or the user has been deleted meanwhile")
        }
    }

    /// Let somebody leave a group.
    pub async fn remove_member(&self, group: &UserGroup, user: &User) -> Result<(), AdminError> {
        if self.store.remove_member(group.id, user.id).await? {
            Ok(())
        } else {
            refused(format!(
                "{} is not in the group {1}: `signet group show {1}` says who is",
                user.username, group.name
            ))
        }
    }
}

fn unknown<T>(name: &GroupName) -> Result<T, AdminError> {
    refused(format!("there is no group called {name}: `signet group list` shows those there are"))
}
