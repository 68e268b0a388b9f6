//! A private key as the cryptographic library holds it, and the forms it is read from:
//! PKCS#8 ([RFC 5958](https://www.rfc-editor.org/rfc/rfc5958)),
//! PKCS#1 ([RFC 8017 §A.1](https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1)) and
//! SEC1 ([RFC 5915](https://www.rfc-editor.org/rfc/rfc5915)).

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};

use crate::{
    algorithm::Algorithm, material::Material, public_key::PublicKey, signing_key::KeyError,
};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A private key, parsed, with the algorithm it signs with.
pub(crate) enum KeyPair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    /// A new key, as PKCS#8.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Vec<u8>, Unspecified> {
        let der = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?.as_ref().to_vec()
            }
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?
                .to_pkcs8v1()?
                .as_ref()
                .to_vec(),
            Algorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec(),
        };

        Ok(der)
    }

    pub(crate) fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let natural = natural_algorithm(der)?;
        if natural != algorithm && (natural, algorithm) != (Algorithm::Rs256, Algorithm::Ps256) {
            return Err(KeyError::WrongKind);
        }

        let pair = match algorithm {
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(der)?, &RSA_PKCS1_SHA256),
            Algorithm::Ps256 => Self::Rsa(RsaKeyPair::from_pkcs8(der)?, &RSA_PSS_SHA256),
            Algorithm::Es256 => {
                Self::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?)
            }
            Algorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der)?),
        };
        Ok(pair)
    }

    pub(crate) fn public(&self) -> Option<PublicKey> {
        let material = match self {
            Self::Rsa(pair, _) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                Material::rsa(
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                )
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
                Material::p256(x, y)
            }
            Self::Ed25519(pair) => Material::ed25519(pair.public_key().as_ref()),
        };

        material.map(PublicKey::new)
    }

    /// The public half as a `SubjectPublicKeyInfo`.
    pub(crate) fn public_der(&self) -> Result<Vec<u8>, Unspecified> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Rsa(pair, _) => pair.public_key().as_der(),
            Self::P256(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        }?;

        Ok(der.as_ref().to_vec())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*padding, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            Self::P256(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }
}

/// What keys of this kind sign with unless told otherwise.
pub(crate) fn natural_algorithm(pkcs8: &[u8]) -> Result<Algorithm, KeyError> {
    match PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| KeyError::Unreadable)?.algorithm.oid {
        RSA => Ok(Algorithm::Rs256),
        EC => Ok(Algorithm::Es256),
        ED25519 => Ok(Algorithm::EdDsa),
        _ => Err(KeyError::WrongKind),
    }
}

/// Turns any of the three PEM forms into PKCS#8.
pub(crate) fn pkcs8_from_pem(pem: &str) -> Result<Vec<u8>, KeyError> {
    // `openssl ecparam -genkey` writes the curve's name in a block of its own before the key.
    let pem = pem.split_once("-----END EC PARAMETERS-----").map_or(pem, |(_, key)| key).trim();
    let (label, der) = SecretDocument::from_pem(pem).map_err(|_| KeyError::Unreadable)?;
    let der = der.as_bytes();

    match label {
        "PRIVATE KEY" => Ok(der.to_vec()),
        "RSA PRIVATE KEY" => {
            let pair = RsaKeyPair::from_der(der)?;
            let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::Failed)?;
            Ok(pkcs8.as_ref().to_vec())
        }
        "EC PRIVATE KEY" => {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)?;
            Ok(pair.to_pkcs8v1().map_err(|_| KeyError::Failed)?.as_ref().to_vec())
        }
        _ => Err(KeyError::Unreadable),
    }
}

impl From<KeyRejected> for KeyError {
    fn from(rejected: KeyRejected) -> Self {
        // The library tells its reasons apart by their names only.
        if rejected.to_string() == "TooSmall" { Self::TooShort } else { Self::Unreadable }
    }
}
