//! Forgetting what has served its time.

use tokio::task::yield_now;

use super::{Result, Store, columns::Column, transaction};
use crate::values::Timestamp;

/// For each table, how many seconds a row is kept after its end, and how it goes.
///
/// A day for codes, sessions and families: a spent code and a dead family must still be recognised
/// when somebody comes with them again. Families have that day in their column `sweep_at`. Ten
/// minutes for changes: every node reads everything again in half that time. As long for a device's
/// request, which is to learn that it came too late, and for wrong user codes, which count for so long.
/// Thirty days for API keys, whose owners may wonder what became of them.
const SWEEPS: [(i64, &str); 11] = [
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
        "delete from proofs where hash in (
             select hash from proofs where until < $1 order by until limit $2
         )",
    ),
    (
        0,
        "delete from revocations where id in (
             select id from revocations where until < $1 order by until limit $2
         )",
    ),
    (
        0,
        "delete from revoked_places where first in (
             select first from revoked_places where until < $1 order by until limit $2
         )",
    ),
    (
        30 * 86_400,
        "delete from api_keys where id in (
             select id from api_keys where expires_at < $1 order by expires_at limit $2
         )",
    ),
    (
        600,
        "delete from changes where id in (
             select id from changes where at < $1 order by at limit $2
         )",
    ),
    (
        600,
        "delete from device_requests where id in (
             select id from device_requests where expires_at < $1 order by expires_at limit $2
         )",
    ),
    (
        600,
        "delete from wrong_user_codes where user_id in (
             select user_id from wrong_user_codes where since < $1 order by since limit $2
         )",
    ),
];

impl Store {
    /// Deletes what nobody can need any more, `batch` rows at a time, and of each table at most
    /// `batches` times. Between two batches, writers that wait have their turn. How many rows went.
    pub async fn expire(&self, now: Timestamp, batch: u32, batches: u32) -> Result<u64> {
        let mut deleted = 0;
        for (kept_for, statement) in SWEEPS {
            for _ in 0..batches {
                let swept = self.sweep(statement, now.minus(kept_for), batch).await?;
                deleted += swept;
                if swept < u64::from(batch) {
                    break;
                }
                yield_now().await;
            }
        }
        Ok(deleted)
    }

    async fn sweep(&self, statement: &'static str, before: Timestamp, batch: u32) -> Result<u64> {
        transaction!(self, |tx| {
            let swept = sqlx::query(statement)
                .bind(before.kept())
                .bind(i64::from(batch))
                .execute(&mut *tx)
                .await?;
            swept.rows_affected()
        })
    }
}
