//! The two ways in which a deed ends badly: the caller is refused, or we failed.

use super::password;
use crate::{keys::KeysError, protocol::OAuthError, storage::StorageError};

/// The outcome of a deed.
pub type Result<T> = std::result::Result<T, Error>;

/// Refused or failed; nothing else can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is refused, in the specification's words: told.
    #[error(transparent)]
    Refused(#[from] OAuthError),
    /// We failed: logged, not told.
    #[error(transparent)]
    Failed(#[from] Cause),
}

/// Why we failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A key failed.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Too many passwords are being checked.
    #[error("too many passwords are waiting to be checked")]
    Busy(#[from] password::Busy),
    /// A promise that this program makes to itself was broken.
    #[error("{0}")]
    Broken(&'static str),
}

impl Cause {
    /// Whether it is worth trying again in a moment.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Storage(cause) | Self::Keys(KeysError::Storage(cause)) => cause.is_unreachable(),
            Self::Busy(_) => true,
            Self::Keys(_) | Self::Broken(_) => false,
        }
    }
}

impl From<StorageError> for Error {
    fn from(cause: StorageError) -> Self {
        Self::Failed(cause.into())
    }
}

impl From<KeysError> for Error {
    fn from(cause: KeysError) -> Self {
        Self::Failed(cause.into())
    }
}

impl From<password::Busy> for Error {
    fn from(cause: password::Busy) -> Self {
        Self::Failed(cause.into())
    }
}
