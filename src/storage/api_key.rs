//! API keys.

use super::{
    Result, Store, change,
    columns::{Column, column, corrupt},
    from_row, read,
    revocation::keep_revocation,
    transaction,
};
use crate::{
    model::{ApiKeyRecord, KeyOwner, Revocation, SecretHash},
    values::{ApiKeyId, ClientId, Invalid, StatusPlace, Timestamp, UserId},
};

/// For how many seconds a use is not written down again.
const USE_IS_RECENT: i64 = 60;

from_row!(ApiKeyRecord, |row| {
    let user: Option<UserId> = column(row, "user_id")?;
    let client: Option<ClientId> = column(row, "client_id")?;
    let owner = match (user, client) {
        (Some(user), None) => KeyOwner::Person(user),
        (None, Some(client)) => KeyOwner::Client(client),
        _ => return Err(corrupt("user_id", Invalid("owner"))),
    };
    Ok(Self {
        id: column(row, "id")?,
        name: column(row, "name")?,
        owner,
        secret: SecretHash::from_row(row)?,
        scope: column(row, "scope")?,
        addresses: column(row, "addresses")?,
        rate_limit: column(row, "rate_limit")?,
        created_at: column(row, "created_at")?,
        expires_at: column(row, "expires_at")?,
        revoked_at: column(row, "revoked_at")?,
        last_used_at: column(row, "last_used_at")?,
        status_place: column(row, "status_place")?,
    })
});

impl Store {
    /// Keeps a new key. False if its owner is gone.
    pub async fn create_api_key(&self, key: &ApiKeyRecord) -> Result<bool> {
        let (user, client) = match &key.owner {
            KeyOwner::Person(id) => (Some(*id), None),
            KeyOwner::Client(id) => (None, Some(id.clone())),
        };
        transaction!(self, |tx| {
            let kept = sqlx::query(
                "insert into api_keys (
                     id, name, user_id, client_id, secret, scope, addresses, rate_limit, created_at,
                     expires_at
                 )
                 select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
                 where exists (select 1 from users where id = $3)
                     or exists (select 1 from clients where id = $4)",
            )
            .bind(key.id.kept())
            .bind(&key.name)
            .bind(user.kept())
            .bind(client.kept())
            .bind(key.secret.current.kept())
            .bind(key.scope.kept())
            .bind(key.addresses.kept())
            .bind(key.rate_limit)
            .bind(key.created_at.kept())
            .bind(key.expires_at.kept())
            .execute(&mut *tx)
            .await?;
            kept.rows_affected() > 0
        })
    }

    /// The key with this identifier, alive or not.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKeyRecord>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, name, user_id, client_id, secret, previous_secret, previous_secret_until,
                     scope, addresses, rate_limit, created_at, expires_at, revoked_at, last_used_at,
                     status_place
                 from api_keys where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Keys, the newest last, from the one after `after` on.
    pub async fn api_keys(&self, after: Option<ApiKeyId>, limit: u32) -> Result<Vec<ApiKeyRecord>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, name, user_id, client_id, secret, previous_secret, previous_secret_until,
                     scope, addresses, rate_limit, created_at, expires_at, revoked_at, last_used_at,
                     status_place
                 from api_keys where id > $1 order by id limit $2",
            )
            // Every identifier is greater than the empty text.
            .bind(after.map(|id| id.kept()).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }

    /// Gives a key another secret, if nobody has done so since `before` was read, and it can be used.
    pub async fn rotate_api_key(
        &self,
        id: ApiKeyId,
        before: &SecretHash,
        after: &SecretHash,
        now: Timestamp,
    ) -> Result<bool> {
        let (previous, until) = after.previous.unzip();
        transaction!(self, |tx| {
            let rotated = sqlx::query(
                "update api_keys set
                     secret = $3, previous_secret = $4, previous_secret_until = $5
                 where id = $1 and secret = $2 and revoked_at is null and expires_at > $6",
            )
            .bind(id.kept())
            .bind(before.current.kept())
            .bind(after.current.kept())
            .bind(previous.kept())
            .bind(until.kept())
            .bind(now.kept())
            .execute(&mut *tx)
            .await?;
            rotated.rows_affected() > 0
        })
    }

    /// Ends a key and every token that it was exchanged for. False if it had ended before, or does not
    /// exist.
    pub async fn revoke_api_key(&self, id: ApiKeyId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let revoked = sqlx::query(
                "update api_keys set revoked_at = $2 where id = $1 and revoked_at is null",
            )
            .bind(id.kept())
            .bind(revocation.at.kept())
            .execute(&mut *tx)
            .await?;
            let revoked = revoked.rows_affected() > 0;
            if revoked {
                keep_revocation!(tx, revocation);
            }
            revoked
        })
    }

    /// Remembers that a key is used, once a minute at most, and where its tokens are found, if they had
    /// no place. False if it can no longer be used.
    pub async fn use_api_key(
        &self,
        key: &ApiKeyRecord,
        place: StatusPlace,
        now: Timestamp,
    ) -> Result<bool> {
        let recent = key.last_used_at.is_some_and(|at| now.since(at) < USE_IS_RECENT);
        if recent && key.status_place == Some(place) {
            return Ok(true);
        }
        transaction!(self, |tx| {
            let used = sqlx::query(
                "update api_keys set last_used_at = $2, status_place = $3
                 where id = $1 and revoked_at is null
                     and coalesce(status_place, -1) = coalesce($4, -1)",
            )
            .bind(key.id.kept())
            .bind(now.kept())
            .bind(place.kept())
            .bind(key.status_place.kept())
            .execute(&mut *tx)
            .await?;
            used.rows_affected() > 0
        })
    }
}
