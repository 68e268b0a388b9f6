//! What an access token is good for
//! ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::invalid::Invalid;

const MOST: usize = 256;

/// A set of scope tokens, each of the characters RFC 6749 allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(BTreeSet<String>);

impl Scope {
    /// The scope that permits nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The scope of exactly these tokens, in whatever order and however often they are named.
    pub fn from_tokens(tokens: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Invalid> {
        let mut scope = BTreeSet::new();
        for token in tokens {
            let token = token.as_ref();
            if !is_scope_token(token) {
                return Err(Invalid("scope"));
            }
            scope.insert(token.to_owned());
            if scope.len() > MOST {
                return Err(Invalid("scope"));
            }
        }

        Ok(Self(scope))
    }

    /// Whether a claim of this text is a scope, which costs less than to make one.
    #[must_use]
    pub fn is_valid(claim: &str) -> bool {
        let tokens = || claim.split(' ');
        claim.is_empty() || tokens().all(is_scope_token) && tokens().count() <= MOST
    }

    /// Whether there is no token in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this token is in it.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether every token of this scope is in `other`.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether a token of this scope is in `other`.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }

    /// The scope without the tokens that are one of these.
    #[must_use]
    pub fn without_any(&self, tokens: &[&str]) -> Self {
        Self(self.0.iter().filter(|token| !tokens.contains(&token.as_str())).cloned().collect())
    }

    /// The tokens of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// The tokens of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// The tokens that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }

    /// The scope asked for, if this one covers it: a scope narrows and never widens.
    #[must_use]
    pub fn narrow(&self, asked: &Self) -> Option<Self> {
        asked.is_subset_of(self).then(|| asked.clone())
    }

    /// The tokens in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl FromStr for Scope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::from_tokens(text.split(' '))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;

        // A request parameter must name a token; a scope that was stored may be empty.
        if text.is_empty() { Ok(Self::empty()) } else { text.parse().map_err(de::Error::custom) }
    }
}

fn is_scope_token(text: &str) -> bool {
    let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);

    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_scope_if_one_can_be_made_of_it() {
        let many = |count: usize| vec!["a"; count].join(" ");
        for text in ["", "a", "a b", "a  b", " a", "a ", "\"", "a\\b", "\u{e9}", &many(256)] {
            let made: Result<Scope, _> = serde_json::from_value(serde_json::json!(text));
            assert_eq!(Scope::is_valid(text), made.is_ok(), "{text:?}");
        }
        assert!(!Scope::is_valid(&many(257)));
    }

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        assert_eq!(scope("openid email openid"), scope("email openid"));
        assert_eq!(scope("openid email").to_string(), "email openid");
    }

    #[test]
    fn tokens_are_parted_by_single_spaces_and_keep_to_the_charset() {
        for bad in ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "é", "a\u{7f}"] {
            assert_eq!(bad.parse::<Scope>(), Err(Invalid("scope")), "{bad:?}");
        }
        assert!(scope("orders:read https://api.example/x ~!#[]").contains("~!#[]"));
    }

    #[test]
    fn a_scope_holds_at_most_256_tokens() {
        let tokens = |count: usize| (0..count).map(|n| format!("t{n}")).collect::<Vec<_>>();
        assert!(tokens(256).join(" ").parse::<Scope>().is_ok());
        assert_eq!(tokens(257).join(" ").parse::<Scope>(), Err(Invalid("scope")));
    }

    #[test]
    fn a_scope_may_narrow_but_never_widen() {
        assert_eq!(scope("a b c").narrow(&scope("c a")), Some(scope("a c")));
        assert_eq!(scope("a b").narrow(&scope("a d")), None);
        assert_eq!(scope("a").narrow(&Scope::empty()), Some(Scope::empty()));
    }

    #[test]
    fn it_behaves_as_a_set() {
        assert_eq!(scope("a b").union(&scope("b c")), scope("a b c"));
        assert_eq!(scope("a b").intersection(&scope("b c")), scope("b"));
        assert_eq!(scope("a b").without(&scope("b c")), scope("a"));
    }

    #[test]
    fn it_travels_as_one_string_that_may_be_empty() {
        assert_eq!(serde_json::to_string(&scope("b a")).unwrap(), r#""a b""#);
        assert_eq!(serde_json::from_str::<Scope>(r#""""#).unwrap(), Scope::empty());
        assert!(serde_json::from_str::<Scope>(r#"["a"]"#).is_err());
    }
}
