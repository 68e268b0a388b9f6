//! The numbers a public key consists of
//! ([RFC 7518 §6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
//! [RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{algorithm::Algorithm, base64url, thumbprint::Thumbprint, verifier::Verifier};

/// The members every JWK of a kind must have, in their only base64url spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    Rsa { n: String, e: String },
    P256 { x: String, y: String },
    Ed25519 { x: String },
}

impl Material {
    /// Reads `kty` and what belongs to it.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Option<(Self, Verifier)> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let bytes = |name| text(name).and_then(base64url::decode);

        match (text("kty")?, text("crv")) {
            ("RSA", None) => Self::rsa(&bytes("n")?, &bytes("e")?),
            ("EC", Some("P-256")) => Self::p256(&bytes("x")?, &bytes("y")?),
            ("OKP", Some("Ed25519")) => Self::ed25519(&bytes("x")?),
            _ => None,
        }
    }

    /// An RSA key of 2048 to 8192 bits (RFC 7518 §3.3), its numbers without leading zeros.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Option<(Self, Verifier)> {
        let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
        let n_is_sound = n[0] != 0 && n[n.len() - 1] & 1 == 1 && (2048..=8192).contains(&bits);
        // More than 33 bits serve nobody but an attacker who wants verification to be slow.
        let exponent = (e.len() <= 5 && e.first() != Some(&0))
            .then(|| e.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))?;
        let e_is_sound = exponent > 1 && exponent & 1 == 1 && exponent < 1 << 33;

        if !n_is_sound || !e_is_sound {
            return None;
        }
        let material = Self::Rsa { n: base64url::encode(n), e: base64url::encode(e) };
        Some((material, Verifier::rsa(n, e)?))
    }

    /// A point that lies on the curve P-256.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<(Self, Verifier)> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }

        let material = Self::P256 { x: base64url::encode(x), y: base64url::encode(y) };
        Some((material, Verifier::p256(x, y)?))
    }

    /// An Ed25519 key.
    pub(crate) fn ed25519(x: &[u8]) -> Option<(Self, Verifier)> {
        let material = Self::Ed25519 { x: base64url::encode(x) };
        Some((material, Verifier::ed25519(x).filter(|_| x.len() == 32)?))
    }

    /// Whether keys of this kind can make signatures of this kind.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            Self::P256 { .. } => algorithm == Algorithm::Es256,
            Self::Ed25519 { .. } => algorithm == Algorithm::EdDsa,
        }
    }

    /// The hash over the required members in alphabetical order (RFC 7638 §3.2).
    pub(crate) fn thumbprint(&self) -> Thumbprint {
        let members: BTreeMap<_, _> = self.members().into_iter().collect();
        let canonical = serde_json::to_vec(&members).expect("a map of strings is JSON");

        Thumbprint::from(<[u8; 32]>::from(Sha256::digest(canonical)))
    }

    /// The required members by name, `kty` among them.
    pub(crate) fn members(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Rsa { n, e } => vec![("kty", "RSA"), ("n", n), ("e", e)],
            Self::P256 { x, y } => vec![("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y)],
            Self::Ed25519 { x } => vec![("kty", "OKP"), ("crv", "Ed25519"), ("x", x)],
        }
    }
}
