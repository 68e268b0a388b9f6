//! Addresses that clients and APIs register. Each keeps the text it was given: what is compared later
//! is that text, byte for byte ([RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Invalid;

/// The loopback hosts whose port a native app may choose anew for each request
/// ([RFC 8252 §7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes without a dot that well-known desktop programs have registered for themselves.
const WELL_KNOWN_SCHEMES: [&str; 8] =
    ["cursor", "vscode", "vscode-insiders", "vscodium", "windsurf", "zed", "jetbrains", "claude"];

macro_rules! address {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $valid:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The address as it was registered.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let valid: fn(&str) -> bool = $valid;
                valid(text).then(|| Self(text.to_owned())).ok_or(Invalid($what))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(uri: $name) -> Self {
                uri.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

address! {
    /// Where an authorization response may go
    /// ([RFC 6749 §3.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2)): https, http on a
    /// loopback host, or a private-use scheme of a native app; without a fragment.
    RedirectUri, "redirect_uri", leads_to_a_client;
    /// Where a person may be sent after signing out
    /// ([RP-Initiated Logout §3](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout)).
    PostLogoutUri, "post_logout_redirect_uri", leads_to_a_client;
    /// A protected API, as it is named in `resource` and `aud`
    /// ([RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2)).
    Resource, "resource", names_a_resource;
    /// A page or picture that the sign-in pages may point to.
    WebUri, "web address", is_a_web_page;
}

impl RedirectUri {
    /// Whether a request that asks for `presented` may be answered there: the same text, or the same
    /// but for the port when this is a loopback address.
    #[must_use]
    pub fn admits(&self, presented: &str) -> bool {
        same_but_for_a_loopback_port(&self.0, presented)
    }

    /// Whether only programs on the person's own machine can listen there.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        split_loopback(&self.0).is_some()
    }
}

impl PostLogoutUri {
    /// Whether a request that asks for `presented` may be answered there.
    #[must_use]
    pub fn admits(&self, presented: &str) -> bool {
        same_but_for_a_loopback_port(&self.0, presented)
    }
}

impl Resource {
    /// Whether `presented` names this resource: scheme and host in any case, and with or without the
    /// slash that URL parsers add to an empty path.
    #[must_use]
    pub fn is_named_by(&self, presented: &str) -> bool {
        canonical(&self.0) == canonical(presented)
    }

    /// The form that all spellings of one resource share.
    #[must_use]
    pub fn canonical(&self) -> String {
        canonical(&self.0)
    }
}

/// Whether `presented` equals `registered`, where a loopback address may differ in its port.
fn same_but_for_a_loopback_port(registered: &str, presented: &str) -> bool {
    registered == presented
        || matches!(
            (split_loopback(registered), split_loopback(presented)),
            (Some(one), Some(other)) if one == other
        )
}

/// The host of an http loopback address and what follows its port, if this is one.
fn split_loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = LOOPBACK.into_iter().find(|host| rest.starts_with(host))?;
    let (host, rest) = rest.split_at(host.len());
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = port.split_at(digits);
            // In one spelling only: without zeros before it.
            (digits <= 5 && !port.starts_with('0') && port.parse::<u16>().is_ok())
                .then_some(rest)?
        }
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

fn leads_to_a_client(text: &str) -> bool {
    let Some(url) = plain(text) else { return false };
    let known = match url.scheme() {
        "https" => is_web_host(&url),
        "http" => is_loopback_host(&url) && names_its_host(text, &url),
        scheme => is_private_use(scheme),
    };
    // Comparing, and the policy of pages, take the scheme as it is written.
    known && text.starts_with(url.scheme()) && !answers_by_itself(&url)
}

/// Whether the host is written as it is understood: `127.1` and `2130706433` are 127.0.0.1 to some.
fn names_its_host(text: &str, url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        authority(text)
            .strip_prefix(host)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

/// Whether the address holds a parameter of an answer already: the client would find two
/// ([RFC 9207 §2](https://www.rfc-editor.org/rfc/rfc9207#section-2)).
fn answers_by_itself(url: &Url) -> bool {
    const ANSWER: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];
    url.query_pairs().any(|(name, _)| ANSWER.contains(&&*name))
}

fn names_a_resource(text: &str) -> bool {
    let Some(url) = plain(text) else { return false };
    match url.scheme() {
        "https" => is_web_host(&url),
        "http" => is_loopback_host(&url),
        scheme => scheme == "urn",
    }
}

fn is_a_web_page(text: &str) -> bool {
    plain(text).is_some_and(|url| {
        url.scheme() == "https" && is_web_host(&url)
            || url.scheme() == "http" && is_loopback_host(&url)
    })
}

/// An absolute URI of visible ASCII without fragment, backslash or user information.
fn plain(text: &str) -> Option<Url> {
    let visible = text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    let forbidden = text.contains(['#', '\\', '<', '>', '"', '`', '{', '}', '^', '|', '\'']);
    if !visible || forbidden || text.len() > 2048 {
        return None;
    }
    let url = Url::parse(text).ok()?;
    // URL parsers repair `https:app.test`; what is compared later is the text, so it must be right.
    let whole = !matches!(url.scheme(), "http" | "https") || names_a_host(authority(text));
    let plain = url.username().is_empty() && url.password().is_none();
    (whole && plain && !authority(text).contains('@')).then_some(url)
}

/// Whether this is a host, and a port if it likes. URL parsers let more pass: a semicolon or a comma
/// would end a source of a content security policy, and a star would read as a wildcard there.
fn names_a_host(authority: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !authority.is_empty() && authority.bytes().all(plain)
}

fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or("")
}

fn is_web_host(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty())
}

fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A scheme that belongs to one app: reversed domain names have a dot
/// ([RFC 8252 §7.1](https://www.rfc-editor.org/rfc/rfc8252#section-7.1)), and a few programs are
/// known without one. `javascript`, `data`, `file` and their like have neither.
fn is_private_use(scheme: &str) -> bool {
    scheme.contains('.') || WELL_KNOWN_SCHEMES.contains(&scheme)
}

/// Scheme and authority in lower case, and a path that is never empty
/// ([RFC 3986 §6.2.2.1 and §6.2.3](https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2.1)).
fn canonical(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{}://{}{slash}{path}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::values::fixtures::assert_round_trip;

    proptest! {
        #[test]
        fn an_address_survives_its_text(
            text in "\\PC{0,60}|(https?|urn|com\\.app|[a-z]{1,8}):(//)?[!-~]{0,60}",
        ) {
            assert_round_trip::<RedirectUri>(&text);
            assert_round_trip::<PostLogoutUri>(&text);
            assert_round_trip::<Resource>(&text);
            assert_round_trip::<WebUri>(&text);
            if let Ok(resource) = text.parse::<Resource>() {
                prop_assert!(resource.is_named_by(&resource.canonical()));
            }
            if let Ok(uri) = text.parse::<RedirectUri>() {
                prop_assert!(uri.admits(&text));
            }
        }
    }

    fn redirect(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_redirect_address_is_compared_character_by_character() {
        let registered = redirect("https://app.test/cb");
        assert!(registered.admits("https://app.test/cb"));
        for other in [
            "https://app.test/cb/",
            "https://app.test/cb?x=1",
            "https://app.test/CB",
            "https://app.test/c%62",
            "https://app.test:443/cb",
            "HTTPS://APP.TEST/cb",
            "https://app.test./cb",
            "https://app.test@evil.test/cb",
            "https://app.test/cb/../../evil",
            "https://app.test.evil.test/cb",
            "https://evilapp.test/cb",
            "https://app.test/cb#x",
            "http://127.0.0.1:1/cb",
        ] {
            assert!(!registered.admits(other), "{other}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        for (registered, presented) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
            ("http://[::1]/cb", "http://[::1]:5/cb"),
            ("http://localhost/callback", "http://localhost:54213/callback"),
            ("http://localhost:3118/callback", "http://localhost:3119/callback"),
            ("http://127.0.0.1:33418/", "http://127.0.0.1/"),
        ] {
            assert!(redirect(registered).admits(presented), "{registered} {presented}");
        }
        let registered = redirect("http://127.0.0.1/cb");
        for presented in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:1@evil.test/cb",
            "http://127.0.0.1.evil.test/cb",
            "http://127.0.0.2:1/cb",
            "https://127.0.0.1:1/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:00080/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:1/cb?x=1",
            "http://localhost:1/cb",
            "http://localhost.evil.test:1/cb",
        ] {
            assert!(!registered.admits(presented), "{presented}");
        }
    }

    #[test]
    fn an_address_that_could_run_code_or_reach_elsewhere_cannot_be_registered() {
        for text in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "about:blank",
            "blob:https://app.test/x",
            "https://app.test/cb#fragment",
            "https://app.test/cb#",
            "https://user@app.test/cb",
            "https://*.app.test/cb",
            "https://app.example.com*",
            "https://app.test;script-src/cb",
            "https://app.test,evil.test/cb",
            "https://app.test%3bx/cb",
            "http://localhost;x/cb",
            "https:app.test",
            "http://app.test/cb",
            "HTTPS://app.test/cb",
            "http://127.1/cb",
            "http://2130706433/cb",
            "https://app.test/cb?code=1",
            "https://app.test/cb?a=1&i%73s=z",
            "https://\u{430}pp.test/cb",
            "https://app.test\\@evil.test/cb",
            "https://app.test/c b",
            "myapp:/cb",
            "/cb",
            "",
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_addresses_of_shipping_clients_can_be_registered() {
        for text in [
            "com.example.app:/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "http://localhost:8787/callback",
            "http://127.0.0.1/",
            "https://vscode.dev/redirect",
            "https://app.test/cb?dummy1=lorem&dummy2=ipsum",
            "https://app.test/cb;v=1,2*",
        ] {
            assert!(text.parse::<RedirectUri>().is_ok(), "{text}");
        }
    }

    #[test]
    fn one_resource_has_several_spellings() {
        let resource: Resource = "https://mcp.example.com".parse().unwrap();
        assert!(resource.is_named_by("https://mcp.example.com/"));
        assert!(resource.is_named_by("HTTPS://MCP.example.com"));
        for other in [
            "https://mcp.example.com/x",
            "https://mcp.example.com:8443",
            "https://mcp.example.com?x=1",
            "https://mcp.example.com/#x",
        ] {
            assert!(!resource.is_named_by(other), "{other}");
        }
    }
}
