//! The compact form of a signed object
//! ([RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)), taken apart and put together.

use aws_lc_rs::error::Unspecified;
use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    base64url,
    key_pair::KeyPair,
    public_key::PublicKey,
    rejected::Rejected::{self, Malformed, WrongAlgorithm},
    strict_json,
};

/// How long a token may be, in bytes, unless its reader expects a longer one.
pub(crate) const LONGEST: usize = 16 * 1024;

/// A well-formed compact JWS over a JSON object, signed by who knows whom.
pub(crate) struct Compact<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
    pub(crate) algorithm: Algorithm,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart. Anything with a second possible reading is refused.
    pub(crate) fn parse(token: &'a str, longest: usize) -> Result<Self, Rejected> {
        if token.len() > longest {
            return Err(Malformed("it is too long"));
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
        text(&header, "typ")?;

        Ok(Self { header, payload, algorithm, signed, signature })
    }

    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.get("typ").and_then(Value::as_str)
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verifies(self.algorithm, self.signed.as_bytes(), &self.signature)
    }
}

/// A header parameter that may be absent, but if it is there, must be a string.
pub(crate) fn text<'h>(
    header: &'h Map<String, Value>,
    name: &str,
) -> Result<Option<&'h str>, Rejected> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Malformed("a header parameter is not a string")),
    }
}

/// Signs what has been serialized already.
pub(crate) fn sign(header: &str, payload: &[u8], pair: &KeyPair) -> Result<String, Unspecified> {
    let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 400);
    base64url::append(header.as_bytes(), &mut token);
    token.push('.');
    base64url::append(payload, &mut token);

    let signature = pair.sign(token.as_bytes())?;
    token.push('.');
    base64url::append(&signature, &mut token);
    Ok(token)
}
