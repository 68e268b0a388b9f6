//! Whom a token is meant for, `aud`
//! ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{invalid::Invalid, issuer::Issuer};

/// One or more distinct, non-empty names, in the order they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience(Vec<String>);

impl Audience {
    /// The audience of these names; a name that is repeated counts once.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Self, Invalid> {
        let mut distinct = Vec::new();
        for name in names {
            if name.is_empty() {
                return Err(Invalid("audience"));
            }
            if !distinct.contains(&name) {
                distinct.push(name);
            }
        }

        if distinct.is_empty() { Err(Invalid("audience")) } else { Ok(Self(distinct)) }
    }

    /// Whether the token is meant for this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|each| each == name)
    }

    /// The names in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<&Issuer> for Audience {
    fn from(issuer: &Issuer) -> Self {
        Self(vec![issuer.as_str().to_owned()])
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => serializer.serialize_str(only),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

struct OneOrSeveral;

impl<'de> de::Visitor<'de> for OneOrSeveral {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Audience, E> {
        Audience::new([name.to_owned()]).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut names: A) -> Result<Audience, A::Error> {
        let mut several = Vec::new();
        while let Some(name) = names.next_element()? {
            several.push(name);
        }

        Audience::new(several).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Audience, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_single_name_travels_as_a_string_and_several_as_an_array() {
        for json in [r#""api""#, r#"["b","a"]"#] {
            assert_eq!(serde_json::to_string(&read(json).unwrap()).unwrap(), json);
        }
        assert_eq!(read(r#"["api"]"#).unwrap(), read(r#""api""#).unwrap());
    }

    #[test]
    fn order_is_kept_and_repetition_is_not() {
        let audience = read(r#"["b","a","b"]"#).unwrap();
        assert_eq!(audience.iter().collect::<Vec<_>>(), ["b", "a"]);
        assert!(audience.contains("a") && !audience.contains("c"));
    }

    /// RFC 8725 §3.9.
    #[test]
    fn nobody_nameless_and_non_strings_are_refused() {
        for json in ["[]", r#""""#, r#"["a",""]"#, "null", "1", "[1]", r#"["a",null]"#, "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
