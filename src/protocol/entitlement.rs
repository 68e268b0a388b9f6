//! What a caller has been found entitled to: the one thing that tokens are minted from.

use super::{
    access_token::{AccessClaims, Actor},
    client_auth::AuthenticatedClient,
};
use crate::{
    model::KeyOwner,
    values::{
        Algorithm, ApiKeyId, Audience, Authentication, Binding, ClientId, FamilyId, Scope,
        Timestamp, UserId,
    },
};

/// The terms of a grant, decided. Only the `decide` of a grant makes one, so that a token cannot come
/// from anywhere else.
#[derive(Debug)]
pub struct Entitlement {
    terms: Terms,
    binding: Binding,
}

/// The terms of a grant.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Who the tokens speak of.
    pub subject: Subject,
    /// Who holds them.
    pub client: ClientId,
    /// What the access token allows.
    pub scope: Scope,
    /// Whom the access token is meant for.
    pub audience: Audience,
    /// The algorithm of the access token.
    pub algorithm: Algorithm,
    /// The grant that everything issued from it shares.
    pub family: Option<FamilyId>,
    /// The API key that it was exchanged for.
    pub api_key: Option<ApiKeyId>,
    /// Who acts for the subject, where that is not the subject.
    pub actor: Option<Actor>,
    /// When the access token ends at the latest, whatever its usual lifetime.
    pub expires_by: Option<Timestamp>,
    /// Claims asked for one by one that userinfo may answer with.
    pub userinfo_claims: Vec<String>,
    /// What to put into an ID token, if one is due.
    pub id_token: Option<IdTokenTerms>,
}

/// What an ID token says beyond who signed in.
#[derive(Clone, Debug)]
pub struct IdTokenTerms {
    /// The algorithm that the client registered.
    pub algorithm: Algorithm,
    /// What the authorization request asked to see again.
    pub nonce: Option<String>,
    /// Claims asked for one by one.
    pub claims: Vec<String>,
}

/// Who a token speaks of.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A person, who signed in like this.
    Person(UserId, Authentication),
    /// The client itself.
    Client,
    /// Whoever owns the API key.
    Owner(KeyOwner),
    /// Whoever the token speaks of that was exchanged.
    Of(Box<AccessClaims>),
}

impl Terms {
    /// Declare that the terms have been decided for this client: what comes of them is bound to the
    /// key that it holds.
    pub(super) fn decided(self, client: &AuthenticatedClient) -> Entitlement {
        Entitlement { terms: self, binding: client.binding() }
    }
}

impl Entitlement {
    /// What was decided.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who may use the access token.
    #[must_use]
    pub fn binding(&self) -> Binding {
        self.binding
    }
}
