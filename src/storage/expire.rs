//! Forgetting what has served its time.

use super::{Result, Store, columns::Column, transaction};
use crate::values::Timestamp;

/// For each table, how many seconds a row is kept after its end, and how it goes.
///
/// A day for codes, sessions and families: a spent code and a dead family must still be recognised
/// when somebody comes with them again. Families have that day in their column `sweep_at`. Ten
/// minutes for changes: a node that has not looked for so long reads everything again.
const SWEEPS: [(i64, &str); 6] = [
    (
        86_400,
        "delete from codes where id in (
             select id from codes where expires_at < $1 order by expires_at limit $2
         )",
    ),
    (
        86_400,
        "delete from sessions where id in (
             select id from sessions where expires_at < $1 or ended_at < $1 limit $2
         )",
    ),
    (
        0,
        "delete from refresh_families where id in (
             select id from refresh_families where sweep_at < $1 order by sweep_at limit $2
         )",
    ),
    (
        0,
        "delete from assertions where hash in (
             select hash from assertions where expires_at < $1 order by expires_at limit $2
         )",
    ),
    (
        0,
        "delete from revocations where id in (
             select id from revocations where until < $1 order by until limit $2
         )",
    ),
    (
        600,
        "delete from changes where id in (
             select id from changes where at < $1 order by at limit $2
         )",
    ),
];

impl Store {
    /// Deletes what nobody can need any more, at most `batch` rows of each table, so that no other
    /// writer waits for long. How many rows went.
    pub async fn expire(&self, now: Timestamp, batch: i64) -> Result<u64> {
        let mut deleted = 0;
        for (kept_for, statement) in SWEEPS {
            deleted += transaction!(self, |tx| {
                let swept = sqlx::query(statement)
                    .bind(now.minus(kept_for).kept())
                    .bind(batch)
                    .execute(&mut *tx)
                    .await?;
                swept.rows_affected()
            })?;
        }
        Ok(deleted)
    }
}
