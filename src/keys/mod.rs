//! The seal: which key signs now, which are still trusted, when the next one comes.

mod master;
mod ring;
pub mod schedule;
mod sealed;

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Serialize;
use signet_jwt::{KeyError, KeySet, SigningKey};
use tokio::task;

pub use master::{MasterKeys, MasterSource};
pub use ring::{KeyRing, Published};
pub use sealed::Purpose;

use crate::{
    model::{SigningKeyRecord, TOKEN_RETENTION},
    storage::{Promotion, StorageError, Store},
    values::{Algorithm, ClientId, FamilyId, KeyId, RefreshToken, Timestamp, TokenHash, UserCode},
};

/// For how many seconds a forgotten key is kept, since a person may come to sign out with an ID token
/// that it signed: 90 days.
const MEMORY: i64 = 90 * 24 * 3600;

/// What can go wrong with keys. The text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A setting, a file or a sealed key is not usable.
    #[error("{0}")]
    Unusable(String),
    /// A key cannot be read or cannot sign.
    #[error("a signing key failed")]
    Key(#[from] KeyError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What became of the wish to rotate.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The key that signs from then on.
    pub kid: KeyId,
    /// When it begins to sign.
    pub active_at: Timestamp,
    /// The key that is announced after it.
    pub announced: KeyId,
    /// Whether an earlier rotation had not taken effect yet, so that nothing new was planned.
    pub pending: bool,
}

/// Every key of this server. Cheap to clone; all clones see the same ring.
#[derive(Clone)]
pub struct Keys {
    store: Store,
    source: MasterSource,
    master: Arc<ArcSwap<MasterKeys>>,
    ring: Arc<ArcSwap<KeyRing>>,
}

impl Keys {
    /// Read the keys, and make the first ones if there are none. `fresh` is randomness for the master
    /// key, should there be none yet.
    ///
    /// # Errors
    /// When they were sealed with another master key.
    pub async fn open(
        store: Store,
        source: MasterSource,
        fresh: [u8; 32],
        now: Timestamp,
    ) -> Result<Self, KeysError> {
        let untouched = store.signing_keys().await?.is_empty();
        let master = source.read(untouched.then_some(fresh))?;
        let master = Arc::new(ArcSwap::from_pointee(master));
        let ring = Arc::new(ArcSwap::from_pointee(KeyRing::default()));
        let keys = Self { store, source, master, ring };
        keys.reload().await?;
        keys.ensure(Algorithm::Rs256, now).await?;
        Ok(keys)
    }

    /// Read the keys again: another node has changed them.
    pub async fn reload(&self) -> Result<(), KeysError> {
        self.read_master_keys();
        let records = self.store.signing_keys().await?;
        self.ring.store(Arc::new(KeyRing::unseal(records, &self.master.load())?));
        Ok(())
    }

    /// Sign claims with the key of this algorithm that is active now, which is made if there has
    /// never been one: nobody's copy of the key set can know it, so nobody's copy is wrong.
    pub async fn sign<C: Serialize>(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &C,
        now: Timestamp,
    ) -> Result<String, KeysError> {
        if let Some(key) = self.ring.load().active(algorithm, now) {
            return Ok(key.sign(typ, claims)?);
        }
        self.ensure(algorithm, now).await?;
        let ring = self.ring.load();
        let key = ring.active(algorithm, now).ok_or_else(|| {
            KeysError::Unusable(format!("no {algorithm} key is active: run `signet key rotate`"))
        })?;
        Ok(key.sign(typ, claims)?)
    }

    /// The keys that verify tokens of ours now.
    #[must_use]
    pub fn trusted(&self, now: Timestamp) -> Arc<KeySet> {
        self.ring.load().published(now).keys.clone()
    }

    /// The keys that verify what we signed in the last months, for hints that may have expired.
    #[must_use]
    pub fn ever_trusted(&self) -> Arc<KeySet> {
        self.ring.load().ever_trusted()
    }

    /// The key set as it is published now, and for how many seconds it may be kept.
    #[must_use]
    pub fn published(&self, now: Timestamp) -> (Arc<Published>, i64) {
        let ring = self.ring.load();
        (ring.published(now), ring.max_age(now))
    }

    /// Every key that is not forgotten, as it is kept.
    #[must_use]
    pub fn records(&self) -> Vec<SigningKeyRecord> {
        self.ring.load().records().cloned().collect()
    }

    /// A public key in PEM form.
    #[must_use]
    pub fn public_pem(&self, kid: &KeyId) -> Option<String> {
        self.ring.load().key(kid).map(SigningKey::public_pem)
    }

    /// Make what the timetable lacks: a first key and its successor, or the successor alone.
    pub async fn ensure(&self, algorithm: Algorithm, now: Timestamp) -> Result<(), KeysError> {
        while let Some((period, active_at)) = schedule::missing(&self.records(), algorithm, now) {
            self.make(algorithm, period, active_at, now).await?;
            self.reload().await?;
        }
        Ok(())
    }

    /// Announce the next key of every algorithm in use, where none is announced.
    pub async fn tend(&self, now: Timestamp) -> Result<(), KeysError> {
        self.read_master_keys();
        let mut algorithms: Vec<_> = self.records().iter().map(|key| key.algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        for algorithm in algorithms {
            self.ensure(algorithm, now).await?;
        }
        self.store.forget_signing_keys(now.minus(MEMORY)).await?;
        Ok(())
    }

    /// Promote the announced key as soon as nobody's copy of the key set lacks it, or at once in an
    /// emergency, and announce another.
    pub async fn rotate(
        &self,
        algorithm: Algorithm,
        emergency: bool,
        now: Timestamp,
    ) -> Result<Rotation, KeysError> {
        self.reload().await?;
        self.ensure(algorithm, now).await?;
        let records = self.records();
        let lacking = || KeysError::Unusable("no key is announced".to_owned());
        let next = schedule::next(&records, algorithm, now).ok_or_else(lacking)?;
        let last = schedule::last(&records, algorithm).ok_or_else(lacking)?;
        let at = if emergency { now } else { schedule::promotable_at(&records, next).max(now) };
        if next.active_at <= at && !emergency {
            return Ok(Rotation {
                kid: next.kid.clone(),
                active_at: next.active_at,
                announced: last.kid.clone(),
                pending: true,
            });
        }
        // The successor comes first, so that no published key set is ever without a next key.
        if next.kid == last.kid {
            let active_at = at.plus(schedule::PERIOD);
            let period = schedule::next_period(&records, algorithm);
            self.make(algorithm, period, active_at, now).await?;
        }
        let forget_previous_at = at.plus(TOKEN_RETENTION);
        let promotion = self.store.promote_signing_key(&next.kid, at, forget_previous_at).await?;
        self.reload().await?;
        let records = self.records();
        let promoted = records.iter().find(|key| key.kid == next.kid);
        let (Some(promoted), Promotion::Promoted | Promotion::AlreadyDue) = (promoted, promotion)
        else {
            return Err(KeysError::Unusable(format!(
                "the key {} was revoked at this moment: run `signet key rotate` again",
                next.kid
            )));
        };
        let announced = schedule::last(&records, algorithm).ok_or_else(lacking)?;
        Ok(Rotation {
            kid: promoted.kid.clone(),
            active_at: promoted.active_at,
            announced: announced.kid.clone(),
            pending: promotion == Promotion::AlreadyDue,
        })
    }

    /// Stop trusting a key at once; if it was the one that signs, the next takes over.
    ///
    /// Returns whether there was such a key.
    pub async fn revoke(&self, kid: &KeyId, now: Timestamp) -> Result<bool, KeysError> {
        self.reload().await?;
        let records = self.records();
        let Some(key) = records.iter().find(|key| key.kid == *kid) else { return Ok(false) };
        let was_active =
            schedule::active(&records, key.algorithm, now).is_some_and(|active| active.kid == *kid);
        if was_active {
            self.rotate(key.algorithm, true, now).await?;
        }
        let revoked = self.store.revoke_signing_key(kid, now, TOKEN_RETENTION).await?;
        self.reload().await?;
        self.ensure(key.algorithm, now).await?;
        Ok(revoked)
    }

    /// Take in a private key in PEM form, to be announced after the keys that there are.
    ///
    /// Returns nothing when the key is here already.
    pub async fn import(&self, pem: &str, now: Timestamp) -> Result<Option<KeyId>, KeysError> {
        let (key, pkcs8) = SigningKey::from_pem(pem, None)?;
        self.reload().await?;
        self.ensure(key.algorithm(), now).await?;
        let records = self.records();
        let last = schedule::last(&records, key.algorithm());
        let period = schedule::next_period(&records, key.algorithm());
        let active_at = last.map_or(now, |last| last.active_at.plus(schedule::PERIOD));
        let kid = key.kid().clone();
        let added = self.keep(&key, &pkcs8, period, active_at, now).await?;
        self.reload().await?;
        Ok(added.then_some(kid))
    }

    /// Add a master key to the file, which opens but does not seal yet. Every node reads it within the
    /// time between two calls of [`Keys::tend`].
    ///
    /// # Errors
    /// When the master keys are not in a file, or it cannot be written.
    pub fn add_master_key(&self, fresh: [u8; 32]) -> Result<(), KeysError> {
        if !self.source.is_file() {
            return Err(KeysError::Unusable(
                "the master key is in SIGNET_MASTER_KEY: put the new one behind it there, parted by \
                 a comma, on every node; then before it; then run this again with --as-it-is"
                    .to_owned(),
            ));
        }
        self.source.write(&self.master.load().with(fresh))?;
        self.read_master_keys();
        Ok(())
    }

    /// Put the last master key of the file in force.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn promote_master_key(&self) -> Result<(), KeysError> {
        self.source.write(&self.master.load().with_last_first())?;
        self.read_master_keys();
        Ok(())
    }

    /// Seal every signing key with the master key in force: how many were sealed with another.
    pub async fn reseal(&self) -> Result<usize, KeysError> {
        let master = self.master.load_full();
        let mut resealed = 0;
        for record in self.store.signing_keys().await? {
            let kid = record.kid.as_str();
            if master.is_in_force(Purpose::SigningKey, kid, &record.sealed) {
                continue;
            }
            let private = master
                .open(Purpose::SigningKey, kid, &record.sealed)
                .ok_or_else(ring::other_master_key)?;
            let sealed = master.seal(Purpose::SigningKey, kid, &private);
            let replaced = self.store.replace_sealed(&record.kid, &record.sealed, &sealed).await?;
            resealed += usize::from(replaced);
        }
        Ok(resealed)
    }

    /// What was read before stays in force while the file cannot be read.
    fn read_master_keys(&self) {
        match self.source.read(None) {
            Ok(keys) if self.master.load().are(&keys) => {}
            Ok(keys) => self.master.store(Arc::new(keys)),
            Err(cause) => tracing::warn!(%cause, "the master key could not be read again"),
        }
    }

    /// Seal what only this server may read again.
    #[must_use]
    pub fn seal(&self, purpose: Purpose, context: &str, plain: &[u8]) -> Vec<u8> {
        self.master.load().seal(purpose, context, plain)
    }

    /// Open what [`Keys::seal`] sealed for the same purpose and context.
    #[must_use]
    pub fn open_sealed(&self, purpose: Purpose, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.master.load().open(purpose, context, sealed)
    }

    /// The refresh token of this generation of a family.
    #[must_use]
    pub fn refresh_token(
        &self,
        family: FamilyId,
        generation: i64,
        client: &ClientId,
    ) -> RefreshToken {
        let mac = self.master.load().mac(&family_message(family, generation, client));
        RefreshToken { family, generation, mac }
    }

    /// Whether we made this refresh token for this client. Nothing else is worth a look at the
    /// database.
    #[must_use]
    pub fn is_ours(&self, token: &RefreshToken, client: &ClientId) -> bool {
        let message = family_message(token.family, token.generation, client);
        self.master.load().verifies(&message, &token.mac)
    }

    /// The nonce for proofs of possession with this number, by each master key; the first one is to be
    /// given. Whoever has no master key cannot tell it beforehand.
    #[must_use]
    pub fn dpop_nonces(&self, slot: i64) -> Vec<String> {
        self.master.load().dpop_nonces(slot)
    }

    /// What may be kept in the place of a user code: what is kept today first, and then what was kept
    /// while other master keys were in force. Never empty.
    #[must_use]
    pub fn user_code_hashes(&self, code: &UserCode) -> Vec<TokenHash> {
        self.master.load().user_codes(code.as_bytes()).map(TokenHash::from).collect()
    }

    async fn make(
        &self,
        algorithm: Algorithm,
        period: i64,
        active_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, KeysError> {
        // An RSA key takes as long as a hundred requests.
        let generated = task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let (key, pkcs8) = generated.unwrap_or(Err(KeyError::Failed))?;
        self.keep(&key, &pkcs8, period, active_at, now).await
    }

    async fn keep(
        &self,
        key: &SigningKey,
        pkcs8: &[u8],
        period: i64,
        active_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, KeysError> {
        let record = SigningKeyRecord {
            kid: key.kid().clone(),
            algorithm: key.algorithm(),
            period,
            announced_at: now,
            active_at,
            retired_at: None,
            forgotten_at: None,
            revoked_at: None,
            sealed: self.master.load().seal(Purpose::SigningKey, key.kid().as_str(), pkcs8),
            public: key.public().to_jwk().to_string(),
        };
        let forget_previous_at = Some(active_at.plus(TOKEN_RETENTION));
        Ok(self.store.add_signing_key(&record, forget_previous_at).await?)
    }
}

fn family_message(family: FamilyId, generation: i64, client: &ClientId) -> Vec<u8> {
    let mut message = family.to_bytes().to_vec();
    message.extend(generation.to_be_bytes());
    message.extend(client.as_str().as_bytes());
    message
}
