//! Groups of people.

use super::{
    Creation, Result, Store,
    columns::{Column, column},
    from_row, read, statement,
};
use crate::{
    model::UserGroup,
    values::{GroupId, GroupName, UserId, Username},
};

from_row!(UserGroup, |row| Ok(Self {
    id: column(row, "id")?,
    name: column(row, "name")?,
    description: column(row, "description")?,
    created_at: column(row, "created_at")?,
}));

/// Somebody in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub username: Username,
}

from_row!(GroupMember, |row| Ok(Self {
    user: column(row, "user_id")?,
    username: column(row, "username")?,
}));

impl Store {
    /// Makes a group.
    pub async fn create_group(&self, group: &UserGroup) -> Result<Creation> {
        let created = statement!(
            self,
            sqlx::query(
                "insert into user_groups (id, name, description, created_at)
                 values ($1, $2, $3, $4)
                 on conflict do nothing",
            )
            .bind(group.id.kept())
            .bind(group.name.kept())
            .bind(&group.description)
            .bind(group.created_at.kept())
        )?;
        Ok(if created > 0 { Creation::Created } else { Creation::Taken })
    }

    /// The group of this name.
    pub async fn group(&self, name: &GroupName) -> Result<Option<UserGroup>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select id, name, description, created_at from user_groups where name = $1",
            )
            .bind(name.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// The group with this identifier.
    pub async fn group_by_id(&self, id: GroupId) -> Result<Option<UserGroup>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select id, name, description, created_at from user_groups where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Groups by name, from the one after `after` on.
    pub async fn groups(&self, after: Option<&GroupName>, limit: u32) -> Result<Vec<UserGroup>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select id, name, description, created_at from user_groups
                 where name > $1 order by name limit $2",
            )
            // Every name is greater than the empty text.
            .bind(after.map(Column::kept).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }

    /// Deletes a group; its members stay, without what it gave them. False if there was none.
    pub async fn delete_group(&self, id: GroupId) -> Result<bool> {
        let deleted =
            statement!(self, sqlx::query("delete from user_groups where id = $1").bind(id.kept()))?;
        Ok(deleted > 0)
    }

    /// Takes somebody into a group. False if they are in it, or if it or they are gone.
    pub async fn add_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        let added = statement!(
            self,
            sqlx::query(
                "insert into group_members (group_id, user_id)
                 select user_groups.id, users.id from user_groups join users on users.id = $2
                 where user_groups.id = $1
                 on conflict do nothing",
            )
            .bind(group.kept())
            .bind(user.kept())
        )?;
        Ok(added > 0)
    }

    /// Lets somebody leave a group. False if they were not in it.
    pub async fn remove_member(&self, group: GroupId, user: UserId) -> Result<bool> {
        let removed = statement!(
            self,
            sqlx::query("delete from group_members where group_id = $1 and user_id = $2")
                .bind(group.kept())
                .bind(user.kept())
        )?;
        Ok(removed > 0)
    }

    /// Everybody in a group, by username.
    pub async fn members(&self, group: GroupId) -> Result<Vec<GroupMember>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select group_members.user_id, users.username
                 from group_members join users on users.id = group_members.user_id
                 where group_members.group_id = $1 order by users.username",
            )
            .bind(group.kept())
            .fetch_all(db)
            .await
        })?)
    }

    /// The groups that somebody is in, by name.
    pub async fn groups_of_user(&self, user: UserId) -> Result<Vec<UserGroup>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     user_groups.id, user_groups.name, user_groups.description,
                     user_groups.created_at
                 from group_members join user_groups on user_groups.id = group_members.group_id
                 where group_members.user_id = $1 order by user_groups.name",
            )
            .bind(user.kept())
            .fetch_all(db)
            .await
        })?)
    }
}
