//! Where the keys are.

use std::path::PathBuf;

use super::{ConfigError, Setting, sources::Sources};
use crate::values::Secret;

pub(super) const SETTINGS: [Setting; 1] = [KEYS_DIR];

const KEYS_DIR: Setting = Setting {
    name: "keys_dir",
    default: "keys",
    help: "The directory of the master key, which is made when absent, and of PEM keys to import.",
};

/// Where the keys are.
#[derive(Clone, Debug)]
pub struct KeysConfig {
    /// The directory of the master key.
    pub directory: PathBuf,
    /// The master key itself, from `SIGNET_MASTER_KEY`: the environment is its only way in.
    pub master_key: Option<Secret<String>>,
}

impl KeysConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Self {
            directory: sources.read(&KEYS_DIR, directory)?,
            master_key: sources.master_key.clone(),
        })
    }
}

fn directory(text: &str) -> Result<PathBuf, String> {
    let possible = !text.is_empty() && !text.contains('\0');
    possible.then(|| PathBuf::from(text)).ok_or_else(|| "must name a directory".to_owned())
}
