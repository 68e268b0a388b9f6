//! A private key that signs tokens
//! ([RFC 7515 §5.1](https://www.rfc-editor.org/rfc/rfc7515#section-5.1)).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::{
    algorithm::Algorithm,
    compact,
    key_id::KeyId,
    key_pair::{self, KeyPair},
    private_jwk,
    public_key::PublicKey,
    strict_json,
};

/// Why a private key could not be read, made or used. What was given is never echoed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not an unencrypted private key in one of the forms that are read.
    #[error("not an unencrypted private key in PKCS#8, PKCS#1 or SEC1 form")]
    Unreadable,
    /// It is a key, but not one for the algorithm.
    #[error("the private key is not of the kind the algorithm needs")]
    WrongKind,
    /// It is an RSA key of less than 2048 bits (RFC 7518 §3.3).
    #[error("an rsa key needs at least 2048 bits")]
    TooShort,
    /// The claims do not serialize to a JSON object.
    #[error("the claims are not a json object")]
    Claims(#[source] Option<serde_json::Error>),
    /// The cryptographic library failed, for want of memory or randomness.
    #[error("the cryptographic library failed")]
    Failed,
}

/// A private key, parsed once, with the algorithm and the name it signs under. It cannot be printed
/// or serialized.
pub struct SigningKey {
    pair: KeyPair,
    public: PublicKey,
    public_der: Vec<u8>,
    algorithm: Algorithm,
    kid: KeyId,
    // The protected header up to the value of `typ`.
    header: String,
}

impl SigningKey {
    /// A new key, and its PKCS#8 form for keeping. RSA keys have 2048 bits.
    pub fn generate(algorithm: Algorithm) -> Result<(Self, Vec<u8>), KeyError> {
        let der = KeyPair::generate(algorithm).map_err(|_| KeyError::Failed)?;

        Ok((Self::from_pkcs8(&der, algorithm)?, der))
    }

    /// Reads a key in PKCS#8 form.
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8(der, algorithm)?;
        let public_der = pair.public_der().map_err(|_| KeyError::Failed)?;
        let public = pair.public().ok_or(KeyError::Unreadable)?;
        let kid = KeyId::from(public.thumbprint());

        let public = public.with_algorithm(algorithm).for_signatures().with_kid(kid.clone());
        let header = header(algorithm, &kid);
        Ok(Self { pair, public, public_der, algorithm, kid, header })
    }

    /// Reads a key in any PEM form, and gives its PKCS#8 form as well. Without an algorithm, RSA
    /// keys sign with RS256, EC keys with ES256 and Ed25519 keys with `EdDSA`.
    pub fn from_pem(pem: &str, algorithm: Option<Algorithm>) -> Result<(Self, Vec<u8>), KeyError> {
        let der = key_pair::pkcs8_from_pem(pem)?;
        let algorithm = algorithm.map_or_else(|| key_pair::natural_algorithm(&der), Ok)?;

        Ok((Self::from_pkcs8(&der, algorithm)?, der))
    }

    /// Reads a private key that is written as a JWK, and gives its PKCS#8 form as well. It signs with
    /// the JWK's `alg`, or as [`SigningKey::from_pem`] says, and under the JWK's `kid`, or its
    /// thumbprint.
    pub fn from_jwk(json: &str) -> Result<(Self, Vec<u8>), KeyError> {
        let jwk = strict_json::object(json.as_bytes()).ok_or(KeyError::Unreadable)?;
        let text = |name| jwk.get(name).map(|value| value.as_str().ok_or(KeyError::Unreadable));
        let der = private_jwk::pkcs8(&jwk)?;
        let algorithm = match text("alg").transpose()? {
            Some(name) => name.parse().map_err(|_| KeyError::WrongKind)?,
            None => key_pair::natural_algorithm(&der)?,
        };

        let key = Self::from_pkcs8(&der, algorithm)?;
        let public = key.public.to_jwk();
        let halves_differ = ["n", "e", "x", "y"]
            .into_iter()
            .any(|name| jwk.get(name).is_some_and(|given| public.get(name) != Some(given)));
        if halves_differ {
            return Err(KeyError::Unreadable);
        }
        let Some(kid) = text("kid").transpose()? else {
            return Ok((key, der));
        };
        Ok((key.with_kid(kid.parse().map_err(|_| KeyError::Unreadable)?), der))
    }

    /// The same key under another name than its thumbprint.
    #[must_use]
    pub fn with_kid(self, kid: KeyId) -> Self {
        let header = header(self.algorithm, &kid);
        let public = self.public.with_kid(kid.clone());

        Self { public, kid, header, ..self }
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The name it signs under.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The public half, with its name and algorithm.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// The public half as PEM.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let text = STANDARD.encode(&self.public_der);
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        for (index, character) in text.chars().enumerate() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// Signs claims as a compact JWS of this type.
    pub fn sign<C: Serialize>(&self, typ: &str, claims: &C) -> Result<String, KeyError> {
        let claims = serde_json::to_vec(claims).map_err(|error| KeyError::Claims(Some(error)))?;
        if !claims.starts_with(b"{") {
            return Err(KeyError::Claims(None));
        }
        let header = format!("{}{}}}", self.header, quoted(typ));

        compact::sign(&header, &claims, &self.pair).map_err(|_| KeyError::Failed)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

fn header(algorithm: Algorithm, kid: &KeyId) -> String {
    format!(r#"{{"alg":"{algorithm}","kid":{},"typ":"#, quoted(kid.as_str()))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

#[cfg(test)]
mod tests {
    use p256::{
        SecretKey,
        pkcs8::{DecodePrivateKey, DecodePublicKey, LineEnding},
    };
    use rsa::{PrivateKey, pkcs1::EncodeRsaPrivateKey};
    use serde_json::{Value, json};

    use super::*;
    use crate::base64url;

    fn pem(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn a_generated_key_is_read_back_from_what_was_kept() {
        for algorithm in Algorithm::ALL {
            let (key, der) = SigningKey::generate(algorithm).unwrap();
            let same = SigningKey::from_pkcs8(&der, algorithm).unwrap();
            assert_eq!(same.public(), key.public());
            assert_eq!(same.algorithm(), algorithm);

            let text = pem("PRIVATE KEY", &der);
            let (same, kept) = SigningKey::from_pem(&text, Some(algorithm)).unwrap();
            assert_eq!((same.public(), kept), (key.public(), der));
        }
    }

    #[test]
    fn the_older_forms_of_pem_are_read() {
        let (rsa, der) = SigningKey::generate(Algorithm::Rs256).unwrap();
        let pkcs1 = PrivateKey::from_pkcs8_der(&der).unwrap();
        let pkcs1 = pkcs1.to_pkcs1_pem(LineEnding::CRLF).unwrap();
        let (same, kept) = SigningKey::from_pem(&pkcs1, None).unwrap();
        assert_eq!((same.public(), same.algorithm()), (rsa.public(), Algorithm::Rs256));
        assert_eq!(SigningKey::from_pkcs8(&kept, Algorithm::Rs256).unwrap().public(), rsa.public());

        let (ec, der) = SigningKey::generate(Algorithm::Es256).unwrap();
        let sec1 = SecretKey::from_pkcs8_der(&der).unwrap().to_sec1_pem(LineEnding::LF).unwrap();
        let parameters = pem("EC PARAMETERS", &[6, 8, 42, 134, 72, 206, 61, 3, 1, 7]);
        for text in [sec1.to_string(), format!("{parameters}{}", *sec1)] {
            let (same, kept) = SigningKey::from_pem(&text, None).unwrap();
            assert_eq!((same.public(), same.algorithm()), (ec.public(), Algorithm::Es256));
            let same = SigningKey::from_pkcs8(&kept, Algorithm::Es256).unwrap();
            assert_eq!(same.public(), ec.public());
        }
    }

    /// As other tools write it: version 1 with no public key inside (RFC 8410 §10.3).
    #[test]
    fn an_ed25519_key_without_its_public_half_is_read() {
        let text = "-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let (key, _) = SigningKey::from_pem(text, None).unwrap();
        assert_eq!(key.algorithm(), Algorithm::EdDsa);
        assert_eq!(key.public().to_jwk()["x"], "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
    }

    #[test]
    fn whatever_is_not_a_plain_private_key_for_the_algorithm_is_refused() {
        let (key, der) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        for text in [
            "",
            "secret",
            &key.public_pem(),
            &pem("PRIVATE KEY", b"0"),
            &pem("RSA PRIVATE KEY", &der),
            &pem("ENCRYPTED PRIVATE KEY", &der),
        ] {
            let refused = SigningKey::from_pem(text, None);
            assert!(matches!(refused, Err(KeyError::Unreadable)), "{text}");
        }
        for other in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
            let refused = SigningKey::from_pkcs8(&der, other);
            assert!(matches!(refused, Err(KeyError::WrongKind)), "{other}");
        }
    }

    #[test]
    fn the_name_is_the_thumbprint_unless_another_is_given() {
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        assert_eq!(key.kid().as_str(), key.public().thumbprint().to_string());

        let named = key.with_kid("a\"b".parse().unwrap());
        let token = named.sign("JWT", &json!({})).unwrap();
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header, json!({"alg": "ES256", "kid": "a\"b", "typ": "JWT"}));
        assert_eq!(named.public().kid(), Some(named.kid()));
    }

    #[test]
    fn the_public_half_is_published_with_name_algorithm_and_use() {
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        let jwk = key.public().to_jwk();
        assert_eq!((&jwk["alg"], &jwk["use"]), (&json!("ES256"), &json!("sig")));
        assert_eq!(PublicKey::from_jwk(&jwk).unwrap(), key.public());
        assert!(p256::PublicKey::from_public_key_pem(&key.public_pem()).is_ok());
    }

    #[test]
    fn only_an_object_is_signed() {
        let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        assert!(matches!(key.sign("JWT", &"text"), Err(KeyError::Claims(None))));
        assert!(matches!(key.sign("JWT", &[1]), Err(KeyError::Claims(None))));
    }
}
