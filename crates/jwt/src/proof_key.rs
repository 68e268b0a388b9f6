//! A key that its holder proves to hold
//! ([RFC 9449 §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)).

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    algorithm::Algorithm, compact, key_pair::KeyPair, proof, public_key::PublicKey,
    signing_key::KeyError, thumbprint::Thumbprint, timestamp::Timestamp,
};

/// A private key, parsed once, that makes proofs. It cannot be printed or serialized.
pub struct ProofKey {
    pair: KeyPair,
    public: PublicKey,
    header: String,
}

/// The request that a proof is made for.
#[derive(Clone, Debug)]
pub struct ProofOf<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The address of the request, without query and fragment.
    pub uri: &'a str,
    /// The access token that goes with it, if one does.
    pub access_token: Option<&'a str>,
    /// The last nonce that the server gave, if it gave one (§8).
    pub nonce: Option<&'a str>,
    /// A name that no other proof has: 96 random bits or more.
    pub jti: &'a str,
    /// The present.
    pub now: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl ProofKey {
    /// A new key, and its PKCS#8 form for keeping. RSA keys have 2048 bits.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Vec<u8>), KeyError> {
        let der = KeyPair::generate(algorithm).map_err(|_| KeyError::Failed)?;

        Ok((Self::from_pkcs8(&der, algorithm)?, der))
    }

    /// Reads a key in PKCS#8 form.
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(der, algorithm)?;
        let public = pair.public().ok_or(KeyError::Unreadable)?;

        let header = json!({"typ": proof::TYP, "alg": algorithm, "jwk": public.to_jwk()});
        Ok(Self { pair, public, header: header.to_string() })
    }

    /// The hash that tokens are bound to as `jkt` (§6.1).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.public.thumbprint()
    }

    /// The public half, as proofs carry it.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        self.public.to_jwk()
    }

    /// Makes a proof for one request.
    pub fn prove(&self, of: &ProofOf<'_>) -> Result<String, KeyError> {
        let claims = Claims {
            jti: of.jti,
            htm: of.method,
            htu: of.uri,
            iat: of.now,
            ath: of.access_token.map(proof::hash_of),
            nonce: of.nonce,
        };
        let claims = serde_json::to_vec(&claims).map_err(|error| KeyError::Claims(Some(error)))?;

        compact::sign(&self.header, &claims, &self.pair).map_err(|_| KeyError::Failed)
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").finish_non_exhaustive()
    }
}
