//! The revocation set: what is dead before its time.

use super::{
    Result, Store,
    columns::{Column, column},
    from_row, read, transaction,
};
use crate::{model::Revocation, values::Timestamp};

/// Keeps a revocation, and tells every node, unless all that it says is known already: `None`.
/// Otherwise the id of the entry for its `what`, which is the revocation's own if there was none.
macro_rules! keep_revocation {
    ($tx:ident, $revocation:expr) => {{
        let revocation: &$crate::model::Revocation = $revocation;
        let entry: Option<String> = sqlx::query_scalar(
            "insert into revocations (id, what, at, until) values ($1, $2, $3, $4)
             on conflict (what) do update set
                 at = excluded.at,
                 until = case
                     when excluded.until > revocations.until then excluded.until
                     else revocations.until
                 end
             where revocations.at < excluded.at
             returning id",
        )
        .bind(revocation.id.kept())
        .bind(revocation.what.kept())
        .bind(revocation.at.kept())
        .bind(revocation.until.kept())
        .fetch_optional(&mut *$tx)
        .await?;
        if entry.is_some() {
            $crate::storage::changes::note!($tx, $crate::model::Change::Revocations, revocation.at);
        }
        entry
    }};
}

pub(super) use keep_revocation;

from_row!(Revocation, |row| Ok(Self {
    id: column(row, "id")?,
    what: column(row, "what")?,
    at: column(row, "at")?,
    until: column(row, "until")?,
}));

impl Store {
    /// Adds to the revocation set. False if the same was revoked at that time or later already.
    pub async fn revoke(&self, revocation: &Revocation) -> Result<bool> {
        transaction!(self, |tx| { keep_revocation!(tx, revocation).is_some() })
    }

    /// The revocation set, as far as it still matters.
    pub async fn revocations(&self, now: Timestamp) -> Result<Vec<Revocation>> {
        Ok(read!(self, |db| {
            sqlx::query_as("select id, what, at, until from revocations where until > $1")
                .bind(now.kept())
                .fetch_all(db)
                .await
        })?)
    }
}
