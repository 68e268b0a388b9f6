//! The keys of an authorization server, kept
//! ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use signet_jwt::{Issuer, KeySet, Unverified};

use crate::{
    clock::{SharedClock, millis},
    fetch::{Fetch, FetchError},
    flight::{Flight, UnderWay},
    metadata::{DiscoveryError, Metadata},
};

/// How often an unknown `kid` may have the keys fetched. Strangers can make up as many as they like.
const UNKNOWN_EVERY: Duration = Duration::from_secs(10);

/// For how long keys that are stale are used while new ones are on their way. Beyond it, a request
/// waits for them, unless the server is in trouble.
const STALE_IN_PASSING: Duration = Duration::from_mins(1);

/// For how long the last good keys are used while the server cannot be reached.
const STALE_IN_NEED: Duration = Duration::from_hours(24);

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The public keys of one issuer: fetched when first needed, kept for as long as their `max-age` says,
/// fetched anew for a `kid` that is not among them (once, however many ask, and once in ten seconds),
/// and used for a day while the server is away. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyCache(Arc<Inner>);

/// There are no keys to verify with: the server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the authorization server cannot be had at the moment")]
pub struct KeysUnavailable;

/// Why no keys came. The texts are for the log and for whoever starts the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFetchError {
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error("{url}: {source}")]
    Fetch { url: String, source: FetchError },
    #[error("{url}: it is not a JWK set with a key that verifies signatures")]
    NoKeys { url: String },
}

#[derive(Debug)]
struct Inner {
    issuer: Issuer,
    fetch: Fetch,
    clock: SharedClock,
    metadata: ArcSwapOption<Metadata>,
    held: ArcSwapOption<Held>,
    flight: Flight,
    /// Whether the server is asked again where its keys are: that may be what has changed.
    discover: AtomicBool,
    /// When the server may be asked again after a failure, in milliseconds of the clock.
    next_try: AtomicU64,
    failures: AtomicU32,
    /// When an unknown name may have the keys fetched again.
    next_unknown: AtomicU64,
}

#[derive(Debug)]
struct Held {
    keys: KeySet,
    fresh_until: Duration,
}

impl KeyCache {
    pub(crate) fn new(issuer: Issuer, fetch: Fetch, clock: SharedClock) -> Self {
        Self(Arc::new(Inner {
            issuer,
            fetch,
            clock,
            metadata: ArcSwapOption::empty(),
            held: ArcSwapOption::empty(),
            flight: Flight::default(),
            discover: AtomicBool::new(true),
            next_try: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            next_unknown: AtomicU64::new(0),
        }))
    }

    /// The keys among which the one is that a token claims to be signed with, if it is published.
    pub async fn for_token(&self, token: &Unverified<'_>) -> Result<KeySet, KeysUnavailable> {
        let held = self.current().await?;
        let known =
            |keys: &KeySet| keys.candidates(token.kid(), token.algorithm()).next().is_some();
        if known(&held.keys) {
            return Ok(held.keys.clone());
        }

        if let Some(under_way) = self.refetch_for_unknown() {
            under_way.done().await;
        }
        let held = self.0.held.load_full().ok_or(KeysUnavailable)?;
        Ok(held.keys.clone())
    }

    /// The keys as they are known now, however old. Nothing is fetched.
    #[must_use]
    pub fn known(&self) -> Option<KeySet> {
        self.0.held.load().as_ref().map(|held| held.keys.clone())
    }

    /// Fetch the keys now, and say what went wrong.
    pub(crate) async fn load(&self) -> Result<(), KeyFetchError> {
        self.0.fetch_keys().await
    }

    /// What the server says of itself, if it was reached.
    pub(crate) async fn metadata(&self) -> Option<Arc<Metadata>> {
        if self.0.metadata.load().is_none() {
            // Keys are not what is wanted here, but they come with the metadata.
            let _ = self.current().await;
        }
        self.0.metadata.load_full()
    }

    async fn current(&self) -> Result<Arc<Held>, KeysUnavailable> {
        let held = self.0.held.load_full();
        let now = self.0.clock.elapsed();
        let stale_for = held.as_ref().map(|held| now.saturating_sub(held.fresh_until));
        if stale_for != Some(Duration::ZERO) {
            let under_way = self.refetch();
            let well = self.0.failures.load(Ordering::Relaxed) == 0;
            match (under_way, stale_for.filter(|stale| *stale <= STALE_IN_NEED)) {
                (Some(under_way), None) => under_way.done().await,
                (Some(under_way), Some(stale)) if well && stale > STALE_IN_PASSING => {
                    under_way.done_soon().await;
                }
                _ => {}
            }
        }

        let held = self.0.held.load_full().ok_or(KeysUnavailable)?;
        let usable = self.0.clock.elapsed() <= held.fresh_until + STALE_IN_NEED;
        if usable { Ok(held) } else { Err(KeysUnavailable) }
    }

    fn refetch(&self) -> Option<UnderWay> {
        let inner = &self.0;
        inner.flight.begin(|| inner.may_try(), || inner.clone().errand())
    }

    fn refetch_for_unknown(&self) -> Option<UnderWay> {
        let inner = &self.0;
        let due = || {
            let now = millis(inner.clock.elapsed());
            let due = inner.may_try() && inner.next_unknown.load(Ordering::Relaxed) <= now;
            if due {
                inner.next_unknown.store(now + millis(UNKNOWN_EVERY), Ordering::Relaxed);
            }
            due
        };
        inner.flight.begin(due, || inner.clone().errand())
    }
}

impl Inner {
    fn may_try(&self) -> bool {
        self.next_try.load(Ordering::Relaxed) <= millis(self.clock.elapsed())
    }

    async fn errand(self: Arc<Self>) {
        if let Err(error) = self.fetch_keys().await {
            let failures = self.failures.fetch_add(1, Ordering::Relaxed);
            let pause = Duration::from_secs(1 << failures.min(5)).min(LONGEST_PAUSE);
            self.next_try.store(millis(self.clock.elapsed() + pause), Ordering::Relaxed);
            tracing::warn!(issuer = %self.issuer, %error, "the keys could not be fetched");
        }
    }

    /// Keys that are not better than none do not replace what is known.
    async fn fetch_keys(&self) -> Result<(), KeyFetchError> {
        let fetched = self.fetch_with_metadata().await;
        self.discover.store(fetched.is_err(), Ordering::Relaxed);
        self.held.store(Some(Arc::new(fetched?)));
        self.failures.store(0, Ordering::Relaxed);
        self.next_try.store(0, Ordering::Relaxed);
        Ok(())
    }

    async fn fetch_with_metadata(&self) -> Result<Held, KeyFetchError> {
        let known = self.metadata.load_full().filter(|_| !self.discover.load(Ordering::Relaxed));
        let metadata = match known {
            Some(metadata) => metadata,
            None => Arc::new(Metadata::discover(&self.issuer, &self.fetch).await?),
        };

        let url = metadata.jwks_uri.clone();
        let document = match self.fetch.document(&url).await {
            Ok(document) => document,
            Err(source) => return Err(KeyFetchError::Fetch { url, source }),
        };
        let keys = KeySet::parse(&document.body).ok().filter(|keys| !keys.keys().is_empty());
        let keys = keys.ok_or(KeyFetchError::NoKeys { url })?;

        self.metadata.store(Some(metadata));
        Ok(Held { keys, fresh_until: self.clock.elapsed() + document.fresh_for })
    }
}
