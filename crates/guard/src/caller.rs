//! Who calls, as a verified token says
//! ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)).

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use signet_jwt::{Audience, Scope, Thumbprint, Timestamp, Verified};

/// Who calls, and what they may do. Only a guard makes one, from a token that passed every check. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    known: Known,
    claims: Map<String, Value>,
}

/// Who acts for the subject, and for whom they acted before
/// ([RFC 8693 §4.1](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Actor {
    /// Who acts: a client's identifier, or a person's.
    pub sub: String,
    /// The client that acts, if the token names it.
    pub client_id: Option<String>,
    /// Who acted before.
    pub act: Option<Box<Self>>,
}

/// The claims that the guard itself understands, as far as they are not read where they stand.
#[derive(Debug)]
pub(crate) struct Known {
    exp: Timestamp,
    roles: BTreeSet<String>,
    permissions: BTreeSet<String>,
    auth_time: Option<Timestamp>,
    amr: BTreeSet<String>,
    act: Option<Actor>,
    pub(crate) cnf: Option<Confirmation>,
    pub(crate) status: Option<Status>,
}

/// How the user of a token proves to be the one
/// ([RFC 7800 §3.1](https://www.rfc-editor.org/rfc/rfc7800#section-3.1)).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// With the key that has this thumbprint. A token that is confirmed in any other way is refused.
    pub(crate) jkt: Thumbprint,
}

/// Where a token is found in the published lists
/// ([Token Status List §6.1](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-6.1)).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) status_list: Option<Reference>,
}

/// A place in a list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) idx: u64,
    pub(crate) uri: String,
}

impl Caller {
    /// None if a claim is missing or of the wrong kind.
    pub(crate) fn new(verified: Verified<Map<String, Value>>) -> Option<Self> {
        let expires_at = verified.expires_at()?;
        Self::of(verified.into_claims(), expires_at)
    }

    fn of(claims: Map<String, Value>, expires_at: Timestamp) -> Option<Self> {
        let known = Known::read(&claims, expires_at)?;
        Some(Self(Arc::new(Inner { known, claims })))
    }

    pub(crate) fn known(&self) -> &Known {
        &self.0.known
    }

    /// Whom the token speaks of, `sub`: a person, or the client itself.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// The client that the token was given to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.text("client_id").unwrap_or_default()
    }

    /// Whether the subject is a client and no person: nobody has signed in for the token, and it was not
    /// exchanged for a person's API key.
    #[must_use]
    pub fn is_client(&self) -> bool {
        let own_key = self.api_key().is_none() || self.subject() == self.client_id();
        self.signed_in_at().is_none() && own_key
    }

    /// Whom the token is meant for.
    #[must_use]
    pub fn audience(&self) -> Option<Audience> {
        Audience::deserialize(self.claim("aud")?).ok()
    }

    /// What was granted.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.text("scope").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Whether this was granted.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.text("scope").is_some_and(|granted| granted.split(' ').any(|each| each == scope))
    }

    /// The roles that the subject has at this API.
    #[must_use]
    pub fn roles(&self) -> &BTreeSet<String> {
        &self.0.known.roles
    }

    /// Whether the subject has this role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.0.known.roles.contains(role)
    }

    /// What the subject's roles permit at this API.
    #[must_use]
    pub fn permissions(&self) -> &BTreeSet<String> {
        &self.0.known.permissions
    }

    /// Whether the subject's roles permit this.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.0.known.permissions.contains(permission)
    }

    /// When the token ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.known.exp
    }

    /// The name of the token.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// When the person signed in.
    #[must_use]
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        self.0.known.auth_time
    }

    /// How strong the sign-in was, `acr`.
    #[must_use]
    pub fn sign_in_class(&self) -> Option<&str> {
        self.text("acr")
    }

    /// The methods of the sign-in, `amr`.
    #[must_use]
    pub fn sign_in_methods(&self) -> &BTreeSet<String> {
        &self.0.known.amr
    }

    /// The session that the token came of, `sid`.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.text("sid")
    }

    /// The identifier of the API key that was presented, if one was.
    #[must_use]
    pub fn api_key(&self) -> Option<&str> {
        self.text("api_key")
    }

    /// Who acts for the subject, if somebody else does.
    #[must_use]
    pub fn actor(&self) -> Option<&Actor> {
        self.0.known.act.as_ref()
    }

    /// A claim by its name.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.claims.get(name)
    }

    /// All claims, as a type of your own.
    pub fn claims<C: DeserializeOwned>(&self) -> Result<C, serde_json::Error> {
        C::deserialize(&self.0.claims)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.claims.get(name).and_then(Value::as_str)
    }
}

impl Known {
    fn read(claims: &Map<String, Value>, expires_at: Timestamp) -> Option<Self> {
        for required in ["sub", "client_id"] {
            claims.get(required)?.as_str()?;
        }
        for optional in ["jti", "acr", "sid", "api_key"] {
            if claims.get(optional).is_some_and(|value| !value.is_string()) {
                return None;
            }
        }
        if !claims.get("scope").is_none_or(|scope| scope.as_str().is_some_and(Scope::is_valid)) {
            return None;
        }
        Some(Self {
            exp: expires_at,
            roles: read(claims, "roles")?.unwrap_or_default(),
            permissions: read(claims, "permissions")?.unwrap_or_default(),
            auth_time: read(claims, "auth_time")?,
            amr: read(claims, "amr")?.unwrap_or_default(),
            act: read(claims, "act")?,
            cnf: read(claims, "cnf")?,
            status: read(claims, "status")?,
        })
    }
}

/// A claim that may be absent; none at all if it is of the wrong kind.
#[expect(clippy::option_option, reason = "absent is not the same as wrong")]
fn read<T: DeserializeOwned>(claims: &Map<String, Value>, name: &str) -> Option<Option<T>> {
    claims.get(name).map(T::deserialize).transpose().ok()
}

#[cfg(test)]
pub(crate) mod fixtures {
    use serde_json::json;

    use super::*;

    /// A caller of whom a token says this, beside what every token says.
    pub(crate) fn caller(more: Value) -> Caller {
        let mut claims = json!({"sub": "alice", "aud": "api", "exp": 1, "client_id": "web"});
        let Value::Object(more) = more else { panic!("claims are an object") };
        claims.as_object_mut().unwrap().extend(more);
        let Value::Object(claims) = claims else { unreachable!() };
        Caller::of(claims, Timestamp(1)).unwrap()
    }
}
