//! Sign-in sessions of browsers.

use crate::values::{Authentication, SessionId, Timestamp, TokenHash, UserId};

/// A browser in which somebody is signed in. When they sign in to it again, it goes on with another
/// secret.
#[derive(Clone, Debug)]
pub struct Session {
    /// Which session: `sid`.
    pub id: SessionId,
    /// What is kept of the cookie's secret.
    pub secret: TokenHash,
    /// Who signed in.
    pub user: UserId,
    /// How and when, the last time; its `session` is this one.
    pub authentication: Authentication,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
    /// What the browser calls itself, cut to 256 characters.
    pub user_agent: String,
}
