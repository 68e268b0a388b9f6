//! How and when a person signed in, and what a request asks of it
//! ([OpenID Connect Core §2 and §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Invalid, SessionId, Timestamp};

/// The authentication context class that a sign-in reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Acr {
    /// One factor: a password.
    #[serde(rename = "urn:signet:acr:password")]
    Password,
}

impl Acr {
    /// Every class that this server can reach, weakest first.
    pub const ALL: [Self; 1] = [Self::Password];

    /// The class as `acr` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "urn:signet:acr:password",
        }
    }
}

impl FromStr for Acr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == text).ok_or(Invalid("acr"))
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A method of authentication ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Amr {
    /// A password.
    #[serde(rename = "pwd")]
    Password,
}

/// A sign-in as tokens tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The session that began with it: `sid`.
    pub session: SessionId,
    /// When it happened: `auth_time`.
    pub at: Timestamp,
    /// The class that it reached: `acr`.
    pub acr: Acr,
    /// The methods that were used: `amr`.
    pub amr: BTreeSet<Amr>,
}

/// One wish about what the person is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Prompt {
    /// Nothing at all.
    None,
    /// A new sign-in.
    Login,
    /// The question what the client may do.
    Consent,
    /// The choice between accounts.
    SelectAccount,
}

impl Prompt {
    /// Every value that this server supports.
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    /// The wish as `prompt` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }
}

/// The wishes of one request: `none` stands alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompts(BTreeSet<Prompt>);

impl Prompts {
    /// Whether the request has this wish.
    #[must_use]
    pub fn contains(&self, prompt: Prompt) -> bool {
        self.0.contains(&prompt)
    }
}

impl FromStr for Prompts {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known =
            |word| Prompt::ALL.into_iter().find(|p| p.as_str() == word).ok_or(Invalid("prompt"));
        let prompts: BTreeSet<Prompt> =
            text.split(' ').map(known).collect::<Result<_, Invalid>>()?;
        if prompts.contains(&Prompt::None) && prompts.len() > 1 {
            return Err(Invalid("prompt"));
        }
        Ok(Self(prompts))
    }
}

/// How long ago a sign-in may be, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxAge(pub i64);

impl FromStr for MaxAge {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.then(|| text.parse().ok()).flatten();
        seconds.map(Self).ok_or(Invalid("max_age"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn how_a_person_signed_in_survives_its_text(text in "\\PC{0,40}", seconds in 0..=i64::MAX) {
            assert_round_trip::<Acr>(&text);
            let _ = text.parse::<Prompts>();
            let _ = text.parse::<MaxAge>();
            prop_assert_eq!(seconds.to_string().parse(), Ok(MaxAge(seconds)));
        }
    }

    #[test]
    fn every_class_survives_its_text() {
        for acr in Acr::ALL {
            assert_eq!(acr.to_string().parse(), Ok(acr));
        }
    }

    #[test]
    fn prompt_none_stands_alone() {
        assert!("none".parse::<Prompts>().is_ok());
        assert!("none login".parse::<Prompts>().is_err());
        assert!("login consent".parse::<Prompts>().unwrap().contains(Prompt::Consent));
    }

    #[test]
    fn max_age_is_a_whole_number_of_seconds_and_not_negative() {
        assert_eq!("0".parse(), Ok(MaxAge(0)));
        for text in ["", "-1", "1.5", "+1", "ten", "99999999999999999999"] {
            assert!(text.parse::<MaxAge>().is_err(), "{text}");
        }
    }
}
