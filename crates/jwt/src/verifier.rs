//! A public key as the cryptographic library holds it: read once, then only used.

use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PSS_2048_8192_SHA256,
    },
};

use crate::algorithm::Algorithm;

/// A public key, parsed once for each algorithm that it may verify.
#[derive(Clone)]
pub(crate) enum Verifier {
    Rsa { pkcs1: ParsedPublicKey, pss: ParsedPublicKey },
    P256(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

impl Verifier {
    /// From a modulus and an exponent, most significant byte first.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let key = PublicKeyComponents { n, e };
        let pkcs1 = key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
        let pss = key.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256).ok()?;
        Some(Self::Rsa { pkcs1, pss })
    }

    /// From the coordinates of a point, which must lie on the curve.
    pub(crate) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = [&[4], x, y].concat();
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().map(Self::P256)
    }

    /// From the 32 bytes of RFC 8032 §5.1.5.
    pub(crate) fn ed25519(x: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(&ED25519, x).ok().map(Self::Ed25519)
    }

    pub(crate) fn accepts(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let key = match (self, algorithm) {
            (Self::Rsa { pkcs1, .. }, Algorithm::Rs256) => pkcs1,
            (Self::Rsa { pss, .. }, Algorithm::Ps256) => pss,
            (Self::P256(key), Algorithm::Es256) | (Self::Ed25519(key), Algorithm::EdDsa) => key,
            _ => return false,
        };
        key.verify_sig(message, signature).is_ok()
    }
}
