//! Sign somebody in with a password.

use std::collections::BTreeSet;

use super::{
    App, Result,
    events::Event,
    password::Verdict,
    revocation::revocation,
    sessions::{SignedIn, Visitor},
};
use crate::{
    model::{Revoked, Session, User},
    storage::{Proof, SignIn},
    values::{Acr, Amr, Authentication, Password, PasswordHash, SessionId, SessionToken, UserId},
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
    let (mut meant, mut before) = (None, visitor.signed_in.as_ref());

    for _ in 0..ATTEMPTS {
        let user = app.store.user_by_login(login.trim()).await?;
        meant = user.as_ref().map(|user| user.id);
        let Some((user, proof)) = prove(app, user, &password).await? else { break };
        let new = new_session(app, user, user_agent, before);
        match begin(app, &new, &proof, before).await? {
            SignIn::Begun => {
                let session = &new.signed_in.session;
                Event::SignedIn { user: session.user, session: session.id }.emit();
                return Ok(Some(new));
            }
            SignIn::Overtaken => {}
            SignIn::Ended => before = None,
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

/// A session with a new secret: whoever planted or stole the old one gains nothing. The same person in
/// the same browser keeps its name, and with it what hangs on it.
fn new_session(app: &App, user: User, user_agent: &str, before: Option<&SignedIn>) -> NewSession {
    let now = app.clock.now();
    let same = before.filter(|before| before.user.id == user.id);
    let id = same.map_or_else(|| app.random.id::<SessionId>(now), |before| before.session.id);
    let token = SessionToken::new(id, app.random.bytes());
    let session = Session {
        id,
        secret: token.hash(),
        user: user.id,
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
    };
    NewSession { token, signed_in: SignedIn { user, session } }
}

/// Keep it. Whoever was signed in to this browser and is somebody else is signed out.
async fn begin(
    app: &App,
    new: &NewSession,
    proof: &Proof,
    before: Option<&SignedIn>,
) -> Result<SignIn> {
    let session = &new.signed_in.session;
    let Some(before) = before else {
        return Ok(app.store.start_session(session, proof).await?);
    };
    if before.session.id == session.id {
        return Ok(app.store.renew_session(session, proof).await?);
    }
    let ended = before.session.id;
    let revocation = revocation(app, Revoked::Session(ended), session.authentication.at);
    let outcome = app.store.replace_session(ended, &revocation, session, proof).await?;
    if outcome == SignIn::Begun {
        app.directory.note(revocation);
        Event::SignedOut { user: before.user.id, session: ended }.emit();
    }
    Ok(outcome)
}

fn failed(user: Option<UserId>) -> Option<NewSession> {
    Event::SignInFailed { user }.emit();
    None
}
