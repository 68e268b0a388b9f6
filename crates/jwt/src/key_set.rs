//! A set of public keys ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    algorithm::Algorithm, invalid::Invalid, key_id::KeyId, public_key::PublicKey, strict_json,
};

const MOST: usize = 100;

/// The public keys of one party; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Arc<[PublicKey]>);

impl KeySet {
    /// The set of these keys.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys.into())
    }

    /// Reads a JWK Set of at most 100 keys. A key that is not understood, or not meant to verify, is
    /// passed over as RFC 7517 §5 asks.
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, Invalid> {
        let set = strict_json::object(json.as_ref()).ok_or(Invalid("key set"))?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(Invalid("key set"))?;
        if keys.len() > MOST {
            return Err(Invalid("key set"));
        }

        Ok(Self(keys.iter().filter_map(|key| PublicKey::from_jwk(key).ok()).collect()))
    }

    /// The keys in their order.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    /// The keys that may have made a signature of this kind under this name. Without a name, all
    /// that allow the algorithm; a nameless key answers to any name if it is the only one that does.
    pub fn candidates(
        &self,
        kid: Option<&KeyId>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &PublicKey> {
        let fitting = || self.0.iter().filter(move |key| key.allows(algorithm));
        let lone = fitting().nth(1).is_none();

        fitting().filter(move |key| match (kid, key.kid()) {
            (None, _) => true,
            (Some(_), None) => lone,
            (Some(asked), Some(own)) => asked == own,
        })
    }

    /// The JWK Set.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"keys": self.0.iter().map(PublicKey::to_jwk).collect::<Vec<_>>()})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_key::SigningKey;

    fn key() -> PublicKey {
        SigningKey::generate(Algorithm::EdDsa).unwrap().0.public()
    }

    fn nameless() -> PublicKey {
        let mut jwk = key().to_jwk();
        jwk.as_object_mut().unwrap().remove("kid");
        PublicKey::from_jwk(&jwk).unwrap()
    }

    fn count(keys: Vec<PublicKey>, kid: Option<&str>, algorithm: Algorithm) -> usize {
        let kid: Option<KeyId> = kid.map(|kid| kid.parse().unwrap());
        KeySet::new(keys).candidates(kid.as_ref(), algorithm).count()
    }

    #[test]
    fn a_name_selects_its_key_and_no_name_every_key_that_fits() {
        let (one, other) = (key(), key());
        let name = one.kid().unwrap().to_string();
        let keys = || vec![one.clone(), other.clone()];

        assert_eq!(count(keys(), Some(&name), Algorithm::EdDsa), 1);
        assert_eq!(count(keys(), Some("unknown"), Algorithm::EdDsa), 0);
        assert_eq!(count(keys(), None, Algorithm::EdDsa), 2);
        assert_eq!(count(keys(), None, Algorithm::Es256), 0);
    }

    #[test]
    fn a_nameless_key_answers_to_a_name_only_when_alone() {
        assert_eq!(count(vec![nameless()], Some("any"), Algorithm::EdDsa), 1);
        assert_eq!(count(vec![nameless(), nameless()], Some("any"), Algorithm::EdDsa), 0);
        assert_eq!(count(vec![nameless(), key()], Some("any"), Algorithm::EdDsa), 0);
    }

    #[test]
    fn keys_that_are_not_understood_are_passed_over() {
        let set = json!({"keys": [{"kty": "oct", "k": "AAAA"}, 7, {"kty": "new"}, key().to_jwk()]});
        let set = KeySet::parse(set.to_string()).unwrap();
        assert_eq!(set.keys().len(), 1);
        assert_eq!(KeySet::parse(set.to_json().to_string()).unwrap().keys(), set.keys());
    }

    #[test]
    fn a_set_is_an_object_with_at_most_a_hundred_keys() {
        let of = |count: usize| json!({"keys": vec![json!({}); count]}).to_string();
        assert!(KeySet::parse(of(100)).is_ok());
        for bad in [of(101), "[]".to_owned(), "{}".to_owned(), r#"{"keys":{}}"#.to_owned()] {
            assert_eq!(KeySet::parse(bad).unwrap_err(), Invalid("key set"));
        }
    }
}
