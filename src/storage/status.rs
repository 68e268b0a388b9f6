//! Places in the published status lists: given out once, and revoked.

use super::{
    Result, Store, change,
    columns::{Column, column},
    from_row, read, transaction,
};
use crate::{
    model::{Change, RevokedPlaces},
    values::{ClientId, StatusPlace, Timestamp},
};

/// The first of a block of places that nobody was given before.
macro_rules! take_block {
    ($tx:ident) => {{
        let first: i64 = sqlx::query_scalar(
            "update status_places set next = next + $1 where id = 1 returning next - $1",
        )
        .bind($crate::values::StatusPlace::BLOCK)
        .fetch_one(&mut *$tx)
        .await?;
        first
    }};
}

/// Gives a client a block of places for its own tokens, in the place of the one that it had.
macro_rules! place_client {
    ($tx:ident, $client:expr) => {
        let first = $crate::storage::status::take_block!($tx);
        sqlx::query("update clients set first_status_place = $2 where id = $1")
            .bind($client.kept())
            .bind(first)
            .execute(&mut *$tx)
            .await?;
    };
}

/// Revokes the places at which the tokens are found that a revocation reaches. What goes on afterwards
/// needs other places: grants lose theirs and take one when they are refreshed, and a client is given a
/// new block. `id` is the entry of the revocation set that nodes are told of.
macro_rules! revoke_places {
    ($tx:ident, $revocation:expr, $id:expr) => {{
        use $crate::model::Revoked;

        let revocation: &$crate::model::Revocation = $revocation;
        let of_grants = match &revocation.what {
            Revoked::Token(_) => None,
            Revoked::Family(id) | Revoked::Issued(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from refresh_families
                 where id = $1 and status_place is not null and rotated_at > $4
                 on conflict (first) do nothing",
                "update refresh_families set status_place = null
                 where id = $1 and status_place is not null and rotated_at > $2",
            )),
            Revoked::Key(_) => None,
            Revoked::Session(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from refresh_families
                 where session_id = $1 and status_place is not null and rotated_at > $4
                 on conflict (first) do nothing",
                "update refresh_families set status_place = null
                 where session_id = $1 and status_place is not null and rotated_at > $2",
            )),
            Revoked::User(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from refresh_families
                 where user_id = $1 and status_place is not null and rotated_at > $4
                 on conflict (first) do nothing",
                "update refresh_families set status_place = null
                 where user_id = $1 and status_place is not null and rotated_at > $2",
            )),
            Revoked::Client(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from refresh_families
                 where client_id = $1 and status_place is not null and rotated_at > $4
                 on conflict (first) do nothing",
                "update refresh_families set status_place = null
                 where client_id = $1 and status_place is not null and rotated_at > $2",
            )),
        };
        if let Some((whose, revoke, clear)) = of_grants {
            // Whoever has not been refreshed since has no token left.
            let since = revocation.at.minus($crate::model::TOKEN_RETENTION);
            sqlx::query(revoke)
                .bind(&whose)
                .bind($id.kept())
                .bind(revocation.until.kept())
                .bind(since.kept())
                .execute(&mut *$tx)
                .await?;
            sqlx::query(clear).bind(&whose).bind(since.kept()).execute(&mut *$tx).await?;
        }
        let of_keys = match &revocation.what {
            Revoked::Key(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from api_keys
                 where id = $1 and status_place is not null
                 on conflict (first) do nothing",
                "update api_keys set status_place = null where id = $1",
            )),
            Revoked::User(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from api_keys
                 where user_id = $1 and status_place is not null
                 on conflict (first) do nothing",
                "update api_keys set status_place = null where user_id = $1",
            )),
            Revoked::Client(id) => Some((
                id.kept(),
                "insert into revoked_places (first, count, revocation_id, until)
                 select status_place, 1, $2, $3 from api_keys
                 where client_id = $1 and status_place is not null
                 on conflict (first) do nothing",
                "update api_keys set status_place = null where client_id = $1",
            )),
            _ => None,
        };
        if let Some((whose, revoke, clear)) = of_keys {
            sqlx::query(revoke)
                .bind(&whose)
                .bind($id.kept())
                .bind(revocation.until.kept())
                .execute(&mut *$tx)
                .await?;
            sqlx::query(clear).bind(&whose).execute(&mut *$tx).await?;
        }
        if let Revoked::Client(client) = &revocation.what {
            // The first of the block may have been revoked alone before.
            sqlx::query(
                "insert into revoked_places (first, count, revocation_id, until)
                 select first_status_place, $4, $2, $3 from clients
                 where id = $1 and first_status_place is not null
                 on conflict (first) do update set
                     count = excluded.count,
                     revocation_id = excluded.revocation_id,
                     until = case
                         when excluded.until > revoked_places.until then excluded.until
                         else revoked_places.until
                     end",
            )
            .bind(client.kept())
            .bind($id.kept())
            .bind(revocation.until.kept())
            .bind($crate::values::StatusPlace::BLOCK)
            .execute(&mut *$tx)
            .await?;
            $crate::storage::status::place_client!($tx, client);
        }
    }};
}

/// Revokes one place.
macro_rules! revoke_place {
    ($tx:ident, $place:expr, $revocation:expr) => {
        sqlx::query(
            "insert into revoked_places (first, count, revocation_id, until)
             values ($1, 1, $2, $3)
             on conflict (first) do update set
                 revocation_id = excluded.revocation_id,
                 until = case
                     when excluded.until > revoked_places.until then excluded.until
                     else revoked_places.until
                 end",
        )
        .bind($place.kept())
        .bind($revocation.id.kept())
        .bind($revocation.until.kept())
        .execute(&mut *$tx)
        .await?;
    };
}

pub(super) use {place_client, revoke_place, revoke_places, take_block};

from_row!(RevokedPlaces, |row| Ok(Self {
    first: column(row, "first")?,
    count: column(row, "count")?,
    until: column(row, "until")?,
}));

impl Store {
    /// A block of places that nobody was given before; its first.
    pub async fn take_status_places(&self) -> Result<StatusPlace> {
        let first = transaction!(self, |tx| { take_block!(tx) })?;
        Ok(Column::read(first).map_err(|why| super::columns::corrupt("next", why))?)
    }

    /// How many places have been given out.
    pub async fn status_places(&self) -> Result<i64> {
        Ok(read!(self, |db| {
            sqlx::query_scalar("select next from status_places where id = 1").fetch_one(db).await
        })?)
    }

    /// Gives places to clients that have none, since an older version registered them.
    pub async fn place_clients(&self, now: Timestamp) -> Result<()> {
        let unplaced: Vec<String> = read!(self, |db| {
            sqlx::query_scalar("select id from clients where first_status_place is null")
                .fetch_all(db)
                .await
        })?;
        for client in &unplaced {
            let client: ClientId =
                client.parse().map_err(|why| super::columns::corrupt("id", why))?;
            change!(self, |tx| {
                let first = take_block!(tx);
                sqlx::query(
                    "update clients set first_status_place = $2
                     where id = $1 and first_status_place is null",
                )
                .bind(client.kept())
                .bind(first)
                .execute(&mut *tx)
                .await?;
                super::changes::note!(tx, Change::Client(client.clone()), now);
            })?;
        }
        Ok(())
    }

    /// The places that are revoked, as far as that still matters.
    pub async fn revoked_places(&self, now: Timestamp) -> Result<Vec<RevokedPlaces>> {
        Ok(read!(self, |db| {
            sqlx::query_as("select first, count, until from revoked_places where until > $1")
                .bind(now.kept())
                .fetch_all(db)
                .await
        })?)
    }

    /// The places of those entries of the revocation set that notes after this one tell of.
    pub async fn revoked_places_after(&self, note: i64) -> Result<Vec<RevokedPlaces>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select revoked_places.first, revoked_places.count, revoked_places.until
                 from changes
                 join revoked_places on revoked_places.revocation_id = substr(changes.what, 12)
                 where changes.id > $1 and changes.what like 'revocation %'",
            )
            .bind(note)
            .fetch_all(db)
            .await
        })?)
    }
}
