//! The name of a key, `kid` ([RFC 7517 §4.5](https://www.rfc-editor.org/rfc/rfc7517#section-4.5)).

use std::{fmt, str::FromStr};

use crate::{invalid::Invalid, text::travels_as_text, thumbprint::Thumbprint};

const LONGEST: usize = 256;

/// A key's name: 1 to 256 visible ASCII characters, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name a key has when nobody gave it another.
impl From<Thumbprint> for KeyId {
    fn from(thumbprint: Thumbprint) -> Self {
        Self(thumbprint.to_string())
    }
}

impl FromStr for KeyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let fits = (1..=LONGEST).contains(&text.len());

        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("key id"))
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

travels_as_text!(KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_visible_ascii_of_moderate_length() {
        for good in ["a", "2026-01", "../../dev/null", &"k".repeat(256)] {
            assert_eq!(good.parse::<KeyId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a\nb", "schlüssel", "\u{0}", &"k".repeat(257)] {
            assert_eq!(bad.parse::<KeyId>(), Err(Invalid("key id")));
        }
    }
}
