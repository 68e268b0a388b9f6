//! What has been revoked before its time, and the notes by which nodes learn of changes.

use std::{fmt, str::FromStr};

use crate::values::{
    ApiKeyId, ClientId, FamilyId, Invalid, RevocationId, SessionId, Timestamp, UserId,
};

/// The most seconds for which an access token can be made to live.
pub const LONGEST_ACCESS_TOKEN: i64 = 24 * 60 * 60;

/// How much later than it says a token may be accepted somewhere, in seconds: clocks differ.
const MARGIN: i64 = 120;

/// For how many seconds something that was just issued may be valid somewhere, whatever lifetime is
/// configured now or was then: so long a retired key is published, and so long a revocation matters.
pub const TOKEN_RETENTION: i64 = LONGEST_ACCESS_TOKEN + MARGIN;

/// An entry of the revocation set: tokens of `what` that were issued up to `at` are dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Which entry.
    pub id: RevocationId,
    /// Whose tokens.
    pub what: Revoked,
    /// When; tokens issued later are not meant.
    pub at: Timestamp,
    /// When the last token that is meant has expired, and the entry can be forgotten.
    pub until: Timestamp,
}

impl Revocation {
    /// The end of everything that was issued to `what` until now.
    #[must_use]
    pub fn new(id: RevocationId, what: Revoked, at: Timestamp) -> Self {
        Self { id, what, at, until: at.plus(TOKEN_RETENTION) }
    }

    /// The end of one access token, known by its `jti`, that would have expired by itself at `exp`.
    #[must_use]
    pub fn of_token(id: RevocationId, jti: String, exp: Timestamp, at: Timestamp) -> Self {
        Self { until: exp.plus(MARGIN), ..Self::new(id, Revoked::Token(jti), at) }
    }
}

/// What a revocation reaches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revoked {
    /// One access token, by its `jti`.
    Token(String),
    /// Everything from one grant.
    Family(FamilyId),
    /// The access tokens of one grant that were issued until now; it goes on.
    Issued(FamilyId),
    /// Everything from one session.
    Session(SessionId),
    /// Everything that one API key was exchanged for.
    Key(ApiKeyId),
    /// Everything of one client.
    Client(ClientId),
    /// Everything of one person.
    User(UserId),
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(jti) => write!(f, "token {jti}"),
            Self::Family(id) => write!(f, "family {id}"),
            Self::Issued(id) => write!(f, "issued {id}"),
            Self::Session(id) => write!(f, "session {id}"),
            Self::Key(id) => write!(f, "key {id}"),
            Self::Client(id) => write!(f, "client {id}"),
            Self::User(id) => write!(f, "user {id}"),
        }
    }
}

impl FromStr for Revoked {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(' ').ok_or(Invalid("revocation"))? {
            ("token", jti) => Ok(Self::Token(jti.to_owned())),
            ("family", id) => id.parse().map(Self::Family),
            ("issued", id) => id.parse().map(Self::Issued),
            ("session", id) => id.parse().map(Self::Session),
            ("key", id) => id.parse().map(Self::Key),
            ("client", id) => id.parse().map(Self::Client),
            ("user", id) => id.parse().map(Self::User),
            _ => Err(Invalid("revocation")),
        }
    }
}

/// Something that nodes keep in memory has changed, and must be read again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A client was made, changed or deleted.
    Client(ClientId),
    /// An API was made, changed or deleted.
    Resources,
    /// A signing key was made, promoted or revoked.
    Keys,
    /// This entry was added to the revocation set, or moved on.
    Revocation(RevocationId),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(id) => write!(f, "client {id}"),
            Self::Resources => f.write_str("resources"),
            Self::Keys => f.write_str("keys"),
            Self::Revocation(id) => write!(f, "revocation {id}"),
        }
    }
}

impl FromStr for Change {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once(' ') {
            Some(("client", id)) => id.parse().map(Self::Client),
            Some(("revocation", id)) => id.parse().map(Self::Revocation),
            None if text == "resources" => Ok(Self::Resources),
            None if text == "keys" => Ok(Self::Keys),
            _ => Err(Invalid("change")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    #[test]
    fn a_revocation_outlives_every_token_that_can_have_been_issued() {
        let id = RevocationId::from_bytes([0; 16]);
        let session = Revoked::Session(SessionId::from_bytes([1; 16]));
        let until = Revocation::new(id, session, NOW).until;
        assert!(until > NOW.plus(LONGEST_ACCESS_TOKEN));
    }

    #[test]
    fn the_revocation_of_one_token_outlives_it_whatever_is_configured_now() {
        let id = RevocationId::from_bytes([0; 16]);
        let exp = NOW.plus(20_000);
        let revocation = Revocation::of_token(id, "j".to_owned(), exp, NOW);
        assert_eq!(revocation.what, Revoked::Token("j".to_owned()));
        assert!(revocation.until > exp && revocation.until < NOW.plus(LONGEST_ACCESS_TOKEN));
    }
}
