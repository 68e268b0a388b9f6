//! What a token has to be for its reader
//! ([RFC 8725 §3](https://www.rfc-editor.org/rfc/rfc8725#section-3)).

use crate::{algorithm::Algorithm, timestamp::Timestamp};

/// What the reader of a token insists on.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The type it must have.
    pub typ: Typ<'a>,
    /// The issuer it must come from, byte for byte; any, if none is given.
    pub issuer: Option<&'a str>,
    /// The names one of which must be in its audience; any, if none are given.
    pub audience: Option<&'a [&'a str]>,
    /// The algorithms it may be signed with.
    pub algorithms: &'a [Algorithm],
    /// Whether it must not have expired.
    pub expiry: Expiry,
    /// The present.
    pub now: Timestamp,
    /// How many seconds after `exp` the token still counts, since clocks differ.
    pub leeway: i64,
    /// How many seconds the issuer's clock may be ahead: `nbf` and `iat` may lie that far in the
    /// future.
    pub ahead: i64,
}

/// What `exp` must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It must be there and not have passed.
    Required,
    /// It may be absent or have passed, as in the hint of a user's former ID token.
    Ignored,
}

/// What `typ` must say (RFC 8725 §3.11). Case and a leading `application/` make no difference
/// (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug)]
pub enum Typ<'a> {
    /// Exactly this.
    Is(&'a str),
    /// One of these.
    OneOf(&'a [&'a str]),
    /// One of these, or nothing at all: for tokens whose makers never learnt to declare a type.
    AbsentOr(&'a [&'a str]),
}

impl Typ<'_> {
    pub(crate) fn accepts(self, typ: Option<&str>) -> bool {
        match (self, typ) {
            (Self::AbsentOr(_), None) => true,
            (Self::Is(_) | Self::OneOf(_), None) => false,
            (Self::Is(only), Some(typ)) => same_type(only, typ),
            (Self::OneOf(some) | Self::AbsentOr(some), Some(typ)) => {
                some.iter().any(|each| same_type(each, typ))
            }
        }
    }
}

fn same_type(one: &str, other: &str) -> bool {
    subtype(one).eq_ignore_ascii_case(subtype(other))
}

fn subtype(typ: &str) -> &str {
    const PREFIX: &str = "application/";

    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case(PREFIX) => subtype,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_the_application_prefix_make_no_difference() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            assert!(Typ::Is("at+jwt").accepts(Some(typ)), "{typ}");
            assert!(Typ::Is("application/at+jwt").accepts(Some(typ)), "{typ}");
        }
        for typ in ["", "jwt", "at+jwt ", "text/at+jwt", "application/", "applicatioñ/at+jwt"] {
            assert!(!Typ::Is("at+jwt").accepts(Some(typ)), "{typ}");
        }
    }

    #[test]
    fn only_absent_or_accepts_a_token_without_a_type() {
        assert!(Typ::AbsentOr(&["JWT"]).accepts(None));
        assert!(Typ::AbsentOr(&["JWT"]).accepts(Some("jwt")));
        assert!(!Typ::AbsentOr(&["JWT"]).accepts(Some("at+jwt")));
        assert!(!Typ::OneOf(&["JWT"]).accepts(None));
        assert!(!Typ::Is("JWT").accepts(None));
    }
}
