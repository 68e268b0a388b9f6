//! The name of an authorization server, `iss`
//! ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).

use std::{fmt, str::FromStr};

use url::{Host, Url};

use crate::{invalid::Invalid, text::travels_as_text};

/// An `https` URL, or an `http` one on a loopback host, without query, fragment, credentials or
/// trailing slash. It is kept and compared byte for byte as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    text: String,
    origin: String,
    path_at: usize,
}

impl Issuer {
    /// The issuer as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The origin a browser would name: scheme, host, and the port unless it is the usual one.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// What follows the host: nothing, or a path such as `/t1`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.path_at..]
    }

    /// The address of `path`, which begins with a slash, below this issuer.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// Where it says of itself what it is: by RFC 8414 §3.1, and by OpenID Connect Discovery 1.0 §4.
    #[must_use]
    pub fn metadata_addresses(&self) -> [String; 2] {
        let (origin, path) = (&self.origin, self.path());
        [
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}{path}/.well-known/openid-configuration"),
        ]
    }

    /// Whether it is reached over TLS; if not, its host is a loopback one.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }
}

impl FromStr for Issuer {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        parse(text).ok_or(Invalid("issuer"))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

travels_as_text!(Issuer);

fn parse(text: &str) -> Option<Issuer> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let authority = rest.split('/').next()?;
    let path_at = text.len() - rest.len() + authority.len();
    let path = &text[path_at..];

    // URL parsers repair much: they trim, drop line breaks, turn backslashes and supply slashes.
    // Two readers of one issuer must never see two addresses, so nothing that needs repair passes.
    let plain = |byte: u8| byte.is_ascii_graphic() && !br#"\?#@"<>^`{|}"#.contains(&byte);
    if authority.is_empty() || authority.ends_with(':') || !text.bytes().all(plain) {
        return None;
    }

    let url = Url::parse(text).ok()?;
    let path_is_canonical = url.path() == if path.is_empty() { "/" } else { path };
    if path.ends_with('/') || !path_is_canonical {
        return None;
    }

    let trusted = url.scheme() == "https" || is_loopback(&url.host()?);
    let origin = url.origin().ascii_serialization();
    trusted.then(|| Issuer { text: text.to_owned(), origin, path_at })
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_a_path_is_asked_where_the_standards_say() {
        assert_eq!(
            issuer("https://id.example.com/tenant").metadata_addresses(),
            [
                "https://id.example.com/.well-known/oauth-authorization-server/tenant",
                "https://id.example.com/tenant/.well-known/openid-configuration",
            ]
        );
    }

    fn issuer(text: &str) -> Issuer {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_kept_byte_for_byte() {
        for text in [
            "https://a",
            "https://id.example.com:8443/t1",
            "https://Example.com:443",
            "https://[2001:db8::1]/a/b",
            "http://localhost:8080",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:9/x",
        ] {
            assert_eq!(issuer(text).to_string(), text);
        }
    }

    #[test]
    fn whatever_could_be_read_as_another_address_is_refused() {
        for text in [
            "",
            "a",
            "https://",
            "https:///a",
            "https:a",
            "HTTPS://a",
            "ftp://a",
            "http://example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "https://a/",
            "https://a/t1/",
            "https://a//",
            "https://a?",
            "https://a?b",
            "https://a#",
            "https://a#b",
            "https://user@a",
            "https://user:password@a",
            "https://@a",
            "https://a:",
            "https://a:99999",
            "https://a/../b",
            "https://a/%2e%2e/b",
            "https://a\\b",
            " https://a",
            "https://a ",
            "https://a\n",
            "https://a/b c",
            "https://a/é",
        ] {
            assert_eq!(text.parse::<Issuer>(), Err(Invalid("issuer")), "{text:?}");
        }
    }

    #[test]
    fn it_knows_its_parts() {
        let tenant = issuer("https://a:8443/t1");
        assert_eq!((tenant.origin().as_str(), tenant.path()), ("https://a:8443", "/t1"));
        assert_eq!(tenant.join("/token"), "https://a:8443/t1/token");
        assert!(tenant.is_https());

        let local = issuer("http://[::1]:9");
        assert_eq!((local.origin().as_str(), local.path()), ("http://[::1]:9", ""));
        assert!(!local.is_https());
    }
}
