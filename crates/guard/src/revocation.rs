//! Which tokens are revoked, by published lists
//! ([Token Status List](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list)).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use signet_jwt::Issuer;

use crate::{
    caller::Reference,
    clock::{SharedClock, millis},
    events::Events,
    fetch::Fetch,
    flight::{Flight, UnderWay},
    keys::KeyCache,
    status_list::{ListError, StatusList},
};

/// How many lists are held. Each serves a million grants.
const MOST_LISTS: u64 = 64;

/// For how long a list that is stale is used while the next is on its way. With the `ttl` of two seconds
/// and the second in which every node of a server hears of a revocation, a revoked token is refused
/// within five.
const STALE_IN_PASSING: Duration = Duration::from_secs(1);

/// For how long a list is believed after it should have been fetched again, whatever it says itself.
const LONGEST: Duration = Duration::from_mins(10);

/// How long to leave the server alone after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// How a guard learns which tokens are revoked before they expire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocation {
    /// By the published list in which a token says that it is found, fetched again as often as the
    /// list says, and only while such tokens come.
    #[default]
    Lists,
    /// By listening to what the server pushes, over one connection that stays open; by the lists
    /// whenever that connection is down.
    Events,
    /// Not at all: a revoked token is accepted until it expires.
    Off,
}

/// What is known of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Revoked,
    /// The list cannot be had, or the one that is held is too old to believe.
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: Issuer,
    keys: KeyCache,
    fetch: Fetch,
    clock: SharedClock,
    lists: Cache<String, Arc<Followed>>,
    events: Option<Events>,
}

/// A list that is fetched again and again.
#[derive(Debug, Default)]
struct Followed {
    held: ArcSwapOption<Held>,
    flight: Flight,
    next_try: AtomicU64,
    /// Whether it could not be fetched the last time.
    is_away: AtomicBool,
}

#[derive(Debug)]
struct Held {
    list: StatusList,
    fresh_until: Duration,
}

impl Revocations {
    pub(crate) fn new(
        issuer: Issuer,
        keys: KeyCache,
        fetch: Fetch,
        clock: SharedClock,
        listen: bool,
    ) -> Self {
        let events = listen.then(|| Events::new(&issuer, fetch.clone(), clock.clone()));
        let lists = Cache::new(MOST_LISTS);
        Self(Arc::new(Inner { issuer, keys, fetch, clock, lists, events }))
    }

    /// What is known of the token that is found here.
    pub(crate) async fn standing(&self, place: &Reference) -> Standing {
        let inner = &self.0;
        let ours = place.uri.strip_prefix(inner.issuer.as_str()).is_some_and(|path| {
            // Nothing that begins like the issuer and leads to another host.
            path.starts_with('/')
        });
        if !ours {
            return Standing::Unknown;
        }
        if let Some(heard) = inner.events.as_ref().and_then(|events| events.says(place)) {
            return if heard { Standing::Revoked } else { Standing::Good };
        }

        let followed = inner.lists.get_with_by_ref(&place.uri, Arc::default);
        self.look(&followed, place).await
    }

    async fn look(&self, followed: &Arc<Followed>, place: &Reference) -> Standing {
        let clock = &self.0.clock;
        let stale_for = (followed.held.load().as_ref())
            .map(|held| clock.elapsed().saturating_sub(held.fresh_until));
        if stale_for != Some(Duration::ZERO) {
            let under_way = self.refetch(followed, &place.uri);
            let away = followed.is_away.load(Ordering::Relaxed);
            match (under_way, stale_for) {
                (Some(under_way), None) => under_way.done().await,
                (Some(under_way), Some(stale)) if !away && stale > STALE_IN_PASSING => {
                    under_way.done_soon().await;
                }
                _ => {}
            }
        }

        match followed.held.load().as_ref() {
            Some(held) if held.list.counts_at(clock.now()) && stale_for <= Some(LONGEST) => {
                match held.list.status(place.idx) {
                    Some(0) => Standing::Good,
                    Some(_) => Standing::Revoked,
                    None => Standing::Unknown,
                }
            }
            _ => Standing::Unknown,
        }
    }

    fn refetch(&self, followed: &Arc<Followed>, uri: &str) -> Option<UnderWay> {
        let due = || {
            let now = millis(self.0.clock.elapsed());
            followed.next_try.load(Ordering::Relaxed) <= now
        };
        let errand = || self.clone().errand(followed.clone(), uri.to_owned());
        followed.flight.begin(due, errand)
    }

    async fn errand(self, followed: Arc<Followed>, uri: String) {
        let fetched = self.fetch(&uri).await;
        followed.is_away.store(fetched.is_err(), Ordering::Relaxed);
        match fetched {
            Ok(held) => followed.held.store(Some(Arc::new(held))),
            Err(error) => {
                let next_try = millis(self.0.clock.elapsed() + PAUSE);
                followed.next_try.store(next_try, Ordering::Relaxed);
                tracing::warn!(uri, %error, "a status list could not be fetched");
            }
        }
    }

    async fn fetch(&self, uri: &str) -> Result<Held, ListError> {
        let Inner { fetch, keys, clock, .. } = &*self.0;
        // What is revoked while the list is on its way is not in it.
        let asked_at = clock.elapsed();
        let document = fetch.document(uri).await?;
        let list = StatusList::read(&document.body, uri, keys, clock.now()).await?;
        let ttl = list.ttl().unwrap_or(document.fresh_for);
        Ok(Held { list, fresh_until: asked_at + ttl.min(document.fresh_for) })
    }
}
