//! API keys that come to us.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use moka::sync::Cache;

use super::{App, Result, events::Event};
use crate::{
    model::{ApiKeyRecord, KeyOwner, Revocation, Revoked, User},
    protocol::{
        ErrorCode::TemporarilyUnavailable,
        exchange::{check_key, no_key},
    },
    values::{ApiKey, ApiKeyId, Scope, Timestamp},
};

/// How many keys are counted at a time.
const MOST_COUNTED: u64 = 65_536;

const MINUTE: i64 = 60;

/// How often each key was used in a minute, on this node.
#[derive(Clone)]
pub struct KeyUses(Cache<(ApiKeyId, i64), Arc<AtomicI64>>);

impl Default for KeyUses {
    fn default() -> Self {
        let uses = Cache::builder().max_capacity(MOST_COUNTED);
        Self(uses.time_to_live(Duration::from_mins(2)).build())
    }
}

impl KeyUses {
    /// Count a use.
    ///
    /// # Errors
    /// `temporarily_unavailable` when there were as many in this minute as the key allows.
    fn count(&self, record: &ApiKeyRecord, now: Timestamp) -> Result<()> {
        let Some(limit) = record.rate_limit else { return Ok(()) };
        let uses = self.0.get_with((record.id, now.0 / MINUTE), Arc::default);
        if uses.fetch_add(1, Ordering::Relaxed) >= limit {
            let refusal = TemporarilyUnavailable
                .because("the API key is used more often than it allows: wait for the next minute");
            return Err(refusal.into());
        }
        Ok(())
    }
}

/// A key that can be used, and whose it is.
pub struct Bearer {
    /// The key.
    pub record: ApiKeyRecord,
    /// The person that it belongs to, if it is a person's.
    pub user: Option<User>,
    /// The most that its owner may do, where there is such a bound.
    pub owned: Option<Scope>,
}

/// Find out whose a key is.
///
/// # Errors
/// `invalid_request` for a key that cannot be used, or whose owner may do nothing any more.
pub async fn bearer(app: &App, key: &ApiKey, now: Timestamp) -> Result<Bearer> {
    let record = app.store.api_key(key.id()).await?.ok_or_else(no_key)?;
    check_key(key, &record, now)?;
    app.key_uses.count(&record, now)?;
    match &record.owner {
        KeyOwner::Person(id) => {
            let user = app.store.user(*id).await?.filter(|user| user.disabled_at.is_none());
            Ok(Bearer { user: Some(user.ok_or_else(no_key)?), owned: None, record })
        }
        KeyOwner::Client(id) => {
            let client = app.directory.client(id).await?.ok_or_else(no_key)?;
            if client.disabled_at.is_some() {
                return Err(no_key().into());
            }
            Ok(Bearer { user: None, owned: Some(client.scope.clone()), record })
        }
    }
}

/// End a key and everything that it was exchanged for. False if that is no news.
pub async fn revoke(app: &App, id: ApiKeyId, now: Timestamp) -> Result<bool> {
    let revocation = Revocation::new(app.random.id(now), Revoked::Key(id), now);
    let revoked = app.store.revoke_api_key(id, &revocation).await?;
    app.directory.note(revocation);
    if revoked {
        Event::ApiKeyRevoked { key: id }.emit();
    }
    Ok(revoked)
}

/// Which of these texts are keys of ours, as somebody says who has found them where they must not be. Those
/// that are end at once: whoever holds a key may end it. A text whose checksum is wrong costs no look at the
/// database.
pub async fn leaked(app: &App, texts: &[&str]) -> Result<Vec<bool>> {
    let now = app.clock.now();
    let mut known = Vec::new();
    for text in texts {
        let record = match text.parse::<ApiKey>() {
            Ok(key) => app.store.api_key(key.id()).await?.filter(|record| {
                let before = record.secret.previous.iter().map(|(before, _)| before);
                let mut secrets = std::iter::once(&record.secret.current).chain(before);
                secrets.any(|secret| secret.matches(&key.hash()))
            }),
            Err(_) => None,
        };
        if let Some(record) = &record
            && record.is_alive(now)
        {
            Event::ApiKeyLeaked { key: record.id }.emit();
            revoke(app, record.id, now).await?;
        }
        known.push(record.is_some());
    }
    Ok(known)
}
