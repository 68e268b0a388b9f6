//! How a client says who it is
//! ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
//! [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use signet_jwt::{Algorithm, Issuer, KeyId, SigningKey, Timestamp};
use url::form_urlencoded;

use crate::{Error, random, secret::Secret};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// For how many seconds an assertion counts. It is made for one request.
const LIFETIME: i64 = 60;

/// A client and how it authenticates. Secrets and keys are not printed.
#[derive(Clone)]
pub struct Credentials {
    client_id: String,
    method: Method,
}

#[derive(Clone)]
enum Method {
    Public,
    Basic(Secret),
    Post(Secret),
    Key(Arc<SigningKey>),
}

/// What a request carries besides the grant.
#[derive(Debug, Default)]
pub(crate) struct Authenticated {
    pub(crate) headers: HeaderMap,
    pub(crate) form: Vec<(&'static str, Secret)>,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: Timestamp,
    exp: Timestamp,
}

impl Credentials {
    /// A client without a secret (`none`): a program that people have on their own computers.
    #[must_use]
    pub fn public(client_id: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Method::Public }
    }

    /// A client with a secret, sent in a header (`client_secret_basic`).
    #[must_use]
    pub fn secret(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Method::Basic(Secret::new(secret)) }
    }

    /// A client with a secret, sent in the form (`client_secret_post`), for servers that want it so.
    #[must_use]
    pub fn secret_in_form(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Method::Post(Secret::new(secret)) }
    }

    /// A client with a private key (`private_key_jwt`): nothing that it sends can be used again. The
    /// key is an RSA, P-256 or Ed25519 one as PEM (PKCS#8, PKCS#1 or SEC1) or JWK; it signs with the
    /// JWK's `alg`, or with RS256, ES256 and `EdDSA`.
    pub fn key(client_id: impl Into<String>, key: &str) -> Result<Self, Error> {
        let key = if key.trim_start().starts_with('{') {
            SigningKey::from_jwk(key)?.0
        } else {
            SigningKey::from_pem(key, None)?.0
        };
        Ok(Self { client_id: client_id.into(), method: Method::Key(Arc::new(key)) })
    }

    /// The same, where the server knows the key by another name than its thumbprint or the JWK's
    /// `kid`, or is to be told another algorithm, such as PS256.
    pub fn key_named(
        client_id: impl Into<String>,
        pem: &str,
        algorithm: Option<Algorithm>,
        kid: KeyId,
    ) -> Result<Self, Error> {
        let key = SigningKey::from_pem(pem, algorithm)?.0.with_kid(kid);
        Ok(Self { client_id: client_id.into(), method: Method::Key(Arc::new(key)) })
    }

    /// The client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What one request to the server carries.
    pub(crate) fn authenticate(
        &self,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Authenticated, Error> {
        let mut said = Authenticated::default();
        let client_id = ("client_id", Secret::new(&self.client_id));
        match &self.method {
            Method::Public => said.form.push(client_id),
            Method::Basic(secret) => {
                said.headers.insert(header::AUTHORIZATION, basic(&self.client_id, secret));
            }
            Method::Post(secret) => {
                said.form.extend([client_id, ("client_secret", secret.clone())]);
            }
            Method::Key(key) => said.form.extend([
                client_id,
                ("client_assertion_type", Secret::new(ASSERTION_TYPE)),
                ("client_assertion", self.assertion(key, issuer, now)?),
            ]),
        }
        Ok(said)
    }

    /// The audience is the issuer alone: an assertion that names an endpoint could be asked for by
    /// another server that claims the same endpoint.
    fn assertion(
        &self,
        key: &SigningKey,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<Secret, Error> {
        let assertion = Assertion {
            iss: &self.client_id,
            sub: &self.client_id,
            aud: issuer.as_str(),
            jti: random::word(),
            iat: now,
            exp: now.plus(LIFETIME),
        };
        Ok(Secret::new(key.sign("JWT", &assertion)?))
    }
}

/// Both halves are form-encoded first, since they may hold a colon (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &Secret) -> HeaderValue {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encoded(client_id), encoded(secret.expose())));
    let text = format!("Basic {}", BASE64_STANDARD.encode(pair.expose()));
    let mut value = HeaderValue::try_from(text).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::Public => "none",
            Method::Basic(_) => "client_secret_basic",
            Method::Post(_) => "client_secret_post",
            Method::Key(_) => "private_key_jwt",
        };
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("method", &method)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_colon_is_no_other_id() {
        let value = basic("a:b c", &Secret::new("p%+é"));
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(BASE64_STANDARD.decode(text).unwrap(), b"a%3Ab+c:p%25%2B%C3%A9");
    }

    #[test]
    fn credentials_are_not_printed() {
        let shown = format!("{:?}", Credentials::secret("billing", "top-secret"));
        assert!(shown.contains("billing") && !shown.contains("top-secret"), "{shown}");
    }
}
