//! What a request presents itself with
//! ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1),
//! [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).

use std::{fmt, net::IpAddr};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What API keys of signet begin with.
const API_KEY_PREFIX: &str = "sgk_";

/// Where a request comes from. Put one into a request's extensions, in front of the guard, if you know
/// better than the connection does: behind a proxy that you trust. A key that is bound to networks needs
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub IpAddr);

/// What of a request a guard looks at. It is cheap to take, and holds on to nothing of the body.
#[derive(Clone, Debug)]
pub struct Presented {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    authorization: Several,
    proof: Several,
    api_key: Several,
    pub(crate) address: Option<IpAddr>,
}

/// A header that a request may have once.
#[derive(Clone)]
enum Several {
    None,
    One(HeaderValue),
    Many,
}

/// How a request proves who sends it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// A token that is good for whoever has it.
    Bearer(&'a str),
    /// A token, and a proof that its user holds its key.
    Dpop { token: &'a str, proof: &'a str },
    /// An API key.
    ApiKey(&'a str),
}

/// Why no credential can be read from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is a bad request.
    Request(&'static str),
    /// What should be a proof is none.
    Proof(&'static str),
}

impl Presented {
    /// What this request presents.
    #[must_use]
    pub fn by<B>(request: &Request<B>) -> Self {
        Self::in_parts(request.method(), request.uri(), request.headers(), request.extensions())
    }

    /// What a request of these parts presents.
    #[must_use]
    pub fn in_parts(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Self {
        Self {
            method: method.clone(),
            uri: original_uri(extensions).unwrap_or(uri).clone(),
            authorization: Several::of(headers, &header::AUTHORIZATION),
            proof: Several::of(headers, &DPOP),
            api_key: Several::of(headers, &API_KEY),
            address: address(extensions),
        }
    }

    /// The credential, if there is one. `X-API-Key` is looked at only where keys are taken: elsewhere it
    /// may mean anything.
    pub(crate) fn credential(&self, keys: bool) -> Result<Option<Credential<'_>>, Unreadable> {
        let authorization = self.authorization.one("there is more than one Authorization header");
        let authorization = authorization.map_err(Unreadable::Request)?;
        let api_key = self.api_key.one("there is more than one X-API-Key header");
        let api_key = if keys { api_key.map_err(Unreadable::Request)? } else { None };

        match (authorization.map(|text| text.split_once(' ').unwrap_or((text, ""))), api_key) {
            (Some(_), Some(_)) => Err(Unreadable::Request("there is more than one credential")),
            (None, Some(key)) => Ok(Some(Credential::ApiKey(key))),
            (Some((scheme, token)), None) => self.authorized(scheme, token.trim_matches(' '), keys),
            (None, None) => Ok(None),
        }
    }

    /// A scheme that is neither of ours is not for us to judge, and nothing that would let anybody in.
    fn authorized<'a>(
        &'a self,
        scheme: &str,
        token: &'a str,
        keys: bool,
    ) -> Result<Option<Credential<'a>>, Unreadable> {
        let bearer = scheme.eq_ignore_ascii_case("bearer");
        let dpop = scheme.eq_ignore_ascii_case("dpop");
        if !bearer && !dpop {
            return Ok(None);
        }
        if !is_token68(token) {
            return Err(Unreadable::Request("the Authorization header carries no token"));
        }
        if bearer && keys && token.starts_with(API_KEY_PREFIX) {
            return Ok(Some(Credential::ApiKey(token)));
        }
        if bearer {
            return Ok(Some(Credential::Bearer(token)));
        }

        // RFC 9449 §4.3: of two proofs none is right.
        let proof =
            self.proof.one("there is more than one DPoP header").map_err(Unreadable::Proof)?;
        Ok(Some(Credential::Dpop { token, proof: proof.unwrap_or_default() }))
    }
}

impl Several {
    fn of(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut values = headers.get_all(name).into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::None,
            (Some(value), None) => Self::One(value.clone()),
            (Some(_), Some(_)) => Self::Many,
        }
    }

    fn one(&self, many: &'static str) -> Result<Option<&str>, &'static str> {
        match self {
            Self::None => Ok(None),
            Self::One(value) => match value.to_str() {
                Ok(text) => Ok(Some(text.trim_matches(' '))),
                Err(_) => Err("a header is not of visible characters"),
            },
            Self::Many => Err(many),
        }
    }
}

// A header may be a credential: whoever can read it in a log can use it.
impl fmt::Debug for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::One(_) => "One(…)",
            Self::Many => "Many",
        })
    }
}

/// RFC 9110 §11.2.
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(feature = "axum")]
fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<axum::extract::OriginalUri>().map(|uri| &uri.0)
}

#[cfg(not(feature = "axum"))]
fn original_uri(_: &Extensions) -> Option<&Uri> {
    None
}

fn address(extensions: &Extensions) -> Option<IpAddr> {
    let told = extensions.get::<CallerAddress>().map(|address| address.0);
    told.or_else(|| connected(extensions)).map(|address| address.to_canonical())
}

#[cfg(feature = "axum")]
fn connected(extensions: &Extensions) -> Option<IpAddr> {
    use std::net::SocketAddr;

    extensions.get::<axum::extract::ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

#[cfg(not(feature = "axum"))]
fn connected(_: &Extensions) -> Option<IpAddr> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(headers: &[(&str, &str)]) -> Presented {
        let mut request = Request::builder().uri("/orders");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Presented::by(&request.body(()).unwrap())
    }

    #[test]
    fn the_scheme_says_what_a_token_is() {
        for (value, expected) in [
            ("Bearer a.b.c", Some(Credential::Bearer("a.b.c"))),
            ("bearer   a.b.c ", Some(Credential::Bearer("a.b.c"))),
            ("DPoP a.b.c", Some(Credential::Dpop { token: "a.b.c", proof: "" })),
            ("Bearer sgk_x", Some(Credential::ApiKey("sgk_x"))),
            ("Basic YTpi", None),
            ("", None),
        ] {
            let presented = presented(&[("authorization", value)]);
            assert_eq!(presented.credential(true), Ok(expected), "{value}");
        }
        let presented = presented(&[("authorization", "Bearer sgk_x"), ("x-api-key", "y")]);
        assert_eq!(presented.credential(false), Ok(Some(Credential::Bearer("sgk_x"))));
    }

    /// RFC 6750 §2 and RFC 9449 §4.3: one credential, one proof.
    #[test]
    fn a_request_with_two_credentials_is_a_bad_one() {
        for headers in [
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")][..],
            &[("authorization", "Bearer a"), ("x-api-key", "sgk_a")],
            &[("x-api-key", "sgk_a"), ("x-api-key", "sgk_a")],
            &[("authorization", "DPoP a"), ("dpop", "b"), ("dpop", "b")],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer a b")],
            &[("authorization", "Bearer \u{e9}")],
        ] {
            assert!(presented(headers).credential(true).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_credential_does_not_get_into_a_log() {
        let presented = presented(&[("authorization", "Bearer secret"), ("x-api-key", "secret")]);
        assert!(!format!("{presented:?}").contains("secret"));
    }
}
