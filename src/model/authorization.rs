//! What a person has authorized, and the code that stands for it until it is redeemed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::values::{
    Authentication, Binding, ClientId, CodeChallenge, CodeId, FamilyId, Resource, Scope, Timestamp,
    TokenHash, UserId,
};

/// What a person has authorized a client to do: the part that a code and the refresh tokens after it
/// share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The client.
    pub client: ClientId,
    /// The person.
    pub user: UserId,
    /// The sign-in that it rests on.
    pub authentication: Authentication,
    /// The scopes that were granted.
    pub scope: Scope,
    /// The APIs that were asked for by name, in their registered form.
    pub resources: Vec<Resource>,
    /// The claims that were asked for one by one and granted.
    pub claims: ClaimsRequest,
}

/// Claims asked for one by one
/// ([OpenID Connect Core §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Claims for the userinfo endpoint.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub userinfo: BTreeSet<String>,
    /// Claims for the ID token.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub id_token: BTreeSet<String>,
}

impl ClaimsRequest {
    /// Every claim that is asked for, wherever it is to appear.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.userinfo.union(&self.id_token).cloned().collect()
    }
}

/// An authorization code ([RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)).
#[derive(Clone, Debug)]
pub struct IssuedCode {
    /// Its row.
    pub id: CodeId,
    /// What is kept of its secret.
    pub secret: TokenHash,
    /// What it stands for.
    pub authorization: Authorization,
    /// The redirect address of the request, if the request named one.
    pub redirect_uri: Option<String>,
    /// The challenge that its redeemer must meet.
    pub challenge: Option<CodeChallenge>,
    /// Who may redeem it: perhaps only the holder of a key
    /// ([RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10)).
    pub binding: Binding,
    /// What the ID token must repeat.
    pub nonce: Option<String>,
    /// When it stops being valid.
    pub expires_at: Timestamp,
    /// Whether it has been redeemed.
    pub state: CodeState,
}

/// Whether a code has been redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// Not yet.
    Fresh,
    /// Once, for this family: what a second attempt revokes.
    Spent(FamilyId),
}
