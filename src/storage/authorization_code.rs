//! Authorization codes: each is redeemed once
//! ([RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)).

use super::{
    Result, Store,
    authorization::bind_authorization,
    columns::{Column, column},
    from_row, read,
    refresh::keep_family,
    transaction,
};
use crate::{
    model::{Authorization, CodeState, IssuedCode, RefreshFamily},
    values::{CodeId, FamilyId, Timestamp},
};

/// What became of the attempt to redeem a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// It stands for the family now, and for nothing ever after.
    Redeemed,
    /// It could not be redeemed: somebody was first, or whoever granted it has signed out or been shut
    /// out.
    Replayed,
}

from_row!(IssuedCode, |row| {
    let family: Option<FamilyId> = column(row, "family_id")?;
    Ok(Self {
        id: column(row, "id")?,
        secret: column(row, "secret_hash")?,
        authorization: Authorization::from_row(row)?,
        redirect_uri: column(row, "redirect_uri")?,
        challenge: column(row, "challenge")?,
        binding: column(row, "jkt")?,
        nonce: column(row, "nonce")?,
        expires_at: column(row, "expires_at")?,
        state: family.map_or(CodeState::Fresh, CodeState::Spent),
    })
});

impl Store {
    /// Keeps a fresh code.
    pub async fn keep_code(&self, code: &IssuedCode) -> Result<()> {
        transaction!(self, |tx| {
            let query = sqlx::query(
                "insert into codes (
                     id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources,
                     claims, secret_hash, redirect_uri, challenge, jkt, nonce, expires_at
                 )
                 values (
                     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
                 )",
            )
            .bind(code.id.kept());
            bind_authorization!(query, code.authorization)
                .bind(code.secret.kept())
                .bind(code.redirect_uri.kept())
                .bind(code.challenge.kept())
                .bind(code.binding.kept())
                .bind(code.nonce.kept())
                .bind(code.expires_at.kept())
                .execute(&mut *tx)
                .await?;
        })
    }

    /// The code of this row, spent or not.
    pub async fn code(&self, id: CodeId) -> Result<Option<IssuedCode>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, client_id, user_id, session_id, auth_time, acr, amr, scope, resources,
                     claims, secret_hash, redirect_uri, challenge, jkt, nonce, expires_at, family_id
                 from codes where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Spends a code for a family, and keeps the family. Of any number of callers racing for one code, one
    /// redeems it.
    pub async fn redeem_code(
        &self,
        id: CodeId,
        family: &RefreshFamily,
        now: Timestamp,
    ) -> Result<Redemption> {
        transaction!(self, |tx| {
            let spent = sqlx::query(
                "update codes set family_id = $2, spent_at = $3
                 where id = $1 and family_id is null and exists (
                     select 1 from users
                     where users.id = codes.user_id and users.disabled_at is null
                 ) and exists (
                     select 1 from sessions
                     where sessions.id = codes.session_id and sessions.ended_at is null
                 )",
            )
            .bind(id.kept())
            .bind(family.id.kept())
            .bind(now.kept())
            .execute(&mut *tx)
            .await?;
            if spent.rows_affected() == 0 {
                Redemption::Replayed
            } else {
                keep_family!(tx, family);
                Redemption::Redeemed
            }
        })
    }
}
