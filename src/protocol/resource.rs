//! Resource indicators ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)): which APIs an access token
//! is meant for, and which of the granted scopes it carries there.

use std::collections::BTreeSet;

use super::{ErrorCode::InvalidTarget, OAuthError};
use crate::{
    model::{Client, ResourceServer},
    values::{Algorithm, Audience, Issuer, Resource, Scope},
};

/// The scopes that speak of the person rather than of an API.
pub const IDENTITY_SCOPES: [&str; 6] =
    ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Every registered API, and our own issuer.
#[derive(Clone, Debug)]
pub struct Catalogue {
    issuer: Issuer,
    resources: Vec<ResourceServer>,
}

/// Whom an access token is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Its `aud`.
    pub audience: Audience,
    /// Its `scope`.
    pub scope: Scope,
    /// The algorithm that its audience asked for.
    pub algorithm: Algorithm,
}

impl Catalogue {
    /// The catalogue of these APIs.
    #[must_use]
    pub fn new(issuer: Issuer, resources: Vec<ResourceServer>) -> Self {
        Self { issuer, resources }
    }

    /// The APIs themselves.
    #[must_use]
    pub fn resources(&self) -> &[ResourceServer] {
        &self.resources
    }

    /// The API that `named` means, in any of its spellings.
    #[must_use]
    pub fn find(&self, named: &str) -> Option<&ResourceServer> {
        self.resources.iter().find(|resource| resource.id.is_named_by(named))
    }

    /// The APIs that `client` asks for by name, in their registered form.
    ///
    /// # Errors
    /// `invalid_target` when one is unknown, or shares no scope with the client's registration.
    pub fn ask<'a>(
        &self,
        named: impl Iterator<Item = &'a str>,
        client: &Client,
    ) -> Result<Vec<Resource>, OAuthError> {
        let mut asked = Vec::new();
        for name in named {
            let resource = self.ask_one(name, client)?;
            if !asked.contains(&resource) {
                asked.push(resource);
            }
        }
        Ok(asked)
    }

    fn ask_one(&self, name: &str, client: &Client) -> Result<Resource, OAuthError> {
        if let Some(issuer) = self.issuer_as_resource().filter(|own| own.is_named_by(name)) {
            return Ok(issuer);
        }
        let resource = self
            .find(name)
            .ok_or_else(|| InvalidTarget.because("the resource is not registered here"))?;
        if !client.scope.meets(&resource.scope) {
            return Err(InvalidTarget
                .because("the client has no scope of this resource in its registration"));
        }
        Ok(resource.id.clone())
    }

    /// Every API that a grant of `scope` reaches, if it was asked for with `resources`: those that are
    /// named, or else all that one of the scopes belongs to. A person is asked about each of them.
    #[must_use]
    pub fn reach(&self, scope: &Scope, resources: &[Resource]) -> BTreeSet<Resource> {
        let reached = |api: &&ResourceServer| {
            if resources.is_empty() { api.scope.meets(scope) } else { resources.contains(&api.id) }
        };
        self.resources.iter().filter(reached).map(|api| api.id.clone()).collect()
    }

    /// What a token is meant for that carries `scope` and was asked for with `resources`.
    ///
    /// Named resources are the audience, and scopes that belong to others are left out. Without any,
    /// scopes of exactly one API choose it (and us beside it, if `openid` is among them); otherwise
    /// the audience is the issuer.
    #[must_use]
    pub fn aim(&self, scope: &Scope, resources: &[Resource]) -> Aim {
        if resources.is_empty() { self.aim_by_scope(scope) } else { self.aim_at(scope, resources) }
    }

    fn aim_at(&self, scope: &Scope, named: &[Resource]) -> Aim {
        let (meant, others): (Vec<_>, Vec<_>) =
            self.resources.iter().partition(|resource| named.contains(&resource.id));
        let union = |of: &[&ResourceServer]| {
            of.iter().fold(Scope::empty(), |all, resource| all.union(&resource.scope))
        };
        let foreign = union(&others).without(&union(&meant));
        Aim {
            audience: Audience::new(named.iter().map(ToString::to_string))
                .unwrap_or_else(|_| (&self.issuer).into()),
            scope: scope.without(&foreign),
            algorithm: common_algorithm(&meant),
        }
    }

    fn aim_by_scope(&self, scope: &Scope) -> Aim {
        let owners: Vec<_> =
            self.resources.iter().filter(|resource| resource.scope.meets(scope)).collect();
        match owners.as_slice() {
            [only] => {
                let own = scope.contains("openid").then(|| self.issuer.to_string());
                let audience = std::iter::once(only.id.to_string()).chain(own);
                Aim {
                    audience: Audience::new(audience).unwrap_or_else(|_| (&self.issuer).into()),
                    scope: scope.clone(),
                    algorithm: only.algorithm,
                }
            }
            _ => Aim {
                audience: (&self.issuer).into(),
                scope: scope.clone(),
                algorithm: Algorithm::Rs256,
            },
        }
    }

    fn issuer_as_resource(&self) -> Option<Resource> {
        self.issuer.as_str().parse().ok()
    }
}

/// The algorithm that all of them ask for, or the one that everybody knows.
fn common_algorithm(resources: &[&ResourceServer]) -> Algorithm {
    match resources {
        [first, rest @ ..] if rest.iter().all(|other| other.algorithm == first.algorithm) => {
            first.algorithm
        }
        _ => Algorithm::Rs256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{client, resource};

    fn catalogue() -> Catalogue {
        Catalogue::new(
            "https://id.test".parse().unwrap(),
            vec![
                resource("https://orders.test", "orders:read orders:write"),
                resource("https://mail.test", "mail:send"),
            ],
        )
    }

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    fn audience(aim: &Aim) -> Vec<&str> {
        aim.audience.iter().collect()
    }

    #[test]
    fn scopes_of_one_api_choose_it_as_the_audience() {
        let aim = catalogue().aim(&scope("orders:read"), &[]);
        assert_eq!(audience(&aim), ["https://orders.test"]);
        let aim = catalogue().aim(&scope("openid orders:read"), &[]);
        assert_eq!(audience(&aim), ["https://orders.test", "https://id.test"]);
    }

    #[test]
    fn scopes_of_several_apis_or_none_leave_the_issuer_as_the_audience() {
        for text in ["openid email", "orders:read mail:send"] {
            assert_eq!(audience(&catalogue().aim(&scope(text), &[])), ["https://id.test"]);
        }
    }

    #[test]
    fn a_token_for_one_api_carries_no_scope_of_another() {
        let orders = "https://orders.test".parse().unwrap();
        let aim = catalogue().aim(&scope("openid orders:read mail:send"), &[orders]);
        assert_eq!(audience(&aim), ["https://orders.test"]);
        assert_eq!(aim.scope, scope("openid orders:read"));
    }

    #[test]
    fn an_api_is_found_by_any_spelling_and_named_by_its_registered_one() {
        let mut client = client("app");
        client.scope = scope("orders:read");
        let asked = catalogue().ask(["HTTPS://orders.test/"].into_iter(), &client).unwrap();
        assert_eq!(asked, ["https://orders.test".parse().unwrap()]);
    }

    #[test]
    fn an_unknown_api_and_one_that_is_not_the_clients_are_invalid_targets() {
        let mut client = client("app");
        client.scope = scope("openid orders:read");
        for name in ["https://unknown.test", "https://mail.test", "https://orders.test/#x", "x"] {
            let refusal = catalogue().ask([name].into_iter(), &client).unwrap_err();
            assert_eq!(refusal.code, InvalidTarget, "{name}");
        }
    }
}
