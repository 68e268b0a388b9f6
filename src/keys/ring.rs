//! The keys as a node holds them: unsealed, parsed once, ready to sign.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use signet_jwt::{KeySet, PublicKey, SigningKey};

use super::{KeysError, MasterKeys, Purpose, schedule};
use crate::{
    model::SigningKeyRecord,
    values::{Algorithm, KeyId, Timestamp},
};

/// Every key that is kept, and what is published of them.
#[derive(Default)]
pub struct KeyRing {
    records: Vec<SigningKeyRecord>,
    keys: Vec<(SigningKey, PublicKey)>,
    ever_trusted: Arc<KeySet>,
    published: ArcSwapOption<Published>,
}

/// The key set as everybody may see it.
#[derive(Debug)]
pub struct Published {
    /// The keys.
    pub keys: Arc<KeySet>,
    /// The JSON Web Key Set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    pub body: Bytes,
    /// A tag that changes with it.
    pub etag: String,
    until: Option<Timestamp>,
}

impl KeyRing {
    /// Unseal every key.
    ///
    /// # Errors
    /// When one was sealed with another master key.
    pub(super) fn unseal(
        records: Vec<SigningKeyRecord>,
        master: &MasterKeys,
    ) -> Result<Self, KeysError> {
        let keys = records
            .iter()
            .map(|record| {
                let pkcs8 = master
                    .open(Purpose::SigningKey, record.kid.as_str(), &record.sealed)
                    .ok_or_else(other_master_key)?;
                let key =
                    SigningKey::from_pkcs8(&pkcs8, record.algorithm)?.with_kid(record.kid.clone());
                let public = key.public();
                Ok((key, public))
            })
            .collect::<Result<Vec<_>, KeysError>>()?;
        let honest = records.iter().zip(&keys).filter(|(record, _)| record.revoked_at.is_none());
        let ever_trusted = honest.map(|(_, (_, public))| public.clone()).collect();
        let ever_trusted = Arc::new(KeySet::new(ever_trusted));
        Ok(Self { records, keys, ever_trusted, published: ArcSwapOption::empty() })
    }

    /// The key of this algorithm that signs now.
    pub(super) fn active(&self, algorithm: Algorithm, now: Timestamp) -> Option<&SigningKey> {
        let active = schedule::active(&self.records, algorithm, now)?;
        self.key(&active.kid)
    }

    /// The key of this name.
    pub(super) fn key(&self, kid: &KeyId) -> Option<&SigningKey> {
        self.keys.iter().map(|(key, _)| key).find(|key| key.kid() == kid)
    }

    /// Every key, as it is kept.
    pub(super) fn records(&self) -> impl Iterator<Item = &SigningKeyRecord> {
        self.records.iter()
    }

    /// Every key that is kept and was not revoked, forgotten ones included.
    pub(super) fn ever_trusted(&self) -> Arc<KeySet> {
        self.ever_trusted.clone()
    }

    /// What is published now; made anew only when the timetable changes it.
    pub(super) fn published(&self, now: Timestamp) -> Arc<Published> {
        if let Some(published) = self.published.load_full()
            && published.until.is_none_or(|until| now < until)
        {
            return published;
        }
        let published = Arc::new(self.publish(now));
        self.published.store(Some(published.clone()));
        published
    }

    /// For how many seconds that may be kept.
    pub(super) fn max_age(&self, now: Timestamp) -> i64 {
        schedule::max_age(&self.records, now)
    }

    fn publish(&self, now: Timestamp) -> Published {
        let keys = self
            .records
            .iter()
            .zip(&self.keys)
            .filter(|(record, _)| schedule::is_published(record, now))
            .map(|(_, (_, public))| public.clone())
            .collect();
        let keys = Arc::new(KeySet::new(keys));
        let body = Bytes::from(keys.to_json().to_string());
        let etag = format!("\"{}\"", BASE64.encode(&Sha256::digest(&body)[..12]));
        Published { keys, body, etag, until: schedule::changes_at(&self.records, now) }
    }
}

pub(super) fn other_master_key() -> KeysError {
    KeysError::Unusable(
        "the signing keys in the database were sealed with another master key: put back the \
         master.key file or the SIGNET_MASTER_KEY that this database was first started with"
            .to_owned(),
    )
}
