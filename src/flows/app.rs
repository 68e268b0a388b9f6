//! The running server: everything that a deed may touch, built once and shared.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use serde::de::DeserializeOwned;
use signet_jwt::{Expected, Expiry, Rejected, Typ, Unverified, Verified};
use uuid::Uuid;

use super::{
    Error, access_token::KnownTokens, api_key::KeyUses, device::DeviceLimits, directory::Directory,
    password::PasswordHasher, status::Statuses,
};
use crate::{
    config::Config,
    keys::{Keys, MasterSource},
    protocol::CLOCK_SKEW,
    storage::Store,
    values::{Algorithm, Issuer, Timestamp},
};

/// How many people may wait for their password to be checked, for each that is being checked.
const PASSWORD_QUEUE: usize = 32;

/// The running server.
pub struct App {
    /// What is remembered.
    pub store: Store,
    /// What signs and seals.
    pub keys: Keys,
    /// What was configured.
    pub config: Config,
    /// Clients, APIs and revocations, in memory.
    pub directory: Directory,
    /// Access tokens that were verified here.
    pub(super) known_tokens: KnownTokens,
    /// How often API keys are used.
    pub(super) key_uses: KeyUses,
    /// Places in the status lists, and the lists.
    pub statuses: Statuses,
    /// How often devices may ask, and people mistype their codes.
    pub(super) device_limits: DeviceLimits,
    /// What checks passwords.
    pub hasher: PasswordHasher,
    /// The time.
    pub clock: Clock,
    /// The randomness.
    pub random: Random,
    /// Whether this node is about to stop.
    pub leaving: Leaving,
}

impl App {
    /// Open the database, bring its schema up to date, and make what is missing: the master key and
    /// the first signing keys.
    ///
    /// # Errors
    /// When the database or the keys cannot be used; the text says what to do.
    pub async fn open(config: Config, clock: Clock, random: Random) -> Result<Arc<Self>, Error> {
        let now = clock.now();
        let store = Store::open(&config.database.url).await?;
        store.migrate().await?;
        store.place_clients(now).await?;
        let issuer = config.server.issuer.clone();
        // Before the keys: what changes of them from now on is followed.
        let directory = Directory::open(store.clone(), issuer, clock.clone()).await?;
        let source = MasterSource::new(&config.keys);
        let keys = Keys::open(store.clone(), source, random.bytes(), now).await?;
        let concurrency = config.login.argon2_concurrency;
        let hasher = PasswordHasher::new(concurrency, concurrency * PASSWORD_QUEUE);
        Ok(Arc::new(Self {
            store,
            keys,
            config,
            directory,
            known_tokens: KnownTokens::default(),
            key_uses: KeyUses::default(),
            statuses: Statuses::default(),
            device_limits: DeviceLimits::default(),
            hasher,
            clock,
            random,
            leaving: Leaving::default(),
        }))
    }

    /// Who we are.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.config.server.issuer
    }

    /// What a token of ours says, if it is one. Where `exp` does not count, neither does it that the
    /// key has been forgotten since.
    pub(super) fn read<C: DeserializeOwned>(
        &self,
        token: &str,
        typ: &str,
        expiry: Expiry,
        now: Timestamp,
    ) -> Result<Verified<C>, Rejected> {
        let keys = match expiry {
            Expiry::Required => self.keys.trusted(now),
            Expiry::Ignored => self.keys.ever_trusted(),
        };
        let expected = Expected {
            typ: Typ::Is(typ),
            issuer: Some(self.issuer().as_str()),
            audience: None,
            algorithms: &Algorithm::ALL,
            expiry,
            now,
            leeway: 0,
            // Another node may have issued it, and its clock may be ahead.
            ahead: CLOCK_SKEW,
        };
        Unverified::parse(token)?.verify(&keys, &expected)
    }
}

/// The one place where the time is read.
#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The clock of this machine.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn movable(now: Timestamp) -> (Self, Arc<AtomicI64>) {
        let hand = Arc::new(AtomicI64::new(now.0));
        (Self(Some(hand.clone())), hand)
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        if let Some(hand) = &self.0 {
            return Timestamp(hand.load(Ordering::Relaxed));
        }
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// Whether a node is about to stop: it still answers, but wants no new traffic.
#[derive(Clone, Debug, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// Tell everybody who asks.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether that was told.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The one source of randomness.
#[derive(Clone, Debug)]
pub struct Random(());

impl Random {
    /// The randomness of this machine.
    #[must_use]
    pub fn system() -> Self {
        Self(())
    }

    /// Fresh random bytes.
    ///
    /// # Panics
    /// When the system gives no randomness: nothing could go on safely.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system gives randomness");
        bytes
    }

    /// A fresh row identifier (UUID version 7).
    #[must_use]
    pub fn id<T: From<Uuid>>(&self, now: Timestamp) -> T {
        let millis = u64::try_from(now.0).unwrap_or(0).saturating_mul(1000);
        T::from(uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid())
    }
}
