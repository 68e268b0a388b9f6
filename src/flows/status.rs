//! Status lists: places for tokens, and what is published of them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{App, Result, issue, pace::network};
use crate::{
    protocol::status::{self, VALIDITY, list_uri},
    storage::Store,
    values::{StatusPlace, Timestamp},
};

/// How many lists are kept signed.
const MOST_LISTS: u64 = 256;

/// How many may listen to what is revoked at a time, each by a connection that stays open.
const MOST_LISTENERS: usize = 256;

/// How many of them from one address, so that nobody takes all the places.
const MOST_FROM_ONE_ADDRESS: usize = 32;

/// What this node knows of status lists beside which places are revoked.
pub struct Statuses {
    /// Places that nobody was given yet: the next one, and how many there are.
    places: Mutex<Option<(StatusPlace, i64)>>,
    /// How many lists there are, and when that was looked up, in seconds.
    lists: (AtomicI64, AtomicI64),
    published: Cache<i64, Arc<PublishedList>>,
    /// How many more may listen to what is revoked.
    listeners: Arc<Semaphore>,
    /// How many listen from where.
    listening: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place among those who listen, which is free again when this is dropped.
#[derive(Debug)]
pub struct Listening {
    _place: OwnedSemaphorePermit,
    from: Option<IpAddr>,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(from) = self.from
            && let Some(count) = counts.get_mut(&from)
        {
            *count -= 1;
            if *count == 0 {
                counts.remove(&from);
            }
        }
    }
}

/// A signed list.
#[derive(Debug)]
pub struct PublishedList {
    /// The token.
    pub token: Bytes,
    /// What names this version of it to caches.
    pub etag: String,
    version: u64,
    signed_at: Timestamp,
}

impl Default for Statuses {
    fn default() -> Self {
        Self {
            places: Mutex::default(),
            lists: (AtomicI64::new(0), AtomicI64::new(i64::MIN)),
            published: Cache::new(MOST_LISTS),
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
            listening: Arc::default(),
        }
    }
}

impl Statuses {
    /// A place that nobody was given before. Nodes take them from the database in blocks, so that few
    /// grants wait for one.
    pub async fn place(&self, store: &Store) -> Result<StatusPlace> {
        if let Some(place) = self.take() {
            return Ok(place);
        }
        // Several may be here at once: each takes a block, and what is left of all but one is lost.
        let first = store.take_status_places().await?;
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        *places = Some((first.plus(1), StatusPlace::BLOCK - 1));
        Ok(first)
    }

    fn take(&self) -> Option<StatusPlace> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, left) = places.take()?;
        if left > 1 {
            *places = Some((next.plus(1), left - 1));
        }
        Some(next)
    }

    /// How many lists there are. A stranger's question makes this node look once a second at most.
    async fn lists(&self, store: &Store, least: i64, now: Timestamp) -> Result<i64> {
        let (known, looked_at) = &self.lists;
        let lists = known.load(Ordering::Relaxed);
        if least <= lists || looked_at.swap(now.0, Ordering::Relaxed) == now.0 {
            return Ok(lists);
        }
        let lists = (store.status_places().await? + StatusPlace::LIST - 1) / StatusPlace::LIST;
        known.store(lists, Ordering::Relaxed);
        Ok(lists)
    }
}

/// A list as it is now, if there is one of this number.
pub async fn list(app: &App, number: i64) -> Result<Option<Arc<PublishedList>>> {
    let now = app.clock.now();
    let in_use = number >= 0
        && number < app.statuses.lists(&app.store, number.saturating_add(1), now).await?;
    if !in_use {
        return Ok(None);
    }
    let (version, revoked) = {
        let places = app.directory.places();
        let version = places.version(number);
        if let Some(list) = app.statuses.published.get(&number)
            && list.version == version
            && now.since(list.signed_at) < VALIDITY / 2
        {
            return Ok(Some(list));
        }
        (version, places.revoked_in(number).collect::<Vec<_>>())
    };

    let claims = status::list(app.issuer(), number, revoked, now);
    let token = issue::status_list(app, &claims, now).await?;

    let etag = format!("\"{number}-{version}-{now}\"");
    let list = PublishedList { token: token.into(), etag, version, signed_at: now };
    let list = Arc::new(list);
    app.statuses.published.insert(number, list.clone());
    Ok(Some(list))
}

/// A place among those who listen to what is revoked, if there is one left, and if not too many listen from
/// there already.
#[must_use]
pub fn listener(app: &App, from: Option<IpAddr>) -> Option<Listening> {
    let Statuses { listeners, listening, .. } = &app.statuses;
    let place = listeners.clone().try_acquire_owned().ok()?;
    let from = from.map(network);
    if let Some(from) = from {
        let mut listening = listening.lock().unwrap_or_else(PoisonError::into_inner);
        let count = listening.entry(from).or_default();
        if *count >= MOST_FROM_ONE_ADDRESS {
            return None;
        }
        *count += 1;
    }
    Some(Listening { _place: place, from, counts: listening.clone() })
}

/// Where every list is published
/// ([Token Status List §9.3](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-9.3)).
pub async fn lists(app: &App) -> Result<Vec<String>> {
    let now = app.clock.now();
    let lists = app.statuses.lists(&app.store, i64::MAX, now).await?;
    Ok((0..lists).map(|list| list_uri(app.issuer(), list)).collect())
}
