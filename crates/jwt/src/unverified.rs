//! A token nobody has checked yet, and the checks
//! ([RFC 7519 §7.2](https://www.rfc-editor.org/rfc/rfc7519#section-7.2),
//! [RFC 8725 §3](https://www.rfc-editor.org/rfc/rfc8725#section-3)).

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    claims,
    compact::{self, Compact},
    expected::Expected,
    key_id::KeyId,
    key_set::KeySet,
    public_key::PublicKey,
    rejected::Rejected::{
        self, BadClaims, BadSignature, Malformed, UnknownKey, WrongAlgorithm, WrongType,
    },
    verified::Verified,
};

/// A well-formed compact JWS over a JSON object, signed by who knows whom. What it says serves to
/// find the keys to verify it with, and nothing else.
pub struct Unverified<'a> {
    token: Compact<'a>,
    kid: Option<KeyId>,
}

impl<'a> Unverified<'a> {
    /// Takes a token of at most 16 KiB apart. Anything with a second possible reading is refused.
    ///
    /// Deliberately not looked at: `jwk`, `jku`, `x5u` and `x5c`, by which a token would vouch for
    /// itself (RFC 8725 §3.10).
    pub fn parse(token: &'a str) -> Result<Self, Rejected> {
        Self::parse_within(token, compact::LONGEST)
    }

    /// Takes a token of at most so many bytes apart: a status list, which may be longer than what
    /// strangers send.
    pub fn parse_within(token: &'a str, longest: usize) -> Result<Self, Rejected> {
        let token = Compact::parse(token, longest)?;
        let kid = compact::text(&token.header, "kid")?.map(str::parse).transpose();
        let kid = kid.map_err(|_| Malformed("the key id is not one"))?;

        Ok(Self { token, kid })
    }

    /// The name of the key it claims to be signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// How it claims to be signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.token.algorithm
    }

    /// The type it claims to have.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.token.typ()
    }

    /// The `iss` it claims, to find the keys by; not to be trusted.
    #[must_use]
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.token.payload.get("iss").and_then(Value::as_str)
    }

    /// The `sub` it claims, to find the keys by; not to be trusted.
    #[must_use]
    pub fn claimed_subject(&self) -> Option<&str> {
        self.token.payload.get("sub").and_then(Value::as_str)
    }

    /// Checks, in this order: type, algorithm, signature, times, issuer, audience; then reads the
    /// claims.
    pub fn verify<C: DeserializeOwned>(
        self,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<C>, Rejected> {
        let Verified { claims, expires_at, kid } = self.verify_object(keys, expected)?;
        let claims = C::deserialize(Value::Object(claims))
            .map_err(|_| BadClaims("one is missing or of the wrong kind"))?;
        Ok(Verified { claims, expires_at, kid })
    }

    /// The same checks; the claims as they stand.
    pub fn verify_object(
        self,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<Map<String, Value>>, Rejected> {
        if !expected.typ.accepts(self.typ()) {
            return Err(WrongType);
        }
        if !expected.algorithms.contains(&self.algorithm()) {
            return Err(WrongAlgorithm);
        }
        let kid = self.signer(keys)?.kid().cloned();

        let claims = self.token.payload;
        let expires_at = claims::check_times(&claims, expected)?;
        claims::check_issuer(&claims, expected)?;
        claims::check_audience(&claims, expected)?;
        Ok(Verified { claims, expires_at, kid })
    }

    fn signer<'k>(&self, keys: &'k KeySet) -> Result<&'k PublicKey, Rejected> {
        let mut candidates = keys.candidates(self.kid.as_ref(), self.algorithm()).peekable();
        if candidates.peek().is_none() {
            return Err(UnknownKey);
        }

        candidates.find(|key| self.token.is_signed_by(key)).ok_or(BadSignature)
    }
}

// A token is a credential: whoever can read it in a log can use it.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}
