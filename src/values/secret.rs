//! Secrets, and the one form in which they may be kept.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use super::Invalid;

/// A value that is never printed, serialised or compared, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Keep a value from being shown.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a secret that we made: the only form of one that storage accepts.
///
/// Such a secret has 256 random bits, so one round of a fast hash is as strong as the secret.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of a secret's bytes.
    #[must_use]
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Whether both are the hash of the same secret, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }

    /// The hash as it is kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for TokenHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = BASE64.decode(text).map_err(|_| Invalid("hash"))?;
        bytes.try_into().map(Self).map_err(|_| Invalid("hash"))
    }
}

impl TryFrom<String> for TokenHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl From<[u8; 32]> for TokenHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn a_hash_survives_its_text(text in "\\PC{0,50}|[A-Za-z0-9_-]{43}", bytes: [u8; 32]) {
            assert_round_trip::<TokenHash>(&text);
            let hash = TokenHash::from(bytes);
            prop_assert!(hash.to_string().parse::<TokenHash>().unwrap().matches(&hash));
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
    }

    #[test]
    fn only_the_same_secret_matches() {
        assert!(TokenHash::of(b"a").matches(&TokenHash::of(b"a")));
        assert!(!TokenHash::of(b"a").matches(&TokenHash::of(b"b")));
    }
}
