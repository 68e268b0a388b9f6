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
    values::{Authentication, PasswordHash, SessionId, Timestamp},
};

/// A password that somebody has proven to know.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The hash for which it was right.
    pub hash: PasswordHash,
    /// A hash of it that is kept from now on, if there is a better one.
    pub anew: Option<PasswordHash>,
}

/// Whether somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// They are.
    Begun,
    /// While the password was checked it was changed or hashed anew, or its owner was shut out.
    Overtaken,
    /// The session that was to go on has ended.
    Ended,
}

/// Whether a session was there to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOut {
    /// It was, and has ended with what hung on it.
    Ended,
    /// It had ended before, or there is none.
    OverBefore,
}

/// Whether the proof still holds; a better hash is kept then. The person's row is locked until the
/// transaction ends, so that whoever shuts them out or changes the password comes before or after.
macro_rules! holds {
    ($tx:ident, $user:expr, $proof:expr) => {
        sqlx::query(
            "update users set password = coalesce($3, password)
             where id = $1 and password = $2 and disabled_at is null",
        )
        .bind($user.kept())
        .bind($proof.hash.kept())
        .bind($proof.anew.kept())
        .execute(&mut *$tx)
        .await?
        .rows_affected()
            > 0
    };
}

/// Binds a session to nine parameters: `id, user_id, secret_hash, auth_time, acr, amr, seen_at,
/// expires_at, user_agent`.
macro_rules! bind_session {
    ($query:expr, $session:expr) => {
        $query
            .bind($session.id.kept())
            .bind($session.user.kept())
            .bind($session.secret.kept())
            .bind($session.authentication.at.kept())
            .bind($session.authentication.acr.kept())
            .bind($session.authentication.amr.kept())
            .bind($session.seen_at.kept())
            .bind($session.expires_at.kept())
            .bind(&$session.user_agent)
    };
}

/// Begins a session.
macro_rules! begin {
    ($tx:ident, $session:expr) => {
        let query = sqlx::query(
            "insert into sessions (
                 id, user_id, secret_hash, auth_time, acr, amr, seen_at, expires_at, user_agent
             )
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        );
        bind_session!(query, $session).execute(&mut *$tx).await?;
    };
}

/// Ends a session with what hangs on it.
macro_rules! end {
    ($tx:ident, $id:expr, $revocation:expr) => {{
        let ended =
            sqlx::query("update sessions set ended_at = $2 where id = $1 and ended_at is null")
                .bind($id.kept())
                .bind($revocation.at.kept())
                .execute(&mut *$tx)
                .await?;
        if ended.rows_affected() > 0 {
            // Codes before families: whoever is redeeming one has then either lost it or kept the
            // family.
            for statement in [
                "delete from codes where session_id = $1 and family_id is null",
                "delete from device_requests where session_id = $1 and spent_at is null",
            ] {
                sqlx::query(statement).bind($id.kept()).execute(&mut *$tx).await?;
            }
            sqlx::query(
                "update refresh_families set revoked_at = $2
                 where session_id = $1 and revoked_at is null and not offline",
            )
            .bind($id.kept())
            .bind($revocation.at.kept())
            .execute(&mut *$tx)
            .await?;
            keep_revocation!($tx, $revocation);
            SignOut::Ended
        } else {
            SignOut::OverBefore
        }
    }};
}

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
    /// Begins a session, if the password is still the one that was proven and its owner may sign in.
    pub async fn start_session(&self, session: &Session, proof: &Proof) -> Result<SignIn> {
        transaction!(self, |tx| {
            if holds!(tx, session.user, proof) {
                begin!(tx, session);
                SignIn::Begun
            } else {
                SignIn::Overtaken
            }
        })
    }

    /// Begins a session as [`start_session`](Self::start_session) does, in the place of somebody
    /// else's, which ends as it does when they sign out.
    pub async fn replace_session(
        &self,
        before: SessionId,
        revocation: &Revocation,
        session: &Session,
        proof: &Proof,
    ) -> Result<SignIn> {
        change!(self, |tx| {
            if holds!(tx, session.user, proof) {
                end!(tx, before, revocation);
                begin!(tx, session);
                SignIn::Begun
            } else {
                SignIn::Overtaken
            }
        })
    }

    /// Lets a session go on with another sign-in of the same person, if the password is still the one
    /// that was proven and its owner may sign in. The secret of before is worthless then.
    pub async fn renew_session(&self, session: &Session, proof: &Proof) -> Result<SignIn> {
        transaction!(self, |tx| {
            if holds!(tx, session.user, proof) {
                let query = sqlx::query(
                    "update sessions set
                         secret_hash = $3, auth_time = $4, acr = $5, amr = $6, seen_at = $7,
                         expires_at = $8, user_agent = $9
                     where id = $1 and user_id = $2 and ended_at is null",
                );
                let renewed = bind_session!(query, session).execute(&mut *tx).await?;
                if renewed.rows_affected() > 0 { SignIn::Begun } else { SignIn::Ended }
            } else {
                SignIn::Overtaken
            }
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

    /// Ends a session, and with it every code and every device's request that nobody has redeemed, and
    /// every family that was not granted `offline_access`.
    pub async fn end_session(&self, id: SessionId, revocation: &Revocation) -> Result<SignOut> {
        change!(self, |tx| { end!(tx, id, revocation) })
    }
}
