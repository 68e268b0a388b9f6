//! A public key that verifies signatures
//! ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)).

use std::fmt;

use serde_json::{Map, Value, json};

use crate::{
    algorithm::Algorithm, invalid::Invalid, key_id::KeyId, material::Material,
    thumbprint::Thumbprint, verifier::Verifier,
};

const REFUSED: Invalid = Invalid("public key");

/// An RSA key of 2048 to 8192 bits, a point on P-256, or an Ed25519 key; public, meant for
/// signatures, and ready to verify them.
#[derive(Clone)]
pub struct PublicKey {
    material: Material,
    kid: Option<KeyId>,
    algorithm: Option<Algorithm>,
    declares_use: bool,
    thumbprint: Thumbprint,
    verifier: Verifier,
}

impl PublicKey {
    /// Reads a JWK. Symmetric and private keys are refused, and so are keys meant for encryption.
    pub fn from_jwk(value: &Value) -> Result<Self, Invalid> {
        read(value.as_object().ok_or(REFUSED)?)
    }

    pub(crate) fn new((material, verifier): (Material, Verifier)) -> Self {
        let thumbprint = material.thumbprint();

        Self { material, kid: None, algorithm: None, declares_use: false, thumbprint, verifier }
    }

    /// The key's name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// The hash that names the key whatever its `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// Whether signatures of this kind may be verified with this key: its type fits, and if it
    /// declares an algorithm, it is this one.
    #[must_use]
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.material.fits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// The JWK: the members its type requires, and `kid`, `alg` and `use` as far as known.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut jwk: Map<_, _> = (self.material.members().into_iter())
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        if let Some(kid) = &self.kid {
            jwk.insert("kid".to_owned(), json!(kid));
        }
        if let Some(algorithm) = self.algorithm {
            jwk.insert("alg".to_owned(), json!(algorithm));
        }
        if self.declares_use {
            jwk.insert("use".to_owned(), json!("sig"));
        }

        Value::Object(jwk)
    }

    /// The same key under this name.
    #[must_use]
    pub fn with_kid(self, kid: KeyId) -> Self {
        Self { kid: Some(kid), ..self }
    }

    /// The same key for this algorithm only. If its type does not fit, it then allows none.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    pub(crate) fn for_signatures(self) -> Self {
        Self { declares_use: true, ..self }
    }

    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.accepts(algorithm, message, signature)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
            && self.kid == other.kid
            && self.algorithm == other.algorithm
            && self.declares_use == other.declares_use
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey").field(&self.to_jwk()).finish()
    }
}

fn read(jwk: &Map<String, Value>) -> Result<PublicKey, Invalid> {
    // A private key that is published is no longer anyone's key (RFC 7517 §9.2).
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
        return Err(REFUSED);
    }

    let key_use = text(jwk, "use")?;
    if key_use.is_some_and(|meant_for| meant_for != "sig") || !may_verify(jwk.get("key_ops")) {
        return Err(REFUSED);
    }

    let kid = text(jwk, "kid")?.map(str::parse).transpose()?;
    let algorithm = text(jwk, "alg")?.map(str::parse).transpose()?;
    let key = PublicKey::new(Material::read(jwk).ok_or(REFUSED)?);
    if algorithm.is_some_and(|algorithm| !key.material.fits(algorithm)) {
        return Err(REFUSED);
    }

    Ok(PublicKey { kid, algorithm, declares_use: key_use.is_some(), ..key })
}

/// A member that may be absent, but if it is there, must be a string.
fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Invalid> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(REFUSED),
    }
}

fn may_verify(operations: Option<&Value>) -> bool {
    match operations {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|each| each == "verify"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": X})
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    /// RFC 8037 appendix A.3.
    #[test]
    fn the_thumbprint_of_the_rfc_8037_example_comes_out() {
        let key = PublicKey::from_jwk(&ed25519()).unwrap();
        assert_eq!(key.thumbprint().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    /// RFC 7638 §3.1.
    #[test]
    fn the_thumbprint_of_the_rfc_7638_example_comes_out() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk = json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
        let key = PublicKey::from_jwk(&jwk).unwrap();

        assert_eq!(key.thumbprint().to_string(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(key.allows(Algorithm::Rs256) && !key.allows(Algorithm::Ps256));
        assert_eq!(key.to_jwk(), jwk);
    }

    #[test]
    fn only_what_is_public_and_meant_to_verify_is_read() {
        let good = [
            ("use", json!("sig")),
            ("key_ops", json!(["verify"])),
            ("alg", json!("EdDSA")),
            ("kid", json!("1")),
            ("x5c", json!(["ignored"])),
        ];
        for (name, value) in good {
            assert!(PublicKey::from_jwk(&with(ed25519(), name, value)).is_ok(), "{name}");
        }

        let bad = [
            ("d", json!("AAAA")),
            ("k", json!("AAAA")),
            ("use", json!("enc")),
            ("use", json!(1)),
            ("key_ops", json!(["sign"])),
            ("key_ops", json!("verify")),
            ("alg", json!("RS256")),
            ("alg", json!("HS256")),
            ("alg", json!("none")),
            ("kid", json!(1)),
            ("kid", json!("")),
            ("kty", json!("oct")),
            ("crv", json!("X25519")),
            ("x", json!(format!("{X}="))),
            ("x", json!("AAAA")),
        ];
        for (name, value) in bad {
            assert!(PublicKey::from_jwk(&with(ed25519(), name, value)).is_err(), "{name}");
        }
    }

    #[test]
    fn rsa_numbers_are_sound_and_canonical() {
        let rsa = |n: &[u8], e: &[u8]| Material::rsa(n, e).is_some();
        let odd = |len: usize| vec![0xff; len];

        assert!(rsa(&odd(256), &[1, 0, 1]) && rsa(&odd(1024), &[3]));
        assert!(!rsa(&odd(255), &[1, 0, 1]), "too short");
        assert!(!rsa(&[&[0x7f][..], &odd(255)].concat(), &[1, 0, 1]), "2047 bits");
        assert!(!rsa(&odd(1025), &[1, 0, 1]), "too long");
        assert!(!rsa(&[&[0][..], &odd(256)].concat(), &[1, 0, 1]), "a leading zero");
        assert!(!rsa(&[&odd(255)[..], &[0xfe]].concat(), &[1, 0, 1]), "an even modulus");
        for exponent in
            [&[][..], &[0], &[1], &[2], &[0, 3], &[1, 0, 1, 0, 1, 0, 1], &[3, 0, 0, 0, 1]]
        {
            assert!(!rsa(&odd(256), exponent), "{exponent:?}");
        }
        assert!(!rsa(&[], &[3]), "nothing at all");
    }

    #[test]
    fn a_key_bound_to_an_algorithm_that_does_not_fit_allows_none() {
        let key = PublicKey::from_jwk(&ed25519()).unwrap().with_algorithm(Algorithm::Rs256);
        assert!(Algorithm::ALL.iter().all(|algorithm| !key.allows(*algorithm)));
    }
}
