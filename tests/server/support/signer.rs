//! Tokens made by hand: with whatever header, claims and signature an attacker likes.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64},
};
use serde_json::{Value, json};
use signet_jwt::{Algorithm, SigningKey};

/// A P-256 key of a client, or of an attacker.
pub(crate) struct Signer {
    pub(crate) kid: String,
    /// The public key.
    pub(crate) jwk: Value,
    pub(crate) pem: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let (key, pkcs8) = SigningKey::generate(Algorithm::Es256).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        let (kid, jwk) = (key.kid().to_string(), key.public().to_jwk());
        Self { kid, jwk, pem: key.public_pem(), pair }
    }

    /// The key set that its owner registers.
    pub(crate) fn set(&self) -> String {
        json!({ "keys": [self.jwk] }).to_string()
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid })
    }

    /// A token with any header, properly signed.
    pub(crate) fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(&self.header(), claims)
    }
}

/// Header and payload, before any signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// A token signed with a shared secret.
pub(crate) fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = unsigned(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature))
}

/// Every text and byte form in which a library might take a public key for a shared secret.
pub(crate) fn as_secrets(pem: &str, jwk: &Value) -> Vec<Vec<u8>> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64_STANDARD.decode(&body).unwrap();
    let set = json!({ "keys": [jwk] }).to_string();
    let pems = [pem, pem.trim_end(), &body].map(|text| text.as_bytes().to_vec());
    let jwks = [jwk.to_string(), set].map(String::into_bytes);
    let number = |name| jwk[name].as_str().map(|text| BASE64.decode(text).unwrap());
    pems.into_iter()
        .chain(jwks)
        .chain([der, Vec::new()])
        .chain(number("n"))
        .chain(number("x"))
        .collect()
}

/// What a token says, believed.
pub(crate) fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap()
}
