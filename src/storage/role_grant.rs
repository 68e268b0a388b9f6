//! Who was given which role.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::SqlitePool;

use super::{
    Engine, Result, Store, change,
    changes::note,
    columns::{Column, column, corrupt},
    from_row, read,
};
use crate::{
    model::{Change, Granted, Holder},
    values::{RoleId, Timestamp, UserId},
};

/// A role that somebody was given, or how often roles have been changed.
struct Line {
    revision: Option<i64>,
    user: Option<UserId>,
    role: Option<RoleId>,
}

from_row!(Line, |row| Ok(Self {
    revision: column(row, "revision")?,
    user: column(row, "user_id")?,
    role: column(row, "role_id")?,
}));

impl Store {
    /// Gives somebody a role. False if they have it, or if it or they are gone.
    pub async fn grant_role(&self, role: RoleId, to: &Holder, at: Timestamp) -> Result<bool> {
        let (holder, statement) = match to {
            Holder::Person(id) => (
                id.kept(),
                "insert into user_roles (user_id, role_id)
                 select users.id, roles.id from users join roles on roles.id = $2
                 where users.id = $1
                 on conflict do nothing",
            ),
            Holder::Client(id) => (
                id.kept(),
                "insert into client_roles (client_id, role_id)
                 select clients.id, roles.id from clients join roles on roles.id = $2
                 where clients.id = $1
                 on conflict do nothing",
            ),
            Holder::Group(id) => (
                id.kept(),
                "insert into group_roles (group_id, role_id)
                 select user_groups.id, roles.id from user_groups join roles on roles.id = $2
                 where user_groups.id = $1
                 on conflict do nothing",
            ),
        };
        self.change_grant(statement, &holder, role, to, at).await
    }

    /// Takes a role from somebody. False if they did not have it.
    pub async fn revoke_role(&self, role: RoleId, from: &Holder, at: Timestamp) -> Result<bool> {
        let (holder, statement) = match from {
            Holder::Person(id) => {
                (id.kept(), "delete from user_roles where user_id = $1 and role_id = $2")
            }
            Holder::Client(id) => {
                (id.kept(), "delete from client_roles where client_id = $1 and role_id = $2")
            }
            Holder::Group(id) => {
                (id.kept(), "delete from group_roles where group_id = $1 and role_id = $2")
            }
        };
        self.change_grant(statement, &holder, role, from, at).await
    }

    async fn change_grant(
        &self,
        statement: &'static str,
        holder: &str,
        role: RoleId,
        whose: &Holder,
        at: Timestamp,
    ) -> Result<bool> {
        change!(self, |tx| {
            let changed =
                sqlx::query(statement).bind(holder).bind(role.kept()).execute(&mut *tx).await?;
            let changed = changed.rows_affected() > 0;
            // What people were given is read whenever it is needed.
            if let Holder::Client(id) = whose
                && changed
            {
                note!(tx, Change::Client(id.clone()), at);
            }
            changed
        })
    }

    /// What a person was given, directly and through groups, with one look.
    pub async fn granted_to_user(&self, user: UserId) -> Result<Granted> {
        if let Engine::Sqlite { refreshing, .. } = &self.engine {
            return refreshing.granted.ask(user).await;
        }
        let lines: Vec<Line> = read!(self, |db| {
            sqlx::query_as(
                "select revision, null as user_id, null as role_id
                 from role_revisions where id = 1
                 union all
                 select null, user_id, role_id from user_roles where user_id = $1
                 union all
                 select null, group_members.user_id, group_roles.role_id
                 from group_members
                 join group_roles on group_roles.group_id = group_members.group_id
                 where group_members.user_id = $1",
            )
            .bind(user.kept())
            .fetch_all(db)
            .await
        })?;
        Ok(granted(&lines, user))
    }

    /// The roles that somebody was given directly.
    pub async fn granted_roles(&self, to: &Holder) -> Result<BTreeSet<RoleId>> {
        let (holder, statement) = match to {
            Holder::Person(id) => (id.kept(), "select role_id from user_roles where user_id = $1"),
            Holder::Client(id) => {
                (id.kept(), "select role_id from client_roles where client_id = $1")
            }
            Holder::Group(id) => (id.kept(), "select role_id from group_roles where group_id = $1"),
        };
        let roles: Vec<String> =
            read!(self, |db| { sqlx::query_scalar(statement).bind(&holder).fetch_all(db).await })?;
        roles.into_iter().map(value).collect()
    }

    /// Whom a role was given to directly.
    pub async fn holders_of_role(&self, role: RoleId) -> Result<Vec<Holder>> {
        let people = "select user_id from user_roles where role_id = $1 order by user_id";
        let clients = "select client_id from client_roles where role_id = $1 order by client_id";
        let groups = "select group_id from group_roles where role_id = $1 order by group_id";
        let people = self.holders(people, role, Holder::Person).await?;
        let clients = self.holders(clients, role, Holder::Client).await?;
        let groups = self.holders(groups, role, Holder::Group).await?;
        Ok([people, clients, groups].concat())
    }

    async fn holders<T: Column<Kept = String>>(
        &self,
        statement: &'static str,
        role: RoleId,
        holder: impl Fn(T) -> Holder,
    ) -> Result<Vec<Holder>> {
        let found: Vec<String> = read!(self, |db| {
            sqlx::query_scalar(statement).bind(role.kept()).fetch_all(db).await
        })?;
        found.into_iter().map(|text| Ok(holder(value(text)?))).collect()
    }
}

/// What several people were given, in their order.
pub(super) async fn held(readers: SqlitePool, users: Vec<UserId>) -> Result<Vec<Granted>> {
    let asked: BTreeSet<_> = users.iter().map(Column::kept).collect();
    let lines: Vec<Line> = sqlx::query_as(include_str!("role_grant.held.sqlite.sql"))
        .bind(json!(asked).to_string())
        .fetch_all(&readers)
        .await?;
    Ok(users.iter().map(|user| granted(&lines, *user)).collect())
}

fn granted(lines: &[Line], user: UserId) -> Granted {
    let own = lines.iter().filter(|line| line.user == Some(user));
    Granted {
        roles: own.filter_map(|line| line.role).collect(),
        revision: lines.iter().find_map(|line| line.revision).unwrap_or_default(),
    }
}

fn value<T: Column<Kept = String>>(text: String) -> Result<T> {
    Ok(T::read(text).map_err(|why| corrupt("role", why))?)
}
