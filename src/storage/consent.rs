//! What people have allowed clients: one row for a person and a client.

use super::{
    Result, Store,
    columns::{Column, column},
    from_row, read, transaction,
};
use crate::{
    model::Consent,
    values::{ClientId, UserId},
};

from_row!(Consent, |row| Ok(Self {
    user: column(row, "user_id")?,
    client: column(row, "client_id")?,
    scope: column(row, "scope")?,
    apis: column(row, "apis")?,
    claims: column(row, "claims")?,
    granted_at: column(row, "granted_at")?,
}));

impl Store {
    /// What this person has allowed this client.
    pub async fn consent(&self, user: UserId, client: &ClientId) -> Result<Option<Consent>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select user_id, client_id, scope, apis, claims, granted_at
                 from consents where user_id = $1 and client_id = $2",
            )
            .bind(user.kept())
            .bind(client.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Keeps a consent in place of whatever the person had allowed the client before.
    pub async fn remember_consent(&self, consent: &Consent) -> Result<()> {
        transaction!(self, |tx| {
            sqlx::query(
                "insert into consents (user_id, client_id, scope, apis, claims, granted_at)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (user_id, client_id) do update set
                     scope = excluded.scope,
                     apis = excluded.apis,
                     claims = excluded.claims,
                     granted_at = excluded.granted_at",
            )
            .bind(consent.user.kept())
            .bind(consent.client.kept())
            .bind(consent.scope.kept())
            .bind(consent.apis.kept())
            .bind(consent.claims.kept())
            .bind(consent.granted_at.kept())
            .execute(&mut *tx)
            .await?;
        })
    }
}
