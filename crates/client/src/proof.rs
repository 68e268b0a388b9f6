//! Tokens that only the holder of a key can use: DPoP
//! ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::HeaderValue;
use signet_jwt::{Algorithm, ProofKey, ProofOf, SigningKey, Thumbprint, Timestamp};
use url::Url;

use crate::{AccessToken, Error, random};

/// How many origins' nonces are remembered; they are those of the APIs that are called.
const MOST: usize = 100;

/// The key that tokens are bound to, and the last nonce of every server that gave one. It is cheap to
/// clone, and is not printed.
#[derive(Clone)]
pub struct DpopKey(Arc<Inner>);

struct Inner {
    key: ProofKey,
    nonces: Mutex<HashMap<String, String>>,
}

impl DpopKey {
    /// A new P-256 key that lives as long as the program. Most programs need no other: its tokens end
    /// with it.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::new(ProofKey::generate(Algorithm::Es256)?.0))
    }

    /// A key that was kept: an RSA, P-256 or Ed25519 one as PEM or JWK.
    pub fn read(key: &str) -> Result<Self, Error> {
        let (key, der) = if key.trim_start().starts_with('{') {
            SigningKey::from_jwk(key)?
        } else {
            SigningKey::from_pem(key, None)?
        };
        Ok(Self::new(ProofKey::from_pkcs8(&der, key.algorithm())?))
    }

    fn new(key: ProofKey) -> Self {
        Self(Arc::new(Inner { key, nonces: Mutex::default() }))
    }

    /// The hash that tokens are bound to as `jkt` (§6.1).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.0.key.thumbprint()
    }

    /// A proof for one request: the value of its `DPoP` header.
    pub fn prove(
        &self,
        method: &str,
        url: &Url,
        token: Option<&AccessToken>,
        now: Timestamp,
    ) -> Result<HeaderValue, Error> {
        let mut uri = url.clone();
        uri.set_query(None);
        uri.set_fragment(None);
        let proof = self.0.key.prove(&ProofOf {
            method,
            uri: uri.as_str(),
            access_token: token.map(AccessToken::expose),
            nonce: self.nonce(url).as_deref(),
            jti: &random::word(),
            now,
        })?;
        // A proof is base64url and dots.
        HeaderValue::try_from(proof).map_err(|_| Error::NoToken)
    }

    /// Remember the nonce that a server gave (§8.2). The answer is whether it is another than before,
    /// so that a request that was refused for it may be repeated.
    pub fn remember(&self, url: &Url, nonce: &str) -> bool {
        let origin = url.origin().ascii_serialization();
        let mut nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= MOST && !nonces.contains_key(&origin) {
            nonces.clear();
        }
        nonces.insert(origin, nonce.to_owned()).as_deref() != Some(nonce)
    }

    fn nonce(&self, url: &Url) -> Option<String> {
        let nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.get(&url.origin().ascii_serialization()).cloned()
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopKey").field("thumbprint", &self.thumbprint()).finish_non_exhaustive()
    }
}
