//! Proof Key for Code Exchange ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)): `S256`, and nothing else.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Invalid, Secret, secret::same};

/// What the client keeps for itself: 43 to 128 unreserved characters
/// ([§4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.1)).
#[derive(Debug)]
pub struct CodeVerifier(Secret<String>);

impl FromStr for CodeVerifier {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        ((43..=128).contains(&text.len()) && text.bytes().all(unreserved))
            .then(|| Self(Secret::new(text.to_owned())))
            .ok_or(Invalid("code_verifier"))
    }
}

/// The SHA-256 of a verifier, sent ahead of it
/// ([§4.2](https://www.rfc-editor.org/rfc/rfc7636#section-4.2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Whether this is the challenge of `verifier`, in constant time.
    #[must_use]
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        same(&self.0, &Sha256::digest(verifier.0.expose()))
    }
}

impl FromStr for CodeChallenge {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = BASE64.decode(text).map_err(|_| Invalid("code_challenge"))?;
        bytes.try_into().map(Self).map_err(|_| Invalid("code_challenge"))
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.to_string()
    }
}

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn a_challenge_survives_its_text(text in "\\PC{0,130}|[A-Za-z0-9_-]{43}") {
            assert_round_trip::<CodeChallenge>(&text);
            let _ = text.parse::<CodeVerifier>();
        }
    }

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        let verifier: CodeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".parse().unwrap();
        let challenge: CodeChallenge =
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".parse().unwrap();
        assert!(challenge.is_met_by(&verifier));
    }

    #[test]
    fn the_challenge_itself_is_not_its_verifier() {
        let text = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(!text.parse::<CodeChallenge>().unwrap().is_met_by(&text.parse().unwrap()));
    }

    #[test]
    fn a_verifier_has_43_to_128_unreserved_characters() {
        for text in [&"a".repeat(42), &"a".repeat(129), &format!("{} +", "a".repeat(43))] {
            assert!(text.parse::<CodeVerifier>().is_err(), "{text}");
        }
        assert!("a".repeat(128).parse::<CodeVerifier>().is_ok());
    }

    #[test]
    fn a_challenge_is_43_characters_without_padding() {
        for text in ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "short", "+/"] {
            assert!(text.parse::<CodeChallenge>().is_err(), "{text}");
        }
    }
}
