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
    storage::{Proof, SignIn},
    values::{
        Acr, Amr, Authentication, Password, PasswordHash, SessionId, SessionToken, Timestamp,
        UserId,
    },
};

/// How often a password is checked again that was changed or hashed anew while it was checked.
const ATTEMPTS: usize = 3;

/// Somebody has signed in: a new session, and the token for its cookie.
#[derive(Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub token: SessionToken,
    /// Who it is.
    pub signed_in: SignedIn,
}

/// Check a password, and sign its owner in; there is none where what was typed cannot be one. Nothing
/// tells an unknown name from a wrong password or a disabled person: not the answer and not the time
/// that it takes.
pub async fn sign_in(
    app: &App,
    login: &str,
    password: Option<Password>,
    user_agent: &str,
    visitor: &Visitor,
) -> Result<Option<NewSession>> {
    let Some(password) = password else { return Ok(failed(None)) };
    let mut meant = None;

    for _ in 0..ATTEMPTS {
        let user = app.store.user_by_login(login.trim()).await?;
        meant = user.as_ref().map(|user| user.id);
        let Some((user, proof)) = prove(app, user, &password).await? else { break };
        if let Some(new) = begin(app, user, &proof, user_agent, visitor).await? {
            return Ok(Some(new));
        }
    }
    Ok(failed(meant))
}

/// Whether this is the password of somebody who may sign in.
async fn prove(
    app: &App,
    user: Option<User>,
    password: &Password,
) -> Result<Option<(User, Proof)>> {
    let hash = user.as_ref().and_then(|user| user.password.clone());
    let verdict = app.hasher.verify(hash.clone(), password.clone()).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let (Some(user), Some(hash), Verdict::Right { rehash }) = (user, hash, verdict) else {
        return Ok(None);
    };

    let anew = if rehash { hash_anew(app, password).await } else { None };
    Ok(Some((user, Proof { hash, anew })))
}

/// The password with the parameters that are in force.
async fn hash_anew(app: &App, password: &Password) -> Option<PasswordHash> {
    let hashed = app.hasher.hash(password.clone(), app.random.bytes()).await;
    // They know their password all the same.
    hashed.inspect_err(|cause| tracing::warn!(?cause, "a password could not be hashed anew")).ok()
}

/// Keep a session, unless the password was changed or its owner shut out meanwhile.
async fn begin(
    app: &App,
    user: User,
    proof: &Proof,
    user_agent: &str,
    visitor: &Visitor,
) -> Result<Option<NewSession>> {
    let now = app.clock.now();
    // A new id at every sign-in: whoever planted the old one gains nothing.
    let id = app.random.id::<SessionId>(now);
    let token = SessionToken::new(id, app.random.bytes());
    let session = new_session(app, id, &token, user.id, user_agent, now);
    let replaced = visitor.signed_in.as_ref().map(|before| before.session.id);
    if app.store.start_session(&session, proof, replaced).await? == SignIn::Overtaken {
        return Ok(None);
    }

    Event::SignedIn { user: user.id, session: id }.emit();
    Ok(Some(NewSession { token, signed_in: SignedIn { user, session } }))
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
