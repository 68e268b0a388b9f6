//! Claims that may be believed.

use crate::{key_id::KeyId, timestamp::Timestamp};

/// The claims of a token that passed every check of
/// [`Unverified::verify`](crate::Unverified::verify), which alone can make one.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    pub(crate) claims: C,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) kid: Option<KeyId>,
}

impl<C> Verified<C> {
    /// The claims.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// The claims, to keep.
    pub fn into_claims(self) -> C {
        self.claims
    }

    /// When the token expires, or expired if that was to be ignored.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// The name of the key that signed the token, if that key has one.
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }
}
