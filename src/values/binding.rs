//! To whom a token is bound beside its client
//! ([RFC 9449 §6](https://www.rfc-editor.org/rfc/rfc9449#section-6)).

use super::Thumbprint;

/// Who may use what was issued: whoever has it, or whoever holds a key, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// Whoever has it.
    #[default]
    Bearer,
    /// Whoever proves to hold the key with this thumbprint.
    Dpop(Thumbprint),
}

impl Binding {
    /// The `token_type` of an access token that is bound like this (§5).
    #[must_use]
    pub fn token_type(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop(_) => "DPoP",
        }
    }

    /// The key, if there is one.
    #[must_use]
    pub fn key(self) -> Option<Thumbprint> {
        match self {
            Self::Bearer => None,
            Self::Dpop(key) => Some(key),
        }
    }
}

impl From<Option<Thumbprint>> for Binding {
    fn from(key: Option<Thumbprint>) -> Self {
        key.map_or(Self::Bearer, Self::Dpop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_its_key_or_nothing() {
        let key = Thumbprint::from([7; 32]);
        for (binding, key, token_type) in
            [(Binding::Bearer, None, "Bearer"), (Binding::Dpop(key), Some(key), "DPoP")]
        {
            assert_eq!((Binding::from(key), binding.key()), (binding, key));
            assert_eq!(binding.token_type(), token_type);
        }
    }
}
