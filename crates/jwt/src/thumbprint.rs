//! The SHA-256 thumbprint of a key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).

use std::{fmt, str::FromStr};

use crate::{base64url, invalid::Invalid, text::travels_as_text};

/// The 32 bytes of a SHA-256 thumbprint, written as base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The hash itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Thumbprint {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl FromStr for Thumbprint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let hash = base64url::decode(text).ok_or(Invalid("thumbprint"))?;

        hash.try_into().map(Self).map_err(|_| Invalid("thumbprint"))
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

travels_as_text!(Thumbprint);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_thirty_two_bytes_in_canonical_base64url_are_a_thumbprint() {
        let text = Thumbprint::from([7; 32]).to_string();
        assert_eq!(text.len(), 43);
        assert_eq!(text.parse(), Ok(Thumbprint::from([7; 32])));

        for bad in ["", "AAAA", &format!("{text}="), &text.replace("Bwc", "Bw/")] {
            assert_eq!(bad.parse::<Thumbprint>(), Err(Invalid("thumbprint")));
        }
    }
}
