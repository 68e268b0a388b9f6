//! The master key, and what is derived from it. Each purpose has a key of its own, so that nothing
//! sealed for one can pass for another.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    process,
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    constant_time,
    hkdf::{HKDF_SHA256, Prk, Salt},
    hmac,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::KeysError;
use crate::values::Secret;

/// The length of a nonce of AES-GCM, in bytes; it travels before what is sealed.
const NONCE: usize = 12;

/// What a sealed thing is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A private signing key, at rest.
    SigningKey,
    /// A request that waits in somebody's browser.
    Request,
}

/// The key that everything else rests on.
pub struct MasterKey {
    signing_keys: RandomizedNonceKey,
    requests: RandomizedNonceKey,
    refresh_tokens: hmac::Key,
}

impl MasterKey {
    /// The master key from the configuration, or from `master.key` in the directory. `made_from` is
    /// fresh randomness for a new file, given only where no key can have been sealed before.
    ///
    /// # Errors
    /// When it is malformed, readable by others, or missing although keys have been sealed.
    pub fn obtain(
        configured: Option<&Secret<String>>,
        directory: &Path,
        made_from: Option<[u8; 32]>,
    ) -> Result<Self, KeysError> {
        if let Some(configured) = configured {
            return decode(configured.expose()).map(|key| Self::new(&key)).ok_or_else(|| {
                unusable("SIGNET_MASTER_KEY must be 32 bytes in base64url or 64 hexadecimal digits")
            });
        }
        let file = directory.join("master.key");
        let shown = file.display();
        if !file.exists() {
            let random = made_from.ok_or_else(|| {
                unusable(format!(
                    "the database holds sealed signing keys, but {shown} is missing: put it back, or \
                     set SIGNET_MASTER_KEY or --keys-dir"
                ))
            })?;
            match write_new(directory, &file, &random) {
                // Another process was faster: its key is the one.
                Err(why) if why.kind() == ErrorKind::AlreadyExists => {}
                made => made.map_err(|why| unusable(format!("{shown} cannot be made: {why}")))?,
            }
        }
        let mode = fs::metadata(&file).map(|meta| meta.permissions().mode());
        if mode.as_ref().is_ok_and(|mode| mode & 0o077 != 0) {
            return Err(unusable(format!("{shown} can be read by others: run chmod 600 {shown}")));
        }
        let text = fs::read_to_string(&file)
            .map_err(|why| unusable(format!("{shown} cannot be read: {why}")))?;
        decode(text.trim()).map(|key| Self::new(&key)).ok_or_else(|| {
            unusable(format!("{shown} does not hold a master key: put back the original file"))
        })
    }

    /// The master key of these bytes.
    ///
    /// # Panics
    /// Never: the derived keys have the length that the cipher takes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        let root = Salt::new(HKDF_SHA256, b"signet master key 1").extract(bytes);
        let aead = |info| {
            RandomizedNonceKey::new(&AES_256_GCM, &derive(&root, info))
                .expect("the key has the length that the cipher takes")
        };
        Self {
            signing_keys: aead("signing keys"),
            requests: aead("requests"),
            refresh_tokens: hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, "refresh tokens")),
        }
    }

    pub(super) fn seal(&self, purpose: Purpose, context: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self
            .key(purpose)
            .seal_in_place_append_tag(Aad::from(context), &mut text)
            .expect("what we seal is far from the cipher's limit");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(text);
        sealed
    }

    pub(super) fn open(&self, purpose: Purpose, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.key(purpose).open_in_place(nonce, Aad::from(context), &mut text).ok()?;
        Some(plain.to_vec())
    }

    pub(super) fn mac(&self, message: &[u8]) -> [u8; 24] {
        let tag = hmac::sign(&self.refresh_tokens, message);
        let mut mac = [0; 24];
        mac.copy_from_slice(&tag.as_ref()[..24]);
        mac
    }

    pub(super) fn verifies(&self, message: &[u8], mac: &[u8; 24]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(message), mac).is_ok()
    }

    fn key(&self, purpose: Purpose) -> &RandomizedNonceKey {
        match purpose {
            Purpose::SigningKey => &self.signing_keys,
            Purpose::Request => &self.requests,
        }
    }
}

fn derive(root: &Prk, info: &str) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[info.as_bytes()], hmac::HMAC_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within what HKDF gives");
    key
}

fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() == 64 {
        let digits: Option<Vec<u8>> = (0..64)
            .step_by(2)
            .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        return digits?.try_into().ok();
    }
    let urlsafe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    BASE64.decode(urlsafe).ok()?.try_into().ok()
}

fn write_new(directory: &Path, file: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // Under a name of its own until it is whole: nobody reads half a key, and the first one stays.
    let draft = file.with_extension(format!("{}.new", process::id()));
    let mut options = fs::OpenOptions::new();
    let mut written = options.write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(written, "{}", BASE64.encode(key))?;
    written.sync_all()?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    linked?;
    fs::File::open(directory)?.sync_all()
}

fn unusable(why: impl Into<String>) -> KeysError {
    KeysError::Unusable(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_and_context_only() {
        let master = MasterKey::new(&[1; 32]);
        let sealed = master.seal(Purpose::SigningKey, "k1", b"private");
        assert_eq!(master.open(Purpose::SigningKey, "k1", &sealed).unwrap(), b"private");
        assert!(master.open(Purpose::SigningKey, "k2", &sealed).is_none());
        assert!(master.open(Purpose::Request, "k1", &sealed).is_none());
        assert!(MasterKey::new(&[2; 32]).open(Purpose::SigningKey, "k1", &sealed).is_none());
        assert!(master.open(Purpose::SigningKey, "k1", &sealed[..11]).is_none());
    }

    #[test]
    fn only_the_master_key_vouches_for_a_refresh_token() {
        let master = MasterKey::new(&[1; 32]);
        let mac = master.mac(b"family 1 app");
        assert!(master.verifies(b"family 1 app", &mac));
        assert!(!master.verifies(b"family 2 app", &mac));
        assert!(!master.verifies(b"family 1 other", &mac));
        assert!(!MasterKey::new(&[2; 32]).verifies(b"family 1 app", &mac));
    }

    #[test]
    fn a_master_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(MasterKey::obtain(None, directory.path(), Some([1; 32])).is_ok());
        let file = directory.path().join("master.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(MasterKey::obtain(None, directory.path(), None).is_err());
    }

    #[test]
    fn a_missing_master_key_is_not_made_anew_when_keys_were_sealed() {
        let directory = tempfile::tempdir().unwrap();
        assert!(MasterKey::obtain(None, directory.path(), None).is_err());
        assert!(!directory.path().join("master.key").exists());
    }

    #[test]
    fn a_configured_master_key_is_base64url_or_hexadecimal() {
        let of = |text: &str| {
            MasterKey::obtain(Some(&Secret::new(text.to_owned())), Path::new("/nowhere"), None)
        };
        assert!(of(&"ab".repeat(32)).is_ok());
        assert!(of(&BASE64.encode([7; 32])).is_ok());
        for text in ["", "short", &"zz".repeat(32)] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
