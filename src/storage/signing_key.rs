//! Signing keys and their timetable. What a key may do is a function of its times and the clock, so
//! that nodes agree without talking.

use super::{
    Result, Store, change,
    changes::note,
    columns::{Column, column},
    from_row, read, transaction,
};
use crate::{
    model::{Change, SigningKeyRecord},
    values::{KeyId, Timestamp},
};

/// What became of the wish that an announced key becomes active earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// It does.
    Promoted,
    /// It is active by that time anyway.
    AlreadyDue,
    /// It has been revoked, or there is no such key.
    Gone,
}

/// Writes into the timetable that the key before `period` makes room at `at`. Revoked keys have no
/// place in it.
macro_rules! retire_previous {
    ($tx:ident, $algorithm:expr, $period:expr, $at:expr, $forgotten_at:expr) => {
        sqlx::query(
            "update signing_keys set
                 retired_at = $3, forgotten_at = coalesce($4, forgotten_at)
             where algorithm = $1 and period = (
                 select max(period) from signing_keys
                 where algorithm = $1 and period < $2 and revoked_at is null
             )",
        )
        .bind($algorithm)
        .bind($period)
        .bind($at.kept())
        .bind($forgotten_at.kept())
        .execute(&mut *$tx)
        .await?
    };
}

from_row!(SigningKeyRecord, |row| Ok(Self {
    kid: column(row, "kid")?,
    algorithm: column(row, "algorithm")?,
    period: column(row, "period")?,
    announced_at: column(row, "announced_at")?,
    active_at: column(row, "active_at")?,
    retired_at: column(row, "retired_at")?,
    forgotten_at: column(row, "forgotten_at")?,
    revoked_at: column(row, "revoked_at")?,
    sealed: column(row, "sealed")?,
    public: column(row, "public_key")?,
}));

impl Store {
    /// Every key that has not been deleted, by algorithm and period.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     kid, algorithm, period, announced_at, active_at, retired_at, forgotten_at,
                     revoked_at, sealed, public_key
                 from signing_keys order by algorithm, period",
            )
            .fetch_all(db)
            .await
        })?)
    }

    /// Adds the key of a period, and lets the one before it retire when this one becomes active. Of
    /// any number of nodes that make the key of one period, one adds it: false for the others.
    pub async fn add_signing_key(
        &self,
        key: &SigningKeyRecord,
        forget_previous_at: Option<Timestamp>,
    ) -> Result<bool> {
        change!(self, |tx| {
            let added = sqlx::query(
                "insert into signing_keys (
                     kid, algorithm, period, announced_at, active_at, retired_at, forgotten_at,
                     revoked_at, sealed, public_key
                 )
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 on conflict do nothing",
            )
            .bind(key.kid.kept())
            .bind(key.algorithm.kept())
            .bind(key.period)
            .bind(key.announced_at.kept())
            .bind(key.active_at.kept())
            .bind(key.retired_at.kept())
            .bind(key.forgotten_at.kept())
            .bind(key.revoked_at.kept())
            .bind(&key.sealed)
            .bind(&key.public)
            .execute(&mut *tx)
            .await?;
            let added = added.rows_affected() > 0;
            if added {
                let algorithm = key.algorithm.kept();
                retire_previous!(tx, algorithm, key.period, key.active_at, forget_previous_at);
                note!(tx, Change::Keys, key.announced_at);
            }
            added
        })
    }

    /// Lets an announced key become active earlier than planned, and the one before it retire then.
    pub async fn promote_signing_key(
        &self,
        kid: &KeyId,
        active_at: Timestamp,
        forget_previous_at: Timestamp,
    ) -> Result<Promotion> {
        change!(self, |tx| {
            let promoted: Option<(String, i64)> = sqlx::query_as(
                "update signing_keys set active_at = $2
                 where kid = $1 and active_at > $2 and revoked_at is null
                 returning algorithm, period",
            )
            .bind(kid.kept())
            .bind(active_at.kept())
            .fetch_optional(&mut *tx)
            .await?;
            if let Some((algorithm, period)) = &promoted {
                retire_previous!(tx, algorithm, period, active_at, Some(forget_previous_at));
                note!(tx, Change::Keys, active_at);
                Promotion::Promoted
            } else {
                let due: Option<i64> = sqlx::query_scalar(
                    "select active_at from signing_keys where kid = $1 and revoked_at is null",
                )
                .bind(kid.kept())
                .fetch_optional(&mut *tx)
                .await?;
                due.map_or(Promotion::Gone, |_| Promotion::AlreadyDue)
            }
        })
    }

    /// Stops trusting a key. The one before it, if it has not retired yet, stays until the one after it
    /// is active, and is then kept for `retention` seconds. False if the key had been revoked before,
    /// or there is none.
    pub async fn revoke_signing_key(
        &self,
        kid: &KeyId,
        at: Timestamp,
        retention: i64,
    ) -> Result<bool> {
        change!(self, |tx| {
            let revoked: Option<(String, i64)> = sqlx::query_as(
                "update signing_keys set revoked_at = $2 where kid = $1 and revoked_at is null
                 returning algorithm, period",
            )
            .bind(kid.kept())
            .bind(at.kept())
            .fetch_optional(&mut *tx)
            .await?;
            if let Some((algorithm, period)) = &revoked {
                let successor: Option<i64> = sqlx::query_scalar(
                    "select active_at from signing_keys
                     where algorithm = $1 and period > $2 and revoked_at is null
                     order by period limit 1",
                )
                .bind(algorithm)
                .bind(period)
                .fetch_optional(&mut *tx)
                .await?;
                sqlx::query(
                    "update signing_keys set retired_at = $4, forgotten_at = $5
                     where algorithm = $1 and retired_at > $3 and period = (
                         select max(period) from signing_keys
                         where algorithm = $1 and period < $2 and revoked_at is null
                     )",
                )
                .bind(algorithm)
                .bind(period)
                .bind(at.kept())
                .bind(successor)
                .bind(successor.map(|at| at + retention))
                .execute(&mut *tx)
                .await?;
                note!(tx, Change::Keys, at);
            }
            revoked.is_some()
        })
    }

    /// Deletes the keys that no token needs any more since before `before`, and those that were revoked
    /// before it. How many went.
    pub async fn forget_signing_keys(&self, before: Timestamp) -> Result<u64> {
        change!(self, |tx| {
            let forgotten =
                sqlx::query("delete from signing_keys where forgotten_at < $1 or revoked_at < $1")
                    .bind(before.kept())
                    .execute(&mut *tx)
                    .await?;
            let forgotten = forgotten.rows_affected();
            if forgotten > 0 {
                note!(tx, Change::Keys, before);
            }
            forgotten
        })
    }

    /// Keeps a private key under a new seal, if it still is under the old one. Nobody is told: the key
    /// is the same.
    pub async fn replace_sealed(&self, kid: &KeyId, old: &[u8], new: &[u8]) -> Result<bool> {
        transaction!(self, |tx| {
            let replaced =
                sqlx::query("update signing_keys set sealed = $3 where kid = $1 and sealed = $2")
                    .bind(kid.kept())
                    .bind(old)
                    .bind(new)
                    .execute(&mut *tx)
                    .await?;
            replaced.rows_affected() > 0
        })
    }
}
