//! Signed tokens: unverified in, verified out, and the words a token carries
//! ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).
//!
//! ```
//! use signet_jwt::{Algorithm, Audience, Expected, Expiry, KeySet, SigningKey, Timestamp, Typ};
//! use signet_jwt::{Rejected, Unverified};
//!
//! #[derive(Debug, serde::Serialize, serde::Deserialize)]
//! struct Claims {
//!     iss: String,
//!     sub: String,
//!     aud: Audience,
//!     exp: Timestamp,
//! }
//!
//! let now = Timestamp(1_800_000_000);
//! let (key, _pkcs8) = SigningKey::generate(Algorithm::Es256)?;
//! let token = key.sign(
//!     "at+jwt",
//!     &Claims {
//!         iss: "https://id.example.com".to_owned(),
//!         sub: "alice".to_owned(),
//!         aud: Audience::new(["https://api.example.com".to_owned()])?,
//!         exp: now.plus(300),
//!     },
//! )?;
//!
//! let keys = KeySet::new(vec![key.public()]);
//! let expected = Expected {
//!     typ: Typ::Is("at+jwt"),
//!     issuer: Some("https://id.example.com"),
//!     audience: Some(&["https://api.example.com"]),
//!     algorithms: &[Algorithm::Es256],
//!     expiry: Expiry::Required,
//!     now,
//!     leeway: 30,
//!     ahead: 30,
//! };
//! let verified = Unverified::parse(&token)?.verify::<Claims>(&keys, &expected)?;
//! assert_eq!(verified.claims().sub, "alice");
//!
//! let later = Expected { now: now.plus(3600), ..expected };
//! let refused = Unverified::parse(&token)?.verify::<Claims>(&keys, &later);
//! assert_eq!(refused.unwrap_err(), Rejected::Expired);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Architecture invariant: nothing here is async, reads a clock or opens a connection.

mod algorithm;
mod audience;
mod base64url;
mod claims;
mod compact;
mod expected;
mod invalid;
mod issuer;
mod key_id;
mod key_pair;
mod key_set;
mod material;
mod private_jwk;
mod proof;
mod proof_key;
mod proof_uri;
mod public_key;
mod rejected;
mod scope;
mod signing_key;
mod strict_json;
mod text;
mod thumbprint;
mod timestamp;
mod unverified;
mod verified;
mod verifier;

pub use algorithm::Algorithm;
pub use audience::Audience;
pub use expected::{Expected, Expiry, Typ};
pub use invalid::Invalid;
pub use issuer::Issuer;
pub use key_id::KeyId;
pub use key_set::KeySet;
pub use proof::{ExpectedProof, Proof};
pub use proof_key::{ProofKey, ProofOf};
pub use public_key::PublicKey;
pub use rejected::Rejected;
pub use scope::Scope;
pub use signing_key::{KeyError, SigningKey};
pub use thumbprint::Thumbprint;
pub use timestamp::Timestamp;
pub use unverified::Unverified;
pub use verified::Verified;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
