//! Clients.

use super::{
    Result, Store, change,
    changes::note,
    columns::{Column, column, corrupt},
    from_row, read,
    revocation::keep_revocation,
    status::place_client,
};
use crate::{
    model::{Change, Client, ClientKind, Credentials, Revocation, SecretHash, SecretMethod},
    values::{ClientId, Invalid, Timestamp},
};

/// Whether something could be added under the name that it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was.
    Created,
    /// Its name belongs to another, and nothing was changed.
    Taken,
}

/// Whether a client could be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientUpdate {
    /// It was.
    Updated,
    /// It has been changed since it was read.
    Stale,
    /// There is no such client.
    Gone,
}

/// Binds what operators can change of a client to eighteen parameters, the client's id first.
macro_rules! bind_client {
    ($query:expr, $client:expr) => {{
        let client: &Client = $client;
        let (secret, keys) = match &client.kind {
            ClientKind::Public => (None, None),
            ClientKind::Confidential(Credentials::Secret(_, secret)) => (Some(secret), None),
            ClientKind::Confidential(Credentials::Keys(keys)) => (None, Some(keys)),
        };
        let previous = secret.and_then(|secret| secret.previous);
        $query
            .bind(client.id.kept())
            .bind(client.name.kept())
            .bind(client.auth_method())
            .bind(secret.map(|secret| secret.current.kept()))
            .bind(previous.map(|(hash, _)| hash.kept()))
            .bind(previous.map(|(_, until)| until.kept()))
            .bind(keys.map(Column::kept))
            .bind(client.redirect_uris.kept())
            .bind(client.post_logout_redirect_uris.kept())
            .bind(client.grants.kept())
            .bind(client.scope.kept())
            .bind(client.first_party)
            .bind(client.pkce_required)
            .bind(client.dpop_bound)
            .bind(client.id_token_algorithm.kept())
            .bind(client.policy_uri.kept())
            .bind(client.tos_uri.kept())
            .bind(client.updated_at.kept())
    }};
}

from_row!(Client, |row| Ok(Self {
    id: column(row, "id")?,
    name: column(row, "name")?,
    kind: ClientKind::from_row(row)?,
    redirect_uris: column(row, "redirect_uris")?,
    post_logout_redirect_uris: column(row, "post_logout_redirect_uris")?,
    grants: column(row, "grants")?,
    scope: column(row, "scope")?,
    first_party: column(row, "first_party")?,
    pkce_required: column(row, "pkce_required")?,
    dpop_bound: column(row, "dpop_bound")?,
    id_token_algorithm: column(row, "id_token_algorithm")?,
    policy_uri: column(row, "policy_uri")?,
    tos_uri: column(row, "tos_uri")?,
    disabled_at: column(row, "disabled_at")?,
    first_status_place: column(row, "first_status_place")?,
    revision: column(row, "revision")?,
    created_at: column(row, "created_at")?,
    updated_at: column(row, "updated_at")?,
}));

from_row!(ClientKind, |row| {
    let method: String = column(row, "auth_method")?;
    let secret = |method| Ok(Credentials::Secret(method, SecretHash::from_row(row)?));
    let credentials = match method.as_str() {
        "none" => return Ok(Self::Public),
        "client_secret_basic" => secret(SecretMethod::Basic),
        "client_secret_post" => secret(SecretMethod::Post),
        "private_key_jwt" => column(row, "key_set").map(Credentials::Keys),
        _ => Err(corrupt("auth_method", Invalid("auth_method"))),
    };
    credentials.map(Self::Confidential)
});

from_row!(SecretHash, |row| {
    let previous: Option<_> = column(row, "previous_secret")?;
    let until: Option<_> = column(row, "previous_secret_until")?;
    Ok(Self { current: column(row, "secret")?, previous: previous.zip(until) })
});

impl Store {
    /// Registers a client.
    pub async fn create_client(&self, client: &Client) -> Result<Creation> {
        change!(self, |tx| {
            let query = sqlx::query(
                "insert into clients (
                     id, name, auth_method, secret, previous_secret, previous_secret_until, key_set,
                     redirect_uris, post_logout_redirect_uris, grants, scope, first_party,
                     pkce_required, dpop_bound, id_token_algorithm, policy_uri, tos_uri, updated_at,
                     disabled_at, revision, created_at
                 )
                 values (
                     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                     $18, $19, $20, $21
                 )
                 on conflict (id) do nothing",
            );
            let created = bind_client!(query, client)
                .bind(client.disabled_at.kept())
                .bind(client.revision)
                .bind(client.created_at.kept())
                .execute(&mut *tx)
                .await?;
            if created.rows_affected() == 0 {
                Creation::Taken
            } else {
                place_client!(tx, client.id);
                note!(tx, Change::Client(client.id.clone()), client.updated_at);
                Creation::Created
            }
        })
    }

    /// The client of this name.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Client>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, name, auth_method, secret, previous_secret, previous_secret_until, key_set,
                     redirect_uris, post_logout_redirect_uris, grants, scope, first_party,
                     pkce_required, dpop_bound, id_token_algorithm, policy_uri, tos_uri, disabled_at,
                     first_status_place, revision, created_at, updated_at
                 from clients where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Every client, by name.
    pub async fn clients(&self) -> Result<Vec<Client>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, name, auth_method, secret, previous_secret, previous_secret_until, key_set,
                     redirect_uris, post_logout_redirect_uris, grants, scope, first_party,
                     pkce_required, dpop_bound, id_token_algorithm, policy_uri, tos_uri, disabled_at,
                     first_status_place, revision, created_at, updated_at
                 from clients order by id",
            )
            .fetch_all(db)
            .await
        })?)
    }

    /// Changes a client, if nobody has changed it since it was read: all but its id, whether it may act
    /// and when it was registered.
    pub async fn update_client(&self, client: &Client) -> Result<ClientUpdate> {
        change!(self, |tx| {
            let query = sqlx::query(
                "update clients set
                     name = $2, auth_method = $3, secret = $4, previous_secret = $5,
                     previous_secret_until = $6, key_set = $7, redirect_uris = $8,
                     post_logout_redirect_uris = $9, grants = $10, scope = $11, first_party = $12,
                     pkce_required = $13, dpop_bound = $14, id_token_algorithm = $15,
                     policy_uri = $16, tos_uri = $17, updated_at = $18, revision = revision + 1
                 where id = $1 and revision = $19",
            );
            let query = bind_client!(query, client).bind(client.revision);
            if query.execute(&mut *tx).await?.rows_affected() > 0 {
                note!(tx, Change::Client(client.id.clone()), client.updated_at);
                ClientUpdate::Updated
            } else {
                let kept: Option<i64> =
                    sqlx::query_scalar("select revision from clients where id = $1")
                        .bind(client.id.kept())
                        .fetch_optional(&mut *tx)
                        .await?;
                kept.map_or(ClientUpdate::Gone, |_| ClientUpdate::Stale)
            }
        })
    }

    /// Lets a client do nothing at all, and ends the access tokens that it was given. False if it could
    /// do nothing before, or does not exist.
    pub async fn disable_client(&self, id: &ClientId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let disabled = sqlx::query(
                "update clients set disabled_at = $2, updated_at = $2, revision = revision + 1
                 where id = $1 and disabled_at is null",
            )
            .bind(id.kept())
            .bind(revocation.at.kept())
            .execute(&mut *tx)
            .await?;
            let disabled = disabled.rows_affected() > 0;
            if disabled {
                keep_revocation!(tx, revocation);
                note!(tx, Change::Client(id.clone()), revocation.at);
            }
            disabled
        })
    }

    /// Lets a client act again. What was ended stays so. False if it could act before, or does not
    /// exist.
    pub async fn enable_client(&self, id: &ClientId, at: Timestamp) -> Result<bool> {
        change!(self, |tx| {
            let enabled = sqlx::query(
                "update clients set disabled_at = null, updated_at = $2, revision = revision + 1
                 where id = $1 and disabled_at is not null",
            )
            .bind(id.kept())
            .bind(at.kept())
            .execute(&mut *tx)
            .await?;
            let enabled = enabled.rows_affected() > 0;
            if enabled {
                note!(tx, Change::Client(id.clone()), at);
            }
            enabled
        })
    }

    /// Deletes a client with everything that it was ever granted, and revokes what it still holds.
    /// False if there was none.
    pub async fn delete_client(&self, id: &ClientId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let known: Option<String> = sqlx::query_scalar("select id from clients where id = $1")
                .bind(id.kept())
                .fetch_optional(&mut *tx)
                .await?;
            if known.is_none() {
                false
            } else {
                let freed =
                    sqlx::query("update resources set client_id = null where client_id = $1")
                        .bind(id.kept())
                        .execute(&mut *tx)
                        .await?;
                if freed.rows_affected() > 0 {
                    note!(tx, Change::Resources, revocation.at);
                }
                // Codes before families: whoever is redeeming one has then either lost it or kept
                // the family. Revoked before they are deleted, as long as their places are known.
                for statement in [
                    "delete from codes where client_id = $1",
                    "delete from device_requests where client_id = $1",
                ] {
                    sqlx::query(statement).bind(id.kept()).execute(&mut *tx).await?;
                }
                keep_revocation!(tx, revocation);
                // The client's consents go with its row.
                for statement in [
                    "delete from refresh_families where client_id = $1",
                    "delete from clients where id = $1",
                ] {
                    sqlx::query(statement).bind(id.kept()).execute(&mut *tx).await?;
                }
                note!(tx, Change::Client(id.clone()), revocation.at);
                true
            }
        })
    }
}
