//! The revocation set: what is dead before its time.

use super::{
    Result, Store, change,
    changes::note,
    columns::{Column, column},
    from_row, read,
    status::revoke_place,
};
use crate::{
    model::{Change, Revocation, Revoked},
    values::{StatusPlace, Timestamp},
};

/// What a revocation says beside those that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationEntry {
    /// Nothing of the kind had been revoked: it is a new entry.
    New,
    /// The same had been revoked earlier: its entry reaches further now.
    MovedOn,
    /// The same had been revoked at that time or later: nothing was changed.
    Known,
}

/// Keeps a revocation, and tells every node unless all that it says is known already.
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
        let entry: Option<$crate::values::RevocationId> =
            $crate::storage::columns::Column::read(entry)
                .map_err(|why| $crate::storage::columns::corrupt("id", why))?;
        match entry {
            Some(id) => {
                $crate::storage::status::revoke_places!($tx, revocation, id);
                let change = $crate::model::Change::Revocation(id);
                $crate::storage::changes::note!($tx, change, revocation.at);
                if id == revocation.id {
                    $crate::storage::RevocationEntry::New
                } else {
                    $crate::storage::RevocationEntry::MovedOn
                }
            }
            None => $crate::storage::RevocationEntry::Known,
        }
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
    /// Adds to the revocation set. `place` is where a single token is found in the status lists.
    pub async fn revoke(
        &self,
        revocation: &Revocation,
        place: Option<StatusPlace>,
    ) -> Result<RevocationEntry> {
        change!(self, |tx| {
            let entry = keep_revocation!(tx, revocation);
            if let Some(place) = place
                && entry == RevocationEntry::New
            {
                revoke_place!(tx, place, revocation);
            }
            // It has another block of places now.
            if let Revoked::Client(id) = &revocation.what
                && entry != RevocationEntry::Known
            {
                note!(tx, Change::Client(id.clone()), revocation.at);
            }
            entry
        })
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

    /// The entries of the revocation set that notes after this one tell of.
    pub async fn revocations_after(&self, note: i64) -> Result<Vec<Revocation>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select revocations.id, revocations.what, revocations.at, revocations.until
                 from changes join revocations on revocations.id = substr(changes.what, 12)
                 where changes.id > $1 and changes.what like 'revocation %'",
            )
            .bind(note)
            .fetch_all(db)
            .await
        })?)
    }
}
