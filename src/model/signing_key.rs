//! Signing keys and the four times of their lives.

use crate::values::{Algorithm, KeyId, Timestamp};

/// A signing key as it is kept: sealed, with its timetable in the open.
#[derive(Clone, Debug)]
pub struct SigningKeyRecord {
    /// Its name in token headers.
    pub kid: KeyId,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Which key of its algorithm this is, counted from one: nodes that make the next key at the same
    /// time make one between them.
    pub period: i64,
    /// Since when it is published.
    pub announced_at: Timestamp,
    /// Since when it signs.
    pub active_at: Timestamp,
    /// Since when its successor signs; known once there is one.
    pub retired_at: Option<Timestamp>,
    /// Since when no token that it signed can be valid, and it is no longer published.
    pub forgotten_at: Option<Timestamp>,
    /// When it stopped being trusted before its time, if it did.
    pub revoked_at: Option<Timestamp>,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// The public key, as a JWK.
    pub public: String,
}

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPhase {
    /// Published, not yet signing.
    Announced,
    /// Signing.
    Active,
    /// No longer signing, still trusted.
    Retired,
    /// No longer published.
    Forgotten,
    /// No longer trusted.
    Revoked,
}

impl KeyPhase {
    /// The phase as the command line spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Forgotten => "forgotten",
            Self::Revoked => "revoked",
        }
    }
}
