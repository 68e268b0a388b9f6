//! Refresh token families: one row for a grant, however often it is refreshed.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use sqlx::SqlitePool;

use super::{
    Engine, Result, Store, change,
    columns::{Column, column},
    from_row,
    group::Group,
    read,
    revocation::{RevocationEntry, keep_revocation},
    role_grant::held,
    statement,
};
use crate::{
    model::{Authorization, Granted, RefreshFamily, Revocation, User},
    values::{FamilyId, StatusPlace, Thumbprint, Timestamp, UserId},
};

/// What became of the attempt to move a family on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It has moved on.
    Rotated,
    /// Somebody else was first, or the family is dead.
    Lost,
}

/// A family and the person whose it is.
#[derive(Clone, Debug)]
pub struct PersonalFamily {
    /// The family.
    pub family: RefreshFamily,
    /// The person.
    pub user: User,
}

/// How SQLite is asked by those who refresh at the same moment.
#[derive(Clone, Debug)]
pub(super) struct Refreshing {
    families: Group<FamilyId, Option<PersonalFamily>>,
    pub(super) granted: Group<UserId, Granted>,
    rotations: Group<Attempt, Rotation>,
}

/// The attempt to move a family on.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Which family.
    pub id: FamilyId,
    /// The generation that was presented, and found to be the newest.
    pub presented: i64,
    /// Where its access tokens were found in the status lists until now.
    pub place_before: Option<StatusPlace>,
    /// Where they are found from now on.
    pub place: Option<StatusPlace>,
    /// When it ends if it is not used again.
    pub idle_until: Timestamp,
    /// The present.
    pub now: Timestamp,
}

/// Keeps a family, in the transaction that redeems its code.
macro_rules! keep_family {
    ($tx:ident, $family:expr) => {
        let query = sqlx::query(
            "insert into refresh_families (
                 id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources, claims,
                 jkt, offline, generation, rotated_at, idle_until, expires_at, revoked_at,
                 status_place
             )
             values (
                 $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
             )",
        )
        .bind($family.id.kept());
        $crate::storage::authorization::bind_authorization!(query, $family.authorization)
            .bind($family.binding.kept())
            .bind($family.is_offline())
            .bind($family.generation)
            .bind($family.rotated_at.kept())
            .bind($family.idle_until.kept())
            .bind($family.expires_at.kept())
            .bind($family.revoked_at.kept())
            .bind($family.status_place.kept())
            .execute(&mut *$tx)
            .await?;
    };
}

pub(super) use keep_family;

from_row!(RefreshFamily, |row| Ok(Self {
    id: column(row, "id")?,
    authorization: Authorization::from_row(row)?,
    binding: column(row, "jkt")?,
    generation: column(row, "generation")?,
    rotated_at: column(row, "rotated_at")?,
    idle_until: column(row, "idle_until")?,
    expires_at: column(row, "expires_at")?,
    revoked_at: column(row, "revoked_at")?,
    status_place: column(row, "status_place")?,
}));

from_row!(PersonalFamily, |row| Ok(Self {
    family: RefreshFamily::from_row(row)?,
    user: User::from_row(row)?,
}));

impl Store {
    /// The family with this identifier, alive or not.
    pub async fn family(&self, id: FamilyId) -> Result<Option<RefreshFamily>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources,
                     claims, jkt, generation, rotated_at, idle_until, expires_at, revoked_at,
                     status_place
                 from refresh_families where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// The family with this identifier, alive or not, and its person.
    pub async fn personal_family(&self, id: FamilyId) -> Result<Option<PersonalFamily>> {
        match &self.engine {
            Engine::Sqlite { refreshing, .. } => refreshing.families.ask(id).await,
            Engine::Postgres { pool, .. } => Ok(sqlx::query_as(
                "select
                     f.id, f.client_id, f.user_id, f.session_id, f.auth_time, f.acr, f.amr, f.scope,
                     f.resources, f.claims, f.jkt, f.generation, f.rotated_at, f.idle_until,
                     f.expires_at, f.revoked_at, f.status_place,
                     u.username, u.email, u.email_verified, u.profile, u.roles,
                     u.password, u.disabled_at, u.revision, u.created_at, u.updated_at
                 from refresh_families as f join users as u on u.id = f.user_id
                 where f.id = $1",
            )
            .bind(id.kept())
            .fetch_optional(pool)
            .await?),
        }
    }

    /// Binds a family to a key from now on, if it is bound to none.
    pub async fn bind_family(&self, id: FamilyId, key: Thumbprint) -> Result<()> {
        statement!(
            self,
            sqlx::query("update refresh_families set jkt = $2 where id = $1 and jkt is null")
                .bind(id.kept())
                .bind(key.kept())
        )?;
        Ok(())
    }

    /// Moves a family to its next generation, if it is alive and the presented one is its newest, and if
    /// nobody has revoked its access tokens since it was read. Of any number of callers racing with one
    /// generation, one moves it.
    pub async fn rotate_family(&self, attempt: Attempt) -> Result<Rotation> {
        if let Engine::Sqlite { refreshing, barrier, .. } = &self.engine {
            let rotation = refreshing.rotations.ask(attempt).await?;
            barrier.pass().await?;
            return Ok(rotation);
        }
        let Attempt { id, presented, place_before, place, idle_until, now } = attempt;
        let rotated = statement!(
            self,
            sqlx::query(
                "update refresh_families set
                     generation = generation + 1, rotated_at = $3, idle_until = $4,
                     status_place = $6
                 where id = $1 and generation = $2 and revoked_at is null
                     and idle_until > $3 and expires_at > $3
                     and coalesce(status_place, -1) = coalesce($5, -1)",
            )
            .bind(id.kept())
            .bind(presented)
            .bind(now.kept())
            .bind(idle_until.kept())
            .bind(place_before.kept())
            .bind(place.kept())
        )?;
        Ok(if rotated > 0 { Rotation::Rotated } else { Rotation::Lost })
    }

    /// Revokes a family and everything from its grant; there is a grant even where there was never a
    /// refresh token.
    pub async fn revoke_family(
        &self,
        id: FamilyId,
        revocation: &Revocation,
    ) -> Result<RevocationEntry> {
        change!(self, |tx| {
            sqlx::query(
                "update refresh_families set revoked_at = $2
                 where id = $1 and revoked_at is null",
            )
            .bind(id.kept())
            .bind(revocation.at.kept())
            .execute(&mut *tx)
            .await?;
            keep_revocation!(tx, revocation)
        })
    }
}

impl Refreshing {
    pub(super) fn new(readers: SqlitePool, writer: SqlitePool) -> Self {
        Self {
            granted: Group::asking({
                let readers = readers.clone();
                move |users| held(readers.clone(), users)
            }),
            families: Group::asking(move |ids| families(readers.clone(), ids)),
            rotations: Group::asking(move |attempts| rotate(writer.clone(), attempts)),
        }
    }
}

async fn families(readers: SqlitePool, ids: Vec<FamilyId>) -> Result<Vec<Option<PersonalFamily>>> {
    let asked: Vec<_> = ids.iter().map(Column::kept).collect();
    let found: Vec<PersonalFamily> = sqlx::query_as(include_str!("refresh.families.sqlite.sql"))
        .bind(json!(asked).to_string())
        .fetch_all(&readers)
        .await?;
    let found: HashMap<FamilyId, PersonalFamily> =
        found.into_iter().map(|found| (found.family.id, found)).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

/// One statement, which is committed when all of its rows have been fetched.
async fn rotate(writer: SqlitePool, attempts: Vec<Attempt>) -> Result<Vec<Rotation>> {
    let asked = attempts.iter().map(|attempt| {
        let Attempt { id, presented, place_before, place, idle_until, now } = attempt;
        let (before, after) = (place_before.kept(), place.kept());
        json!([id.kept(), presented, now.kept(), idle_until.kept(), before, after])
    });
    let rotated: Vec<(String, i64)> = sqlx::query_as(include_str!("refresh.rotate.sqlite.sql"))
        .bind(asked.collect::<serde_json::Value>().to_string())
        .fetch_all(&writer)
        .await?;
    let mut rotated: HashSet<(String, i64)> = rotated.into_iter().collect();
    // Of those who present the same, the first is the one.
    let outcome = |attempt: &Attempt| {
        let first = rotated.remove(&(attempt.id.kept(), attempt.presented));
        if first { Rotation::Rotated } else { Rotation::Lost }
    };
    Ok(attempts.iter().map(outcome).collect())
}
