//! The words of roles: what they, their permissions and groups of people are called.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Invalid, Resource, person::text};

text! {
    /// What a role is called.
    Role, "role", |text| word(text, 64, "-_:.").then(|| text.to_owned());
    /// Something that may be done at an API, in the API's own word.
    Permission, "permission", |text| word(text, 128, "-_:./").then(|| text.to_owned());
    /// What a group of people is called.
    GroupName, "group", |text| word(text, 64, "-_:.").then(|| text.to_owned());
}

/// Whether this is one to so many ASCII letters, digits and these other characters.
fn word(text: &str, longest: usize, others: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=longest).contains(&text.len()) && text.chars().all(plain)
}

/// Which role of which API: `https://api.example.com#editor`. An identifier of an API has no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAddress {
    /// The API.
    pub resource: Resource,
    /// What it calls the role.
    pub name: Role,
}

impl FromStr for RoleAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (resource, name) = text.split_once('#').ok_or(Invalid("role"))?;
        Ok(Self { resource: resource.parse()?, name: name.parse()? })
    }
}

impl fmt::Display for RoleAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.resource, self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn a_word_of_roles_survives_its_text(text in "[a-zA-Z0-9:._/-]{1,130}|\\PC{0,70}|.{0,4}") {
            assert_round_trip::<Role>(&text);
            assert_round_trip::<Permission>(&text);
            assert_round_trip::<GroupName>(&text);
        }

        #[test]
        fn an_address_of_a_role_survives_its_text(
            text in "(https?://|urn:)[!-~]{1,40}#[a-zA-Z0-9:._-]{1,66}|\\PC{0,40}#\\PC{0,8}",
        ) {
            assert_round_trip::<RoleAddress>(&text);
        }
    }

    #[test]
    fn a_word_of_roles_fits_into_a_token_and_on_a_line() {
        for text in ["", "a b", "a\"b", "caf\u{e9}", "a,b", "a#b", "a\n", &"x".repeat(129)] {
            assert!(text.parse::<Role>().is_err(), "{text:?}");
            assert!(text.parse::<Permission>().is_err(), "{text:?}");
            assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        }
        assert!("orders/42:read".parse::<Permission>().is_ok());
        assert!("a/b".parse::<Role>().is_err() && "x".repeat(65).parse::<Role>().is_err());
    }

    #[test]
    fn a_role_is_addressed_by_its_api_and_its_name() {
        let address: RoleAddress = "https://api.test#orders:editor".parse().unwrap();
        assert_eq!(
            (&*address.resource.to_string(), address.name.as_str()),
            ("https://api.test", "orders:editor")
        );
        for text in
            ["editor", "https://api.test", "https://api.test#", "#editor", "https://api.test#a#b"]
        {
            assert!(text.parse::<RoleAddress>().is_err(), "{text}");
        }
    }
}
