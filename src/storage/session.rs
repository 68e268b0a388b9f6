//! Sign-in sessions of browsers.

use super::{
    Result, Store, change,
    columns::{Column, column},
    from_row, read,
    revocation::keep_revocation,
    transaction,
};
use crate::{
    model::{Revocation, Session},
    values::{Authentication, SessionId, Timestamp},
};

from_row!(Session, |row| {
    let id = column(row, "id")?;
    Ok(Self {
        id,
        secret: column(row, "secret_hash")?,
        user: column(row, "user_id")?,
        authentication: Authentication {
            session: id,
            at: column(row, "auth_time")?,
            acr: column(row, "acr")?,
            amr: column(row, "amr")?,
        },
        seen_at: column(row, "seen_at")?,
        expires_at: column(row, "expires_at")?,
        ended_at: column(row, "ended_at")?,
        user_agent: column(row, "user_agent")?,
    })
});

impl Store {
    /// Begins a session, and ends the one that the browser had before. Nothing is revoked: the same
    /// browser goes on.
    pub async fn start_session(
        &self,
        session: &Session,
        replaces: Option<SessionId>,
    ) -> Result<()> {
        transaction!(self, |tx| {
            if let Some(before) = replaces {
                sqlx::query("update sessions set ended_at = $2 where id = $1 and ended_at is null")
                    .bind(before.kept())
                    .bind(session.authentication.at.kept())
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query(
                "insert into sessions (
                     id, secret_hash, user_id, auth_time, acr, amr, seen_at, expires_at,
                     ended_at, user_agent
                 )
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(session.id.kept())
            .bind(session.secret.kept())
            .bind(session.user.kept())
            .bind(session.authentication.at.kept())
            .bind(session.authentication.acr.kept())
            .bind(session.authentication.amr.kept())
            .bind(session.seen_at.kept())
            .bind(session.expires_at.kept())
            .bind(session.ended_at.kept())
            .bind(&session.user_agent)
            .execute(&mut *tx)
            .await?;
        })
    }

    /// The session with this identifier, though it may have ended.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, secret_hash, user_id, auth_time, acr, amr, seen_at, expires_at,
                     ended_at, user_agent
                 from sessions where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Remembers that a session is in use. Never moves back.
    pub async fn touch_session(&self, id: SessionId, now: Timestamp) -> Result<()> {
        transaction!(self, |tx| {
            sqlx::query("update sessions set seen_at = $2 where id = $1 and seen_at < $2")
                .bind(id.kept())
                .bind(now.kept())
                .execute(&mut *tx)
                .await?;
        })
    }

    /// Ends a session, and with it every code that nobody has redeemed and every family that was not
    /// granted `offline_access`. False if it had ended before.
    pub async fn end_session(&self, id: SessionId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let ended =
                sqlx::query("update sessions set ended_at = $2 where id = $1 and ended_at is null")
                    .bind(id.kept())
                    .bind(revocation.at.kept())
                    .execute(&mut *tx)
                    .await?;
            let ended = ended.rows_affected() > 0;
            if ended {
                // Codes before families: whoever is redeeming one has then either lost it or kept the
                // family.
                sqlx::query("delete from codes where session_id = $1 and family_id is null")
                    .bind(id.kept())
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(
                    "update refresh_families set revoked_at = $2
                     where session_id = $1 and revoked_at is null and not offline",
                )
                .bind(id.kept())
                .bind(revocation.at.kept())
                .execute(&mut *tx)
                .await?;
                keep_revocation!(tx, revocation);
            }
            ended
        })
    }
}
