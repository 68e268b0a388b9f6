//! API keys, as operators make and end them.

use ipnet::IpNet;

use super::{Admin, AdminError, check_name, refused};
use crate::{
    model::{ApiKeyRecord, KeyOwner, Revoked, SecretHash},
    protocol::resource::IDENTITY_SCOPES,
    values::{ApiKey, ApiKeyId, Scope},
};

/// How many networks a key may be bound to.
const MOST_ADDRESSES: usize = 50;

/// The most seconds for which a secret that was replaced stays valid: a week.
const LONGEST_OVERLAP: i64 = 7 * 24 * 3600;

/// A key to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Whose it is.
    pub owner: KeyOwner,
    /// What it is called.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// For how many seconds it is valid.
    pub lifetime: i64,
    /// For how many seconds it may be valid at most.
    pub longest: i64,
    /// Where it may be used from; anywhere, if none are given.
    pub addresses: Vec<IpNet>,
    /// How often a minute it may be exchanged or looked up, on each node.
    pub rate_limit: Option<i64>,
}

impl Admin {
    /// Make a key. It is seen this once.
    pub async fn create_api_key(
        &self,
        new: NewApiKey,
    ) -> Result<(ApiKeyRecord, ApiKey), AdminError> {
        check_name(&new.name)?;
        self.check_key_scope(&new.scope, &new.owner).await?;
        if !(60..=new.longest).contains(&new.lifetime) {
            return refused(format!(
                "a key is valid for 60 to {} seconds: the setting api_key_max_lifetime says so",
                new.longest
            ));
        }
        if new.addresses.len() > MOST_ADDRESSES {
            return refused(format!("a key is bound to {MOST_ADDRESSES} networks at most"));
        }
        if new.rate_limit.is_some_and(|limit| limit < 1) {
            return refused("a rate limit lets a key be used once a minute at least");
        }

        let now = self.clock.now();
        let key = ApiKey::new(self.random.id(now), self.random.bytes());
        let record = ApiKeyRecord {
            id: key.id(),
            name: new.name,
            owner: new.owner,
            secret: SecretHash { current: key.hash(), previous: None },
            scope: new.scope,
            addresses: new.addresses.into_iter().map(|network| network.trunc()).collect(),
            rate_limit: new.rate_limit,
            created_at: now,
            expires_at: now.plus(new.lifetime),
            revoked_at: None,
            last_used_at: None,
            status_place: None,
        };
        if self.store.create_api_key(&record).await? {
            Ok((record, key))
        } else {
            refused("the owner of the key has been deleted meanwhile")
        }
    }

    /// The key of this identifier.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<ApiKeyRecord, AdminError> {
        match self.store.api_key(id).await? {
            Some(key) => Ok(key),
            None => unknown(id),
        }
    }

    /// Give a key another secret; the old one stays valid for `overlap` seconds. When the key ends does
    /// not change.
    pub async fn rotate_api_key(
        &self,
        id: ApiKeyId,
        overlap: i64,
    ) -> Result<(ApiKeyRecord, ApiKey), AdminError> {
        if !(0..=LONGEST_OVERLAP).contains(&overlap) {
            return refused(format!("the overlap must be 0 to {LONGEST_OVERLAP} seconds"));
        }
        let now = self.clock.now();
        let mut record = self.api_key(id).await?;
        if !record.is_alive(now) {
            return refused(format!("the key {id} has ended: make another"));
        }
        let key = ApiKey::new(id, self.random.bytes());
        let previous = (overlap > 0).then(|| (record.secret.current, now.plus(overlap)));
        let secret = SecretHash { current: key.hash(), previous };

        if self.store.rotate_api_key(id, &record.secret, &secret, now).await? {
            record.secret = secret;
            Ok((record, key))
        } else {
            refused(format!("the key {id} was changed by somebody else at this moment: try again"))
        }
    }

    /// End a key, and every token that it was exchanged for.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<ApiKeyRecord, AdminError> {
        self.api_key(id).await?;
        let revocation = self.revocation(Revoked::Key(id), self.clock.now());
        self.store.revoke_api_key(id, &revocation).await?;
        self.api_key(id).await
    }

    /// A key is for APIs, and never for more than its owner may do.
    async fn check_key_scope(&self, scope: &Scope, owner: &KeyOwner) -> Result<(), AdminError> {
        if scope.is_empty() {
            return refused(
                "a key needs at least one scope of a resource, such as --scope orders:read",
            );
        }
        let resources = self.store.resources().await?;
        let known = |name: &str| resources.iter().any(|resource| resource.scope.contains(name));
        if let Some(foreign) =
            scope.iter().find(|name| IDENTITY_SCOPES.contains(name) || !known(name))
        {
            return refused(format!(
                "the scope {foreign} belongs to no resource: `signet resource list` shows those there are"
            ));
        }
        if let KeyOwner::Client(id) = owner {
            let client = self.client(id).await?;
            let foreign = scope.without(&client.scope);
            if !foreign.is_empty() {
                return refused(format!(
                    "the client {id} may not do {foreign} itself: give it the scope with `signet client \
                     update {id} --scope ...`, or leave it out"
                ));
            }
        }
        Ok(())
    }
}

fn unknown<T>(id: ApiKeyId) -> Result<T, AdminError> {
    refused(format!("there is no API key {id}: `signet api-key list` shows those there are"))
}
