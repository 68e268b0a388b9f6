//! Clients, people and APIs for the tests of this layer.

use std::collections::BTreeSet;

use super::{
    client_auth::AuthenticatedClient,
    dpop::{OneTimeProof, Possession},
};
use crate::{
    model::{
        Authorization, ClaimsRequest, Client, ClientKind, Credentials, GrantType, ResourceServer,
        SecretHash, SecretMethod,
    },
    values::{
        Acr, Algorithm, Amr, Authentication, SessionId, Thumbprint, Timestamp, TokenHash, UserId,
    },
};

/// The moment at which tests take place.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// A public client with every grant that such a client can have.
pub(crate) fn client(id: &str) -> Client {
    Client {
        id: id.parse().unwrap(),
        name: "App".to_owned(),
        kind: ClientKind::Public,
        redirect_uris: vec!["https://app.test/cb".parse().unwrap()],
        post_logout_redirect_uris: vec!["https://app.test/".parse().unwrap()],
        grants: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
        scope: "openid profile email offline_access".parse().unwrap(),
        first_party: false,
        pkce_required: true,
        dpop_bound: false,
        id_token_algorithm: Algorithm::Rs256,
        policy_uri: None,
        tos_uri: None,
        disabled_at: None,
        first_status_place: None,
        revision: 0,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A confidential client whose secret is `secret`, sent in the header.
pub(crate) fn confidential(id: &str, secret: &str) -> Client {
    let hash = SecretHash { current: TokenHash::of(secret.as_bytes()), previous: None };
    Client {
        kind: ClientKind::Confidential(Credentials::Secret(SecretMethod::Basic, hash)),
        ..client(id)
    }
}

/// A client that has authenticated.
pub(crate) fn authenticated(client: Client) -> AuthenticatedClient {
    AuthenticatedClient::for_tests(client)
}

/// A client that has authenticated, and proved to hold this key.
pub(crate) fn holding(client: Client, key: Thumbprint) -> AuthenticatedClient {
    authenticated(client).holding(Possession::Proven(OneTimeProof::for_tests(key)))
}

/// An API with these scopes.
pub(crate) fn resource(id: &str, scope: &str) -> ResourceServer {
    ResourceServer {
        id: id.parse().unwrap(),
        name: "API".to_owned(),
        scope: scope.parse().unwrap(),
        client: None,
        algorithm: Algorithm::Rs256,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A sign-in with a password, a minute ago.
pub(crate) fn authentication() -> Authentication {
    Authentication {
        session: SessionId::from_bytes([7; 16]),
        at: NOW.minus(60),
        acr: Acr::Password,
        amr: BTreeSet::from([Amr::Password]),
    }
}

/// What Alice has authorized `client` to do.
pub(crate) fn authorization(client: &Client, scope: &str) -> Authorization {
    Authorization {
        client: client.id.clone(),
        user: alice(),
        authentication: authentication(),
        scope: scope.parse().unwrap(),
        resources: Vec::new(),
        claims: ClaimsRequest::default(),
    }
}

/// Alice.
pub(crate) fn alice() -> UserId {
    UserId::from_bytes([1; 16])
}
