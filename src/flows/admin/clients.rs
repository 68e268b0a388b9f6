//! Clients, as operators make and change them.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use signet_jwt::KeySet;

use super::{
    ATTEMPTS, Admin, AdminError, Edit, check_name,
    client_rules::{AuthMethod, check, check_id, kind, method},
    overtaken, refused,
};
use crate::{
    model::{Client, ClientKind, Credentials, GrantType, Revoked, SecretHash},
    storage::{ClientUpdate, Creation},
    values::{Algorithm, ClientId, ClientSecret, PostLogoutUri, RedirectUri, Scope, WebUri},
};

/// The most seconds for which two secrets of a client may be valid at once.
const LONGEST_OVERLAP: i64 = 30 * 24 * 60 * 60;

/// A client to be. What is left out is chosen so that the client is safe and works.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct NewClient {
    /// Its identifier; without one, one is made.
    pub id: Option<ClientId>,
    /// What people see; without one, the identifier.
    pub name: Option<String>,
    /// Whether it cannot keep a secret.
    pub public: bool,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where people may go after signing out.
    pub post_logout_redirect_uris: Vec<PostLogoutUri>,
    /// The grants that it may use; if none are named, those that redirect URIs are for.
    pub grants: BTreeSet<GrantType>,
    /// The most that it may be granted; without it, what signing in needs.
    pub scope: Option<Scope>,
    /// Whether consent is not asked for.
    pub first_party: bool,
    /// How it proves who it is.
    pub auth_method: Option<AuthMethod>,
    /// The public keys with which it signs.
    pub keys: Option<KeySet>,
    /// Whether it may do without PKCE.
    pub without_pkce: bool,
    /// Whether it must always prove to hold a key.
    pub dpop_bound: bool,
    /// The algorithm of its ID tokens.
    pub id_token_algorithm: Option<Algorithm>,
    /// A page with its privacy policy.
    pub policy_uri: Option<WebUri>,
    /// A page with its terms of service.
    pub tos_uri: Option<WebUri>,
}

/// What is to be different about a client. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientChange {
    /// What people see.
    pub name: Option<String>,
    /// Where authorization responses may go, all of them.
    pub redirect_uris: Option<Vec<RedirectUri>>,
    /// Where people may go after signing out, all of them.
    pub post_logout_redirect_uris: Option<Vec<PostLogoutUri>>,
    /// The grants that it may use, all of them.
    pub grants: Option<BTreeSet<GrantType>>,
    /// The most that it may be granted.
    pub scope: Option<Scope>,
    /// Whether consent is not asked for.
    pub first_party: Option<bool>,
    /// Whether it is to become one that cannot keep a secret.
    pub public: bool,
    /// How it proves who it is.
    pub auth_method: Option<AuthMethod>,
    /// The public keys with which it signs, all of them.
    pub keys: Option<KeySet>,
    /// Whether it needs PKCE.
    pub pkce_required: Option<bool>,
    /// Whether it must always prove to hold a key.
    pub dpop_bound: Option<bool>,
    /// The algorithm of its ID tokens.
    pub id_token_algorithm: Option<Algorithm>,
    /// A page with its privacy policy.
    pub policy_uri: Edit<WebUri>,
    /// A page with its terms of service.
    pub tos_uri: Edit<WebUri>,
}

impl Admin {
    /// Make a client. Its secret, if it has one, is known only now.
    pub async fn create_client(
        &self,
        new: NewClient,
    ) -> Result<(Client, Option<ClientSecret>), AdminError> {
        let (client, secret) = self.draft(new)?;
        check_id(&client.id)?;
        check_name(&client.name)?;
        check(&client)?;

        match self.store.create_client(&client).await? {
            Creation::Created => Ok((client, secret)),
            Creation::Taken => refused(format!(
                "there is a client called {0} already: choose another id, or change that one with \
                 `signet client update {0}`",
                client.id
            )),
        }
    }

    /// The client of this name.
    pub async fn client(&self, id: &ClientId) -> Result<Client, AdminError> {
        match self.store.client(id).await? {
            Some(client) => Ok(client),
            None => unknown(id),
        }
    }

    /// Change a client. A change to `client_secret_basic` or `client_secret_post` makes a secret if
    /// there is none; it is known only now.
    pub async fn update_client(
        &self,
        id: &ClientId,
        change: ClientChange,
    ) -> Result<(Client, Option<ClientSecret>), AdminError> {
        for _ in 0..ATTEMPTS {
            let mut client = self.client(id).await?;
            let secret = self.change(&mut client, change.clone())?;
            client.updated_at = self.clock.now();
            check_name(&client.name)?;
            check(&client)?;

            match self.store.update_client(&client).await? {
                ClientUpdate::Updated => return Ok((self.client(id).await?, secret)),
                ClientUpdate::Stale => {}
                ClientUpdate::Gone => return unknown(id),
            }
        }
        overtaken(&format!("the client {id}"))
    }

    /// Remove a client, and with it every consent and token that it was given.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), AdminError> {
        let revocation = self.revocation(Revoked::Client(id.clone()), self.clock.now());
        if self.store.delete_client(id, &revocation).await? { Ok(()) } else { unknown(id) }
    }

    /// Give a client a new secret; the old one stays valid for `overlap` seconds. Of two who do so at
    /// the same time one is refused: the other's secret must not die unseen.
    pub async fn rotate_client_secret(
        &self,
        id: &ClientId,
        overlap: i64,
    ) -> Result<(Client, ClientSecret), AdminError> {
        let now = self.clock.now();
        if !(0..=LONGEST_OVERLAP).contains(&overlap) {
            return refused(format!("the overlap must be 0 to {LONGEST_OVERLAP} seconds"));
        }
        let mut client = self.client(id).await?;
        let ClientKind::Confidential(Credentials::Secret(_, hash)) = &mut client.kind else {
            return refused(format!(
                "the client {id} has no secret: its token_endpoint_auth_method is {}",
                client.auth_method()
            ));
        };

        let secret = ClientSecret::new(self.random.bytes());
        let previous = (overlap > 0).then(|| (hash.current, now.plus(overlap)));
        *hash = SecretHash { current: secret.hash(), previous };
        client.updated_at = now;

        match self.store.update_client(&client).await? {
            ClientUpdate::Updated => Ok((self.client(id).await?, secret)),
            ClientUpdate::Stale => overtaken(&format!("the client {id}")),
            ClientUpdate::Gone => unknown(id),
        }
    }

    /// Let a client do nothing at all, and end the access tokens that it was given.
    pub async fn disable_client(&self, id: &ClientId) -> Result<Client, AdminError> {
        let revocation = self.revocation(Revoked::Client(id.clone()), self.clock.now());
        self.store.disable_client(id, &revocation).await?;
        self.client(id).await
    }

    /// Let a client act again. Access tokens from before stay dead.
    pub async fn enable_client(&self, id: &ClientId) -> Result<Client, AdminError> {
        self.store.enable_client(id, self.clock.now()).await?;
        self.client(id).await
    }

    fn draft(&self, new: NewClient) -> Result<(Client, Option<ClientSecret>), AdminError> {
        let now = self.clock.now();
        let method = method(new.public, new.auth_method, AuthMethod::SecretBasic)?;
        let (kind, secret) =
            kind(method, new.keys, None, || ClientSecret::new(self.random.bytes()))?;

        let mut grants = new.grants;
        if grants.is_empty() && !new.redirect_uris.is_empty() {
            grants.extend([GrantType::AuthorizationCode, GrantType::RefreshToken]);
        }
        let scope = new.scope.unwrap_or_else(|| usual_scope(&grants));
        let id = new.id.unwrap_or_else(|| self.new_client_id());
        let client = Client {
            name: new.name.unwrap_or_else(|| id.to_string()),
            id,
            kind,
            redirect_uris: new.redirect_uris,
            post_logout_redirect_uris: new.post_logout_redirect_uris,
            grants,
            scope,
            first_party: new.first_party,
            pkce_required: !new.without_pkce,
            dpop_bound: new.dpop_bound,
            id_token_algorithm: new.id_token_algorithm.unwrap_or(Algorithm::Rs256),
            policy_uri: new.policy_uri,
            tos_uri: new.tos_uri,
            disabled_at: None,
            first_status_place: None,
            revision: 0,
            created_at: now,
            updated_at: now,
        };
        Ok((client, secret))
    }

    fn change(
        &self,
        client: &mut Client,
        change: ClientChange,
    ) -> Result<Option<ClientSecret>, AdminError> {
        fn set<T>(to: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *to = value;
            }
        }

        let method = method(change.public, change.auth_method, AuthMethod::of(&client.kind))?;
        let new_secret = || ClientSecret::new(self.random.bytes());
        let (kind, secret) = kind(method, change.keys, Some(&client.kind), new_secret)?;
        let becomes_public = matches!(kind, ClientKind::Public) && !client.is_public();
        client.kind = kind;
        set(&mut client.name, change.name);
        set(&mut client.redirect_uris, change.redirect_uris);
        set(&mut client.post_logout_redirect_uris, change.post_logout_redirect_uris);
        set(&mut client.grants, change.grants);
        set(&mut client.scope, change.scope);
        set(&mut client.first_party, change.first_party);
        set(&mut client.pkce_required, change.pkce_required.or(becomes_public.then_some(true)));
        set(&mut client.dpop_bound, change.dpop_bound);
        set(&mut client.id_token_algorithm, change.id_token_algorithm);
        change.policy_uri.apply(&mut client.policy_uri);
        change.tos_uri.apply(&mut client.tos_uri);
        Ok(secret)
    }

    /// 22 characters that need no encoding anywhere and are no flag on any command line.
    fn new_client_id(&self) -> ClientId {
        let mut bytes: [u8; 16] = self.random.bytes();
        // The first character tells the upper six bits; below 32 it is a letter.
        bytes[0] &= 0x7f;
        BASE64.encode(bytes).parse().expect("base64url is visible ASCII")
    }
}

/// What a client may ask for when nobody said: nothing, or what signing in is about.
fn usual_scope(grants: &BTreeSet<GrantType>) -> Scope {
    let mut tokens = Vec::new();
    let people = [GrantType::AuthorizationCode, GrantType::DeviceCode];
    if people.iter().any(|grant| grants.contains(grant)) {
        tokens.extend(["openid", "profile", "email"]);
        if grants.contains(&GrantType::RefreshToken) {
            tokens.push("offline_access");
        }
    }
    Scope::from_tokens(tokens).expect("these are scope tokens")
}

fn unknown<T>(id: &ClientId) -> Result<T, AdminError> {
    refused(format!("there is no client called {id}: `signet client list` shows those there are"))
}
