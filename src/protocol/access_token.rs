//! Access tokens: the JWT profile of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Entitlement, Subject, role::Authority, status::Status};
use crate::values::{
    Acr, Amr, ApiKeyId, Audience, Authentication, Binding, ClientId, FamilyId, Issuer, Permission,
    Role, Scope, SessionId, StatusPlace, Thumbprint, Timestamp, UserId,
};

/// The `typ` of an access token (§2.1).
pub const TYP: &str = "at+jwt";

/// The claims of an access token (§2.2), and the few of ours by which it can be revoked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// Whom it speaks of: a person's id, or the client's own.
    pub sub: String,
    /// Whom it is meant for.
    pub aud: Audience,
    /// When it expires.
    pub exp: Timestamp,
    /// When it was issued.
    pub iat: Timestamp,
    /// Which token this is.
    pub jti: String,
    /// Who holds it.
    pub client_id: ClientId,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// When the person signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// How strong the sign-in was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    /// The methods of the sign-in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub amr: BTreeSet<Amr>,
    /// The session that it began in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The grant that it was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilyId>,
    /// The API key that it was exchanged for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKeyId>,
    /// Who acts for the subject ([RFC 8693 §4.1](https://www.rfc-editor.org/rfc/rfc8693#section-4.1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Where it is found in the published status lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The roles that the subject has where the token is meant for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Role>,
    /// What the subject may do there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub permissions: BTreeSet<Permission>,
    /// The key that its user must hold
    /// ([RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    /// Claims asked for one by one that userinfo may answer with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo_claims: Vec<String>,
}

/// How the user of a token proves to be the one
/// ([RFC 7800 §3.1](https://www.rfc-editor.org/rfc/rfc7800#section-3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// With the key that has this thumbprint.
    pub jkt: Thumbprint,
}

/// Who acts, and for whom they acted before: the outermost is the one who acts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who acts: a client's identifier, or a person's.
    pub sub: String,
    /// The client that acts.
    pub client_id: ClientId,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Self>>,
}

impl Actor {
    /// How many act, one for another.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + self.act.as_ref().map_or(0, |earlier| earlier.depth())
    }
}

impl AccessClaims {
    /// Who may use the token.
    #[must_use]
    pub fn binding(&self) -> Binding {
        self.cnf.map(|cnf| cnf.jkt).into()
    }

    /// The person that the token speaks of; a client's own token speaks of none. No client is called as
    /// persons are.
    #[must_use]
    pub fn person(&self) -> Option<UserId> {
        let may_be_one = self.auth_time.is_some() || self.api_key.is_some();
        may_be_one.then(|| self.sub.parse().ok()).flatten()
    }

    /// The client that the token speaks of, where it does not speak of a person.
    #[must_use]
    pub fn client(&self) -> Option<ClientId> {
        if self.person().is_some() { None } else { self.sub.parse().ok() }
    }

    /// The sign-in that it came of.
    fn authentication(&self) -> Option<Authentication> {
        let (at, session, acr) = (self.auth_time?, self.sid?, self.acr?);
        Some(Authentication { session, at, acr, amr: self.amr.clone() })
    }
}

/// The claims of the access token that an entitlement gives: found at this place of the status lists, and
/// valid by this issuer for so many seconds from now.
#[must_use]
pub fn claims(
    entitlement: &Entitlement,
    authority: Authority,
    jti: String,
    place: Option<StatusPlace>,
    validity: (&Issuer, i64, Timestamp),
) -> AccessClaims {
    let (issuer, lifetime, now) = validity;
    let terms = entitlement.terms();
    let (sub, authentication) = match &terms.subject {
        Subject::Person(user, authentication) => (user.to_string(), Some(authentication.clone())),
        Subject::Client => (terms.client.to_string(), None),
        Subject::Owner(owner) => (owner.to_string(), None),
        Subject::Of(token) => (token.sub.clone(), token.authentication()),
    };
    let authentication = authentication.as_ref();
    AccessClaims {
        iss: issuer.to_string(),
        sub,
        aud: terms.audience.clone(),
        exp: terms.expires_by.map_or(now.plus(lifetime), |end| end.min(now.plus(lifetime))),
        iat: now,
        jti,
        client_id: terms.client.clone(),
        scope: terms.scope.clone(),
        auth_time: authentication.map(|a| a.at),
        acr: authentication.map(|a| a.acr),
        amr: authentication.map(|a| a.amr.clone()).unwrap_or_default(),
        sid: authentication.map(|a| a.session),
        family: terms.family,
        api_key: terms.api_key,
        act: terms.actor.clone(),
        status: place.map(|place| Status::at(place, issuer)),
        roles: authority.roles,
        permissions: authority.permissions,
        cnf: entitlement.binding().key().map(|jkt| Confirmation { jkt }),
        userinfo_claims: terms.userinfo_claims.clone(),
    }
}
