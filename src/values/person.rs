//! What is known of a person, in the words of
//! [OpenID Connect Core §5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Invalid, Secret, WebUri};

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $read:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let read: fn(&str) -> Option<String> = $read;
                read(text).map(Self).ok_or(Invalid($what))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

pub(super) use text;

text! {
    /// What a person types to sign in: up to 128 visible characters without `@`, so that it is never
    /// somebody's address; kept in lower case, since people do not remember theirs.
    Username, "username", |text| {
        // Some letters become two in lower case: what counts is what is kept.
        let text = text.to_lowercase();
        let fits = (1..=128).contains(&text.chars().count());
        let visible = text.chars().all(|c| !c.is_whitespace() && keeps_the_line(c) && c != '@');
        (fits && visible).then_some(text)
    };
    /// An e-mail address: a local part, one `@` and a domain; kept in lower case.
    Email, "email", |text| {
        let text = text.to_lowercase();
        let (local, domain) = text.rsplit_once('@')?;
        let visible = text.chars().all(|c| !c.is_whitespace() && keeps_the_line(c));
        let fits = text.len() <= 254 && !local.is_empty() && !local.contains('@');
        let dotted = domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
        (visible && fits && dotted).then_some(text)
    };
    /// An Argon2id hash in the PHC string format, its parameters and salt included.
    PasswordHash, "password hash", |text| text.starts_with("$argon2id$").then(|| text.to_owned());
}

/// Whether people see a character for what it is: not a control character, and not one that turns the
/// direction of what stands around it
/// ([Unicode UAX #9 §2](https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters)).
#[must_use]
pub fn keeps_the_line(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !turns && !c.is_control()
}

/// A password as somebody typed it: never empty, never so long that hashing it would be an attack.
#[derive(Clone, Debug)]
pub struct Password(Secret<String>);

impl Password {
    /// The fewest characters that a new password may have.
    pub const LEAST: usize = 8;

    /// The password's bytes, for the hash alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }

    /// Whether it is long enough to be chosen anew.
    #[must_use]
    pub fn is_long_enough(&self) -> bool {
        self.0.expose().chars().count() >= Self::LEAST
    }
}

impl FromStr for Password {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        (1..=1024)
            .contains(&text.len())
            .then(|| Self(Secret::new(text.to_owned())))
            .ok_or(Invalid("password"))
    }
}

/// The standard claims about a person that are not identifiers here. Absent ones are left out of
/// every answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// The full name, in displayable form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Surnames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// A casual name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The shorthand that the person wishes to be referred to by, where it is not the username.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The person's profile page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<WebUri>,
    /// The person's picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<WebUri>,
    /// The person's web page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<WebUri>,
    /// The person's gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// The birthday: `YYYY-MM-DD`, `0000-MM-DD` or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// The time zone, as the tz database names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// The locale, as a BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The telephone number, in E.164 form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the number is known to be the person's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_verified: bool,
    /// The postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address
/// ([OpenID Connect Core §5.1.1](https://openid.net/specs/openid-connect-core-1_0.html#AddressClaim)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// The whole address, as on a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// Street, house number and what else comes before the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    /// City or locality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    /// State, province or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Zip or postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn what_is_known_of_a_person_survives_its_text(text in "\\PC{0,130}|.{0,4}") {
            assert_round_trip::<Username>(&text);
            assert_round_trip::<Email>(&text);
            assert_round_trip::<PasswordHash>(&text);
            let _ = text.parse::<Password>();
        }

        #[test]
        fn an_address_survives_its_text(text in "[a-zA-ZßİΣǅ.+]{1,130}@[a-zA-Zßİ-]{1,63}(\\.[A-Zİ]{2,63}){0,2}") {
            assert_round_trip::<Email>(&text);
        }

        #[test]
        fn a_hash_survives_its_text(text in "[a-zA-Z0-9:._-]{1,66}") {
            assert_round_trip::<PasswordHash>(&format!("$argon2id${text}"));
        }
    }

    #[test]
    fn a_name_that_grows_in_lower_case_is_measured_as_it_is_kept() {
        assert!("İ".repeat(64).parse::<Username>().is_ok());
        assert!("İ".repeat(65).parse::<Username>().is_err());
        assert!(format!("{}@example.com", "Ⱥ".repeat(121)).parse::<Email>().is_err());
        assert!(format!("{}@example.com", "Ⱥ".repeat(80)).parse::<Email>().is_ok());
    }

    #[test]
    fn a_username_is_never_somebodys_address() {
        assert_eq!("Alice".parse::<Username>().unwrap().as_str(), "alice");
        for text in ["", "alice@example.com", "a b", "a\u{0}b", "a\u{202e}b", &"x".repeat(129)] {
            assert!(text.parse::<Username>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_email_has_a_local_part_and_a_domain() {
        assert_eq!("Bob@Example.COM".parse::<Email>().unwrap().as_str(), "bob@example.com");
        for text in ["", "bob", "@example.com", "bob@", "b ob@example.com", "a@b@c", "a@b..c"] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_password_keeps_every_character_up_to_its_bound() {
        assert!("p".repeat(1024).parse::<Password>().is_ok());
        assert!("p".repeat(1025).parse::<Password>().is_err());
        assert!("pässwör".parse::<Password>().is_ok_and(|password| !password.is_long_enough()));
        assert!("pässwört".parse::<Password>().is_ok_and(|password| password.is_long_enough()));
    }
}
