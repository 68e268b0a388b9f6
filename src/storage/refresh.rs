//! Refresh token families: one row for a grant, however often it is refreshed.

use super::{
    Result, Store, change,
    columns::{Column, column},
    from_row, read,
    revocation::{RevocationEntry, keep_revocation},
    transaction,
};
use crate::{
    model::{Authorization, RefreshFamily, Revocation},
    values::{FamilyId, Timestamp},
};

/// What became of the attempt to move a family on.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// It has moved on, and is this now.
    Rotated(Box<RefreshFamily>),
    /// Somebody else was first, or the family is dead.
    Lost,
}

/// Keeps a family, in the transaction that redeems its code.
macro_rules! keep_family {
    ($tx:ident, $family:expr) => {
        let query = sqlx::query(
            "insert into refresh_families (
                 id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources, claims,
                 offline, generation, rotated_at, idle_until, expires_at, revoked_at
             )
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind($family.id.kept());
        $crate::storage::authorization::bind_authorization!(query, $family.authorization)
            .bind($family.is_offline())
            .bind($family.generation)
            .bind($family.rotated_at.kept())
            .bind($family.idle_until.kept())
            .bind($family.expires_at.kept())
            .bind($family.revoked_at.kept())
            .execute(&mut *$tx)
            .await?;
    };
}

pub(super) use keep_family;

from_row!(RefreshFamily, |row| Ok(Self {
    id: column(row, "id")?,
    authorization: Authorization::from_row(row)?,
    generation: column(row, "generation")?,
    rotated_at: column(row, "rotated_at")?,
    idle_until: column(row, "idle_until")?,
    expires_at: column(row, "expires_at")?,
    revoked_at: column(row, "revoked_at")?,
}));

impl Store {
    /// The family with this identifier, alive or not.
    pub async fn family(&self, id: FamilyId) -> Result<Option<RefreshFamily>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources,
                     claims, generation, rotated_at, idle_until, expires_at, revoked_at
                 from refresh_families where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Moves a family to its next generation, if it is alive and the presented one is its newest. Of
    /// any number of callers racing with one generation, one moves it.
    pub async fn rotate_family(
        &self,
        id: FamilyId,
        presented: i64,
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<Rotation> {
        transaction!(self, |tx| {
            let rotated: Option<RefreshFamily> = sqlx::query_as(
                "update refresh_families set
                     generation = generation + 1, rotated_at = $3, idle_until = $4
                 where id = $1 and generation = $2 and revoked_at is null
                     and idle_until > $3 and expires_at > $3
                 returning
                     id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources,
                     claims, generation, rotated_at, idle_until, expires_at, revoked_at",
            )
            .bind(id.kept())
            .bind(presented)
            .bind(now.kept())
            .bind(idle_until.kept())
            .fetch_optional(&mut *tx)
            .await?;
            rotated.map_or(Rotation::Lost, |family| Rotation::Rotated(Box::new(family)))
        })
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
