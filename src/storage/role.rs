//! Roles, what they allow and what they include. Nodes hold all of them in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Result, Store, change,
    changes::note,
    columns::{Column, column},
    from_row, read,
};
use crate::{
    model::{Change, RoleRecord},
    values::{RoleId, Timestamp},
};

/// What became of a change of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// It was made.
    Made,
    /// The API has a role of this name.
    Taken,
    /// The role would include itself, in however many steps.
    Circular,
    /// There is no such role or API, or none that is to be included.
    Gone,
}

from_row!(RoleRecord, |row| Ok(Self {
    id: column(row, "id")?,
    resource: column(row, "resource_id")?,
    name: column(row, "name")?,
    description: column(row, "description")?,
    permissions: column(row, "permissions")?,
    includes: BTreeSet::new(),
    created_at: column(row, "created_at")?,
    updated_at: column(row, "updated_at")?,
}));

struct Inclusion {
    role: RoleId,
    included: RoleId,
}

from_row!(Inclusion, |row| Ok(Self {
    role: column(row, "role_id")?,
    included: column(row, "included_id")?,
}));

/// Counts a change of roles. This comes first in its transaction: who changes roles at the same moment waits
/// here, so that no two of them can close a circle together.
macro_rules! revise_roles {
    ($tx:ident) => {
        sqlx::query("update role_revisions set revision = revision + 1 where id = 1")
            .execute(&mut *$tx)
            .await?;
    };
}

/// Whether a role would include itself, if it included these; or one of them is gone.
macro_rules! check_inclusions {
    ($tx:ident, $role:expr) => {{
        let mut outcome = RoleChange::Made;
        for included in &$role.includes {
            let known: Option<String> = sqlx::query_scalar("select id from roles where id = $1")
                .bind(included.kept())
                .fetch_optional(&mut *$tx)
                .await?;
            let back: Option<String> = sqlx::query_scalar(
                "with recursive reached (id) as (
                     select id from roles where id = $1
                     union
                     select role_inclusions.included_id
                     from reached join role_inclusions on role_inclusions.role_id = reached.id
                 )
                 select id from reached where id = $2",
            )
            .bind(included.kept())
            .bind($role.id.kept())
            .fetch_optional(&mut *$tx)
            .await?;
            if *included == $role.id || back.is_some() {
                outcome = RoleChange::Circular;
            } else if known.is_none() {
                outcome = RoleChange::Gone;
            }
        }
        outcome
    }};
}

macro_rules! keep_inclusions {
    ($tx:ident, $role:expr) => {
        for included in &$role.includes {
            sqlx::query("insert into role_inclusions (role_id, included_id) values ($1, $2)")
                .bind($role.id.kept())
                .bind(included.kept())
                .execute(&mut *$tx)
                .await?;
        }
    };
}

pub(super) use revise_roles;

impl Store {
    /// Makes a role.
    pub async fn create_role(&self, role: &RoleRecord) -> Result<RoleChange> {
        change!(self, |tx| {
            revise_roles!(tx);
            let mut outcome = check_inclusions!(tx, role);
            if outcome == RoleChange::Made {
                let made = sqlx::query(
                    "insert into roles (
                         id, resource_id, name, description, permissions, created_at, updated_at
                     )
                     select $1, $2, $3, $4, $5, $6, $7
                     where exists (select 1 from resources where id = $2)
                     on conflict do nothing",
                )
                .bind(role.id.kept())
                .bind(role.resource.kept())
                .bind(role.name.kept())
                .bind(&role.description)
                .bind(role.permissions.kept())
                .bind(role.created_at.kept())
                .bind(role.updated_at.kept())
                .execute(&mut *tx)
                .await?;
                if made.rows_affected() > 0 {
                    keep_inclusions!(tx, role);
                    note!(tx, Change::Resources, role.updated_at);
                } else {
                    let api: Option<String> =
                        sqlx::query_scalar("select id from resources where id = $1")
                            .bind(role.resource.kept())
                            .fetch_optional(&mut *tx)
                            .await?;
                    outcome = api.map_or(RoleChange::Gone, |_| RoleChange::Taken);
                }
            }
            outcome
        })
    }

    /// Changes the description of a role, what it allows and what it includes.
    pub async fn update_role(&self, role: &RoleRecord) -> Result<RoleChange> {
        change!(self, |tx| {
            revise_roles!(tx);
            let mut outcome = check_inclusions!(tx, role);
            if outcome == RoleChange::Made {
                let updated = sqlx::query(
                    "update roles set description = $2, permissions = $3, updated_at = $4
                     where id = $1",
                )
                .bind(role.id.kept())
                .bind(&role.description)
                .bind(role.permissions.kept())
                .bind(role.updated_at.kept())
                .execute(&mut *tx)
                .await?;
                if updated.rows_affected() > 0 {
                    sqlx::query("delete from role_inclusions where role_id = $1")
                        .bind(role.id.kept())
                        .execute(&mut *tx)
                        .await?;
                    keep_inclusions!(tx, role);
                    note!(tx, Change::Resources, role.updated_at);
                } else {
                    outcome = RoleChange::Gone;
                }
            }
            outcome
        })
    }

    /// Deletes a role: nobody has it any more, and none includes it. False if there was none.
    pub async fn delete_role(&self, id: RoleId, at: Timestamp) -> Result<bool> {
        change!(self, |tx| {
            revise_roles!(tx);
            // Who was given it, and what included it, goes with the row.
            let deleted = sqlx::query("delete from roles where id = $1")
                .bind(id.kept())
                .execute(&mut *tx)
                .await?;
            let deleted = deleted.rows_affected() > 0;
            if deleted {
                note!(tx, Change::Resources, at);
            }
            deleted
        })
    }

    /// Every role, by API and name, and how often roles had been changed before they were read.
    pub async fn roles(&self) -> Result<(i64, Vec<RoleRecord>)> {
        let revision: i64 = read!(self, |db| {
            sqlx::query_scalar("select revision from role_revisions where id = 1")
                .fetch_one(db)
                .await
        })?;
        let mut roles: Vec<RoleRecord> = read!(self, |db| {
            sqlx::query_as(
                "select
                     id, resource_id, name, description, permissions, created_at, updated_at
                 from roles order by resource_id, name",
            )
            .fetch_all(db)
            .await
        })?;
        let inclusions: Vec<Inclusion> = read!(self, |db| {
            sqlx::query_as("select role_id, included_id from role_inclusions").fetch_all(db).await
        })?;

        let mut included: BTreeMap<RoleId, _> =
            roles.iter_mut().map(|role| (role.id, &mut role.includes)).collect();
        for inclusion in inclusions {
            if let Some(includes) = included.get_mut(&inclusion.role) {
                includes.insert(inclusion.included);
            }
        }
        Ok((revision, roles))
    }
}
