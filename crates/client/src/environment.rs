//! What a program is given in its environment: a token or a key is used before anything else is looked
//! for.

use std::env;

use crate::{AccessToken, Error, TokenSource};

/// The names under which a program finds what it is given: for the program `acme`, `ACME_TOKEN` and
/// `ACME_API_KEY`.
#[derive(Clone, Debug)]
pub struct Environment {
    prefix: String,
}

impl Environment {
    /// The environment of this program. Letters of its name are raised, and what is neither letter nor
    /// digit becomes an underscore.
    #[must_use]
    pub fn of(program: &str) -> Self {
        let raised = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        Self { prefix: program.chars().map(raised).collect() }
    }

    /// The name of the variable that holds an access token.
    #[must_use]
    pub fn token_name(&self) -> String {
        format!("{}_TOKEN", self.prefix)
    }

    /// The name of the variable that holds an API key.
    #[must_use]
    pub fn api_key_name(&self) -> String {
        format!("{}_API_KEY", self.prefix)
    }

    /// The name of the variable that [`Environment::token`] reads, if one is set.
    #[must_use]
    pub fn given(&self) -> Option<String> {
        [self.token_name(), self.api_key_name()].into_iter().find(|name| read(name).is_some())
    }

    /// The token, or else the API key, if the environment holds one that is not empty. Both are used
    /// as they are, and cannot be renewed.
    pub fn token(&self) -> Result<Option<AccessToken>, Error> {
        let given = self.given().and_then(|name| read(&name));
        given.map(|value| AccessToken::bearer(&value)).transpose()
    }

    /// A source of what [`Environment::token`] gives.
    pub fn source(&self) -> Result<Option<TokenSource>, Error> {
        Ok(self.token()?.map(TokenSource::fixed))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the environment")]
fn read(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_after_the_program() {
        let environment = Environment::of("acme-ctl");
        assert_eq!(environment.token_name(), "ACME_CTL_TOKEN");
        assert_eq!(environment.api_key_name(), "ACME_CTL_API_KEY");
        assert!(environment.token().unwrap().is_none());
    }
}
