//! The code that a person reads off one screen and types into another
//! ([RFC 8628 §6.1](https://www.rfc-editor.org/rfc/rfc8628#section-6.1)).

use std::{fmt, str::FromStr};

use super::Invalid;

/// Letters that make no words and are on every keyboard without a modifier.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// How many of them a code has: 34.5 bits.
const LENGTH: usize = 8;

/// A user code. It is not printed: whoever knows it may answer for the device that shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    /// A code from fresh randomness, every one as likely as every other: none, where so many bytes had
    /// to be left out for that (one draw in six million) that no code came of it.
    #[must_use]
    pub fn draw(random: [u8; 16]) -> Option<Self> {
        // 240 is the largest multiple of twenty that a byte holds.
        let fair = random.into_iter().filter(|byte| *byte < 240);
        let mut letters = fair.filter_map(|byte| LETTERS.get(usize::from(byte % 20)).copied());
        let mut code = [0; LENGTH];
        for place in &mut code {
            *place = letters.next()?;
        }
        Some(Self(code))
    }

    /// The letters alone.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The code as people see it: `WDJB-MJHT`.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut text: String = self.0.iter().copied().map(char::from).collect();
        text.insert(LENGTH / 2, '-');
        text
    }
}

impl FromStr for UserCode {
    type Err = Invalid;

    /// Case, dashes and whatever else is no letter of a code do not count.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let letters = text.bytes().map(|byte| byte.to_ascii_uppercase());
        let letters: Vec<u8> = letters.filter(|letter| LETTERS.contains(letter)).collect();
        letters.try_into().map(Self).map_err(|_| Invalid("user_code"))
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_survives_its_text(random: [u8; 16]) {
            if let Some(code) = UserCode::draw(random) {
                prop_assert_eq!(code.expose().parse(), Ok(code));
                prop_assert_eq!(code.expose().len(), 9);
            }
        }

        #[test]
        fn no_text_is_too_strange_to_refuse(text: String) {
            let _ = text.parse::<UserCode>();
        }
    }

    #[test]
    fn how_a_code_is_typed_does_not_matter() {
        let code: UserCode = "WDJB-MJHT".parse().unwrap();
        for typed in
            ["wdjb-mjht", "WDJBMJHT", " w d j b m j h t ", "wdjb\u{2013}mjht", "W.D.J.B_MJHT"]
        {
            assert_eq!(typed.parse(), Ok(code), "{typed}");
        }
        for typed in ["", "WDJB-MJH", "WDJB-MJHTT", "AEIO-UAEI", "WDJB-MJH7"] {
            assert!(typed.parse::<UserCode>().is_err(), "{typed}");
        }
    }

    #[test]
    fn every_letter_is_as_likely_as_every_other() {
        let codes = (0..240_u8).filter_map(|byte| UserCode::draw([byte; 16]));
        let mut drawn = [0; 256];
        for code in codes {
            drawn[usize::from(code.as_bytes()[0])] += 1;
        }
        assert!(LETTERS.iter().all(|letter| drawn[usize::from(*letter)] == 12));
        assert!(UserCode::draw([240; 16]).is_none());
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", "WDJB-MJHT".parse::<UserCode>().unwrap()), "UserCode(…)");
    }
}
