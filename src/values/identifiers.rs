//! Names of things. Each has a type of its own, so that they cannot be swapped.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Invalid;

/// A client identifier: visible ASCII
/// ([RFC 6749 §A.1](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1)), at most 512 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// The identifier as its client sends it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it could be mistaken for a person's subject in a token
    /// ([RFC 9700 §4.15](https://www.rfc-editor.org/rfc/rfc9700#section-4.15)).
    #[must_use]
    pub fn resembles_a_subject(&self) -> bool {
        Uuid::try_parse(&self.0).is_ok()
    }
}

impl FromStr for ClientId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let visible = text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
        ((1..=512).contains(&text.len()) && visible)
            .then(|| Self(text.to_owned()))
            .ok_or(Invalid("client_id"))
    }
}

impl TryFrom<String> for ClientId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Row identifiers are time-ordered UUIDs (version 7), so that rows made together lie together.
macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The identifier's sixteen bytes, as they travel inside a token.
            #[must_use]
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// The identifier that these bytes spell.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Uuid::try_parse(text).map(Self).map_err(|_| Invalid(stringify!($name)))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }
    )* };
}

row_id! {
    /// A person's identifier, and the `sub` of their tokens: never an address or a name, never reused.
    UserId
    /// A sign-in session, and the `sid` of what it led to.
    SessionId
    /// An authorization code's row.
    CodeId
    /// One grant and everything that was ever issued from it.
    FamilyId
    /// A device that asks to be let in, until it has its answer.
    DeviceId
    /// An entry of the revocation set.
    RevocationId
    /// An API key.
    ApiKeyId
    /// A role of an API.
    RoleId
    /// A group of people.
    GroupId
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn an_identifier_survives_its_text(text in "[!-~]{0,520}|\\PC{0,40}", bytes: [u8; 16]) {
            assert_round_trip::<ClientId>(&text);
            for text in [text, Uuid::from_bytes(bytes).to_string().to_uppercase()] {
                assert_round_trip::<UserId>(&text);
                assert_round_trip::<SessionId>(&text);
                assert_round_trip::<CodeId>(&text);
                assert_round_trip::<FamilyId>(&text);
                assert_round_trip::<DeviceId>(&text);
                assert_round_trip::<RevocationId>(&text);
                assert_round_trip::<ApiKeyId>(&text);
                assert_round_trip::<RoleId>(&text);
                assert_round_trip::<GroupId>(&text);
            }
            prop_assert_eq!(UserId::from_bytes(bytes).to_string().parse(), Ok(UserId::from_bytes(bytes)));
        }
    }

    #[test]
    fn a_client_id_that_looks_like_a_subject_is_recognised() {
        let id: ClientId = "018f3c2e-7b1a-7000-8000-0123456789ab".parse().unwrap();
        assert!(id.resembles_a_subject());
        assert!(!"web".parse::<ClientId>().unwrap().resembles_a_subject());
    }

    #[test]
    fn a_client_id_holds_visible_ascii_only() {
        for text in ["", "a b", "caf\u{e9}", "a\n", &"x".repeat(513)] {
            assert!(text.parse::<ClientId>().is_err(), "{text:?}");
        }
    }
}
