//! A token nobody has checked yet, and the checks
//! ([RFC 7519 §7.2](https://www.rfc-editor.org/rfc/rfc7519#section-7.2),
//! [RFC 8725 §3](https://www.rfc-editor.org/rfc/rfc8725#section-3)).

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    base64url, claims,
    expected::Expected,
    key_id::KeyId,
    key_set::KeySet,
    public_key::PublicKey,
    rejected::Rejected::{
        self, BadClaims, BadSignature, Malformed, UnknownKey, WrongAlgorithm, WrongType,
    },
    strict_json,
    verified::Verified,
};

const LONGEST: usize = 16 * 1024;

/// A well-formed compact JWS over a JSON object, signed by who knows whom. What it says serves to
/// find the keys to verify it with, and nothing else.
pub struct Unverified<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    algorithm: Algorithm,
    typ: Option<String>,
    kid: Option<KeyId>,
    payload: Map<String, Value>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart. Anything with a second possible reading is refused.
    ///
    /// Deliberately not looked at: `jwk`, `jku`, `x5u` and `x5c`, by which a token would vouch for
    /// itself (RFC 8725 §3.10).
    pub fn parse(token: &'a str) -> Result<Self, Rejected> {
        if token.len() > LONGEST {
            return Err(Malformed("it is longer than 16 KiB"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed("it has no dots"))?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed("it has one dot only"))?;
        let part = |text: &str| base64url::decode(text).filter(|bytes| !bytes.is_empty());

        let header = part(header).ok_or(Malformed("the header is not base64url"))?;
        let payload = part(payload).ok_or(Malformed("the payload is not base64url"))?;
        let signature = part(signature).ok_or(Malformed("the signature is not base64url"))?;
        let header =
            strict_json::object(&header).ok_or(Malformed("the header is not a json object"))?;
        let payload =
            strict_json::object(&payload).ok_or(Malformed("the payload is not a json object"))?;

        // No extension is understood, and one that turns base64url off least of all (RFC 7797 §6).
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(Malformed("it needs an extension"));
        }
        let algorithm = text(&header, "alg")?.ok_or(Malformed("it names no algorithm"))?;
        let algorithm = algorithm.parse().map_err(|_| WrongAlgorithm)?;
        let typ = text(&header, "typ")?.map(str::to_owned);
        let kid = text(&header, "kid")?.map(str::parse).transpose();
        let kid = kid.map_err(|_| Malformed("the key id is not one"))?;

        Ok(Self { signed, signature, algorithm, typ, kid, payload })
    }

    /// The name of the key it claims to be signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&KeyId> {
        self.kid.as_ref()
    }

    /// How it claims to be signed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The type it claims to have.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The `iss` it claims, to find the keys by; not to be trusted.
    #[must_use]
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.payload.get("iss").and_then(Value::as_str)
    }

    /// The `sub` it claims, to find the keys by; not to be trusted.
    #[must_use]
    pub fn claimed_subject(&self) -> Option<&str> {
        self.payload.get("sub").and_then(Value::as_str)
    }

    /// Checks, in this order: type, algorithm, signature, times, issuer, audience; then reads the
    /// claims.
    pub fn verify<C: DeserializeOwned>(
        self,
        keys: &KeySet,
        expected: &Expected<'_>,
    ) -> Result<Verified<C>, Rejected> {
        if !expected.typ.accepts(self.typ()) {
            return Err(WrongType);
        }
        if !expected.algorithms.contains(&self.algorithm) {
            return Err(WrongAlgorithm);
        }
        let kid = self.signer(keys)?.kid().cloned();

        let expires_at = claims::check_times(&self.payload, expected)?;
        claims::check_issuer(&self.payload, expected)?;
        claims::check_audience(&self.payload, expected)?;

        let claims = C::deserialize(Value::Object(self.payload))
            .map_err(|_| BadClaims("one is missing or of the wrong kind"))?;
        Ok(Verified { claims, expires_at, kid })
    }

    fn signer<'k>(&self, keys: &'k KeySet) -> Result<&'k PublicKey, Rejected> {
        let mut candidates = keys.candidates(self.kid.as_ref(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(UnknownKey);
        }

        candidates
            .find(|key| key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature))
            .ok_or(BadSignature)
    }
}

// A token is a credential: whoever can read it in a log can use it.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A header parameter that may be absent, but if it is there, must be a string.
fn text<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, Rejected> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed("a header parameter is not a string")),
    }
}
