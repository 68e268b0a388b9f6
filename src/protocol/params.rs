//! The parameters of a request
//! ([RFC 6749 §3.1 and Appendix B](https://www.rfc-editor.org/rfc/rfc6749#appendix-B)).

use std::fmt;

use url::form_urlencoded;

use super::{ErrorCode::InvalidRequest, OAuthError};

/// The parameters that may come several times
/// ([RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2)).
const MULTIPLE: [&str; 2] = ["audience", "resource"];

/// More parameters than any request needs.
const MOST: usize = 128;

/// Decoded parameters in their order. Those without a value count as absent. Passwords, codes and
/// tokens come as such, so that only names are ever printed.
#[derive(Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Read `application/x-www-form-urlencoded` text strictly.
    ///
    /// # Errors
    /// `invalid_request` when an escape is broken, the text is not UTF-8, or there are far too many.
    pub fn parse(encoded: &str) -> Result<Self, OAuthError> {
        let pairs = encoded.split('&').filter(|pair| !pair.is_empty());
        let mut params = Vec::new();
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.push((decode(name)?, decode(value)?));
            if params.len() > MOST {
                return Err(InvalidRequest.because("the request has too many parameters"));
            }
        }
        params.retain(|(_, value)| !value.is_empty());
        Ok(Self(params))
    }

    /// The same parameters, encoded anew: nothing but letters, digits and a few signs.
    #[must_use]
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// The value of a parameter that may come once.
    ///
    /// # Errors
    /// `invalid_request` when it comes more than once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.many(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(repeated(name)),
            (value, None) => Ok(value),
        }
    }

    /// The value of a parameter that must come exactly once.
    ///
    /// # Errors
    /// `invalid_request` when it is missing or comes more than once.
    pub fn required(&self, name: &str) -> Result<&str, OAuthError> {
        self.one(name)?.ok_or_else(|| InvalidRequest.because(format!("{name} is missing")))
    }

    /// Every value of a parameter.
    pub fn many<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Check that nothing is repeated that must not be
    /// ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
    ///
    /// # Errors
    /// `invalid_request` when something is.
    pub fn without_repeats(&self) -> Result<(), OAuthError> {
        let twice = self.0.iter().enumerate().find(|(at, (name, _))| {
            !MULTIPLE.contains(&name.as_str())
                && self.0.iter().take(*at).any(|(earlier, _)| earlier == name)
        });
        twice.map_or(Ok(()), |_| Err(InvalidRequest.because("a parameter is repeated")))
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn repeated(name: &str) -> OAuthError {
    InvalidRequest.because(format!("{name} is repeated"))
}

pub(super) fn decode(text: &str) -> Result<String, OAuthError> {
    let broken = || InvalidRequest.because("the request is not valid form encoding");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || {
                    rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(broken)
                };
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).map_err(|_| broken())?
            }
            // Everything else that is not visible ASCII travels escaped.
            b' '..=b'~' => byte,
            _ => return Err(broken()),
        });
    }
    // No value of ours holds a NUL, and PostgreSQL could not keep one.
    if bytes.contains(&0) {
        return Err(broken());
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_without_a_value_counts_as_absent() {
        let params = Params::parse("state=&scope=openid&flag").unwrap();
        assert_eq!(params.one("state"), Ok(None));
        assert_eq!(params.one("flag"), Ok(None));
        assert_eq!(params.one("scope"), Ok(Some("openid")));
    }

    #[test]
    fn values_are_never_printed() {
        let params = Params::parse("username=ada&password=hunter2").unwrap();
        assert_eq!(format!("{params:?}"), r#"{"username", "password"}"#);
    }

    #[test]
    fn only_resource_may_be_repeated() {
        let params = Params::parse("resource=a&resource=b&state=1").unwrap();
        assert_eq!(params.without_repeats(), Ok(()));
        assert_eq!(params.many("resource").collect::<Vec<_>>(), ["a", "b"]);
        let params = Params::parse("state=1&foo=1&foo=2").unwrap();
        assert!(params.without_repeats().is_err());
        assert!(params.one("foo").is_err());
    }

    #[test]
    fn broken_encodings_are_refused() {
        for text in ["a=%", "a=%2", "a=%zz", "a=%ff", "a=%C3%28", "a=%00", "a=\n", "a=\u{e4}"] {
            assert!(Params::parse(text).is_err(), "{text}");
        }
        assert_eq!(Params::parse("a=%C3%A4+b").unwrap().one("a"), Ok(Some("ä b")));
    }

    #[test]
    fn what_is_encoded_anew_is_the_same_and_plain() {
        let text = "a=%C3%A4+b&state=x\"<y>&&empty=&a=%0d%0a";
        let encoded = Params::parse(text).unwrap().encode();
        assert_eq!(encoded, "a=%C3%A4+b&state=x%22%3Cy%3E&a=%0D%0A");
        assert_eq!(Params::parse(&encoded).unwrap().encode(), encoded);
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        assert!(Params::parse(&"a=1&".repeat(2000)).is_err());
    }
}
