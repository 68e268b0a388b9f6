//! Sign somebody in with a password.

use std::collections::BTreeSet;

use super::{
    App, Result,
    events::Event,
    password::Verdict,
    sessions::{SignedIn, Visitor},
};
use crate::{
    model::{Session, User},
    values::{Acr, Amr, Authentication, Password, SessionId, SessionToken, Timestamp, UserId},
};

/// Somebody has signed in: a new session, and the token for its cookie.
#[derive(Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub token: SessionToken,
    /// Who it is.
    pub signed_in: SignedIn,
}

/// Check a password; there is none where what was typed cannot be one. Nothing tells an unknown name from a wrong password or a disabled person: not
/// the answer and not the time that it takes.
pub async fn sign_in(
    app: &App,
    login: &str,
    password: Option<Password>,
    user_agent: &str,
    visitor: &Visitor,
) -> Result<Option<NewSession>> {
    let now = app.clock.now();
    let Some(password) = password else { return Ok(failed(None)) };
    let user = app.store.user_by_login(login.trim()).await?;
    let hash = user.as_ref().and_then(|user| user.password.clone());

    let verdict = app.hasher.verify(hash, password.clone()).await?;
    let meant = user.as_ref().map(|user| user.id);
    let user = user.filter(|user| user.disabled_at.is_none());
    let (Some(user), Verdict::Right { rehash }) = (user, verdict) else { return Ok(failed(meant)) };
    if rehash && let Err(error) = hash_anew(app, &user, password).await {
        // They know their password all the same.
        tracing::warn!(cause = ?error, "a password could not be hashed anew");
    }

    // A new id at every sign-in: whoever planted the old one gains nothing.
    let id = app.random.id::<SessionId>(now);
    let token = SessionToken::new(id, app.random.bytes());
    let session = new_session(app, id, &token, user.id, user_agent, now);
    let replaced = visitor.signed_in.as_ref().map(|before| before.session.id);
    app.store.start_session(&session, replaced).await?;

    Event::SignedIn { user: user.id, session: id }.emit();
    Ok(Some(NewSession { token, signed_in: SignedIn { user, session } }))
}

/// Keep a password with the parameters that are in force, unless it was changed meanwhile.
async fn hash_anew(app: &App, user: &User, password: Password) -> Result<()> {
    let Some(old) = &user.password else { return Ok(()) };
    let new = app.hasher.hash(password, app.random.bytes()).await?;
    app.store.replace_password_hash(user.id, old, &new).await?;
    Ok(())
}

fn failed(user: Option<UserId>) -> Option<NewSession> {
    Event::SignInFailed { user }.emit();
    None
}

fn new_session(
    app: &App,
    id: SessionId,
    token: &SessionToken,
    user: UserId,
    user_agent: &str,
    now: Timestamp,
) -> Session {
    Session {
        id,
        secret: token.hash(),
        user,
        authentication: Authentication {
            session: id,
            at: now,
            acr: Acr::Password,
            amr: BTreeSet::from([Amr::Password]),
        },
        seen_at: now,
        expires_at: now.plus(app.config.login.session_lifetime),
        ended_at: None,
        user_agent: user_agent.chars().take(256).collect(),
    }
}
