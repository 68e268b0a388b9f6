//! The address that a proof is for, in the one spelling that equal addresses share
//! ([RFC 3986 §6.2.2](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2), §6.2.3; RFC 9449 §4.3).

use std::str::FromStr;

use url::Url;

use crate::invalid::Invalid;

/// An http or https address without query and fragment, normalised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProofUri {
    origin: String,
    path: String,
}

impl FromStr for ProofUri {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let url = Url::parse(text).map_err(|_| Invalid("htu"))?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain {
            return Err(Invalid("htu"));
        }

        // The library has already lowered the case, dropped the default port and resolved the dots.
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path: without_needless_escapes(url.path()),
        })
    }
}

/// Escapes of characters that need none are undone; the hexadecimal digits of others are raised.
fn without_needless_escapes(path: &str) -> String {
    let mut parts = path.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits.map(char::from) {
            Some(character) if character.is_ascii_alphanumeric() || "-._~".contains(character) => {
                plain.push(character);
                plain.push_str(&part[2..]);
            }
            Some(_) => {
                plain.push('%');
                plain.push_str(&part[..2].to_ascii_uppercase());
                plain.push_str(&part[2..]);
            }
            None => {
                plain.push('%');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_only_where_they_mean_nothing() {
        for (path, plain) in [
            ("/%7Ea%2db", "/~a-b"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%", "/a%"),
            ("/a%zz", "/a%zz"),
            ("/a%e2%82%ac", "/a%E2%82%AC"),
        ] {
            assert_eq!(without_needless_escapes(path), plain, "{path}");
        }
    }
}
