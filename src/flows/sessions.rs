//! Who is signed in to a browser.

use super::{App, Result};
use crate::{
    model::{Session, User},
    values::{BrowserToken, SessionToken, Timestamp},
};

/// How much later a use must be to be worth a write, in seconds.
const TOUCH: i64 = 60;

/// A person in a browser, whose session is alive.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub user: User,
    /// The session.
    pub session: Session,
}

/// A browser, and who is signed in to it.
#[derive(Debug)]
pub struct Visitor {
    /// Which browser.
    pub browser: BrowserToken,
    /// Who is signed in.
    pub signed_in: Option<SignedIn>,
}

/// The person whom a session cookie stands for.
pub async fn recognise(app: &App, token: &SessionToken) -> Result<Option<SignedIn>> {
    let now = app.clock.now();
    let session = app.store.session(token.id()).await?;
    let session = session.filter(|session| {
        session.secret.matches(&token.hash())
            && is_alive(session, app.config.login.session_idle, now)
    });
    let Some(session) = session else { return Ok(None) };
    let user = app.store.user(session.user).await?.filter(|user| user.disabled_at.is_none());

    if now.since(session.seen_at) >= TOUCH {
        app.store.touch_session(session.id, now).await?;
    }
    Ok(user.map(|user| SignedIn { user, session }))
}

fn is_alive(session: &Session, idle: i64, now: Timestamp) -> bool {
    session.ended_at.is_none() && now < session.expires_at && now.since(session.seen_at) < idle
}
