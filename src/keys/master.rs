//! The master keys: the one in force, and those before it or after it that open what it did not seal.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::PathBuf,
    process,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

use super::{
    KeysError,
    sealed::{MasterKey, Purpose},
};
use crate::{config::KeysConfig, values::Secret};

/// Where the master keys are kept.
#[derive(Clone, Debug)]
pub struct MasterSource {
    configured: Option<Secret<String>>,
    directory: PathBuf,
}

/// The master keys. The first one seals and signs; every one of them opens and verifies.
pub struct MasterKeys {
    bytes: Vec<[u8; 32]>,
    keys: Vec<MasterKey>,
}

impl MasterSource {
    /// The environment, or else the file `master.key` in the directory.
    #[must_use]
    pub fn new(config: &KeysConfig) -> Self {
        Self { configured: config.master_key.clone(), directory: config.directory.clone() }
    }

    /// Read the master keys. `made_from` is fresh randomness for a new file, given only where no key
    /// can have been sealed before.
    ///
    /// # Errors
    /// When one is malformed, readable by others, or missing although keys have been sealed.
    pub fn read(&self, made_from: Option<[u8; 32]>) -> Result<MasterKeys, KeysError> {
        if let Some(configured) = &self.configured {
            return parse(configured.expose()).ok_or_else(|| {
                unusable(
                    "SIGNET_MASTER_KEY must be 32 bytes in base64url or 64 hexadecimal digits, or \
                     several such keys parted by commas",
                )
            });
        }
        let file = self.file();
        let shown = file.display();
        if !file.exists() {
            let random = made_from.ok_or_else(|| {
                unusable(format!(
                    "the database holds sealed signing keys, but {shown} is missing: put it back, or \
                     set SIGNET_MASTER_KEY or --keys-dir"
                ))
            })?;
            match self.write_first(&random) {
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
        parse(&text).ok_or_else(|| {
            unusable(format!("{shown} does not hold a master key: put back the original file"))
        })
    }

    /// Whether the master keys are in a file that we may change.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.configured.is_none()
    }

    /// Keep these keys in the file, in this order. Whoever reads it meanwhile finds the old or the new
    /// ones, whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, keys: &MasterKeys) -> Result<(), KeysError> {
        let file = self.file();
        let written = self
            .draft(&keys.bytes)
            .and_then(|draft| fs::rename(draft, &file))
            .and_then(|()| fs::File::open(&self.directory)?.sync_all());
        written.map_err(|why| unusable(format!("{} cannot be written: {why}", file.display())))
    }

    fn file(&self) -> PathBuf {
        self.directory.join("master.key")
    }

    /// Under a name of its own until it is whole: nobody reads half a key, and the first one stays.
    fn write_first(&self, key: &[u8; 32]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
        let draft = self.draft(&[*key])?;
        let linked = fs::hard_link(&draft, self.file());
        fs::remove_file(&draft)?;
        linked?;
        fs::File::open(&self.directory)?.sync_all()
    }

    fn draft(&self, keys: &[[u8; 32]]) -> io::Result<PathBuf> {
        let draft = self.file().with_extension(format!("{}.new", process::id()));
        // Left over from a process of this number that was stopped in the middle of it.
        let _ = fs::remove_file(&draft);
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&draft)?;
        for key in keys {
            writeln!(file, "{}", BASE64.encode(key))?;
        }
        file.sync_all()?;
        Ok(draft)
    }
}

impl MasterKeys {
    /// These keys, the one in force first.
    #[must_use]
    pub fn new(bytes: Vec<[u8; 32]>) -> Self {
        let keys = bytes.iter().map(MasterKey::new).collect();
        Self { bytes, keys }
    }

    /// These keys and one more, which opens at first and seals nothing yet.
    #[must_use]
    pub fn with(&self, fresh: [u8; 32]) -> Self {
        Self::new(self.bytes.iter().copied().chain([fresh]).collect())
    }

    /// These keys, the last one put in force.
    #[must_use]
    pub fn with_last_first(&self) -> Self {
        let mut bytes = self.bytes.clone();
        bytes.rotate_right(1);
        Self::new(bytes)
    }

    /// Whether they are the same, in the same order.
    #[must_use]
    pub fn are(&self, others: &Self) -> bool {
        self.bytes == others.bytes
    }

    pub(super) fn seal(&self, purpose: Purpose, context: &str, plain: &[u8]) -> Vec<u8> {
        self.keys[0].seal(purpose, context, plain)
    }

    pub(super) fn open(&self, purpose: Purpose, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        self.keys.iter().find_map(|key| key.open(purpose, context, sealed))
    }

    /// Whether the key in force sealed this.
    pub(super) fn is_in_force(&self, purpose: Purpose, context: &str, sealed: &[u8]) -> bool {
        self.keys[0].open(purpose, context, sealed).is_some()
    }

    pub(super) fn mac(&self, message: &[u8]) -> [u8; 24] {
        self.keys[0].mac(message)
    }

    /// The nonce with this number, by each master key.
    pub(super) fn dpop_nonces(&self, slot: i64) -> Vec<String> {
        self.keys.iter().map(|key| BASE64.encode(key.dpop_nonce(slot))).collect()
    }

    /// What stands for a user code, by the key in force and by those before it.
    pub(super) fn user_codes(&self, code: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        self.keys.iter().map(|key| key.user_code(code))
    }

    pub(super) fn verifies(&self, message: &[u8], mac: &[u8; 24]) -> bool {
        self.keys.iter().any(|key| key.verifies(message, mac))
    }
}

/// One key at least, parted by commas or line breaks.
fn parse(text: &str) -> Option<MasterKeys> {
    let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(decode).collect::<Option<_>>()?;
    (!words.is_empty()).then(|| MasterKeys::new(words))
}

fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() == 64 {
        let digits: Option<Vec<u8>> =
            (0..64).step_by(2).map(|at| text.get(at..at + 2).and_then(hexadecimal)).collect();
        return digits?.try_into().ok();
    }
    let urlsafe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    BASE64.decode(urlsafe).ok()?.try_into().ok()
}

fn hexadecimal(pair: &str) -> Option<u8> {
    // A sign would pass for a digit.
    let digits = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

fn unusable(why: impl Into<String>) -> KeysError {
    KeysError::Unusable(why.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn in_file(directory: &Path) -> MasterSource {
        MasterSource { configured: None, directory: directory.to_owned() }
    }

    fn configured(text: &str) -> Result<MasterKeys, KeysError> {
        let configured = Some(Secret::new(text.to_owned()));
        MasterSource { configured, directory: "/nowhere".into() }.read(None)
    }

    #[test]
    fn a_master_key_that_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(in_file(directory.path()).read(Some([1; 32])).is_ok());
        let file = directory.path().join("master.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(in_file(directory.path()).read(None).is_err());
    }

    #[test]
    fn a_missing_master_key_is_not_made_anew_when_keys_were_sealed() {
        let directory = tempfile::tempdir().unwrap();
        assert!(in_file(directory.path()).read(None).is_err());
        assert!(!directory.path().join("master.key").exists());
    }

    #[test]
    fn a_configured_master_key_is_base64url_or_hexadecimal() {
        assert!(configured(&"ab".repeat(32)).is_ok());
        assert!(configured(&BASE64.encode([7; 32])).is_ok());
        for text in ["", "short", &"zz".repeat(32), &"+f".repeat(32), ","] {
            assert!(configured(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_new_key_opens_before_it_seals_and_the_old_one_opens_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let source = in_file(directory.path());
        let old = source.read(Some([1; 32])).unwrap();
        let sealed = old.seal(Purpose::Request, "c", b"old");

        source.write(&old.with([2; 32])).unwrap();
        let both = source.read(None).unwrap();
        assert!(both.is_in_force(Purpose::Request, "c", &sealed));
        source.write(&both.with_last_first()).unwrap();
        let new = source.read(None).unwrap();
        assert!(!new.is_in_force(Purpose::Request, "c", &sealed));
        assert_eq!(new.open(Purpose::Request, "c", &sealed).unwrap(), b"old");
        assert!(
            both.open(Purpose::Request, "c", &new.seal(Purpose::Request, "c", b"new")).is_some()
        );
        assert!(new.verifies(b"m", &old.mac(b"m")) && both.verifies(b"m", &new.mac(b"m")));
    }
}
