//! What can go wrong with a database. Absence is `None` and a lost race is an outcome: neither is
//! here.

use std::{borrow::Cow, io, sync::Arc};

use sqlx::migrate::MigrateError;

/// The outcome of asking the [`Store`](super::Store) for something.
pub type Result<T> = std::result::Result<T, StorageError>;

/// The database could not do what it was asked. The sources tell why, for the log. Cheap to clone: one
/// failure may be that of many callers.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct StorageError(Arc<Cause>);

#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("database_url must begin with sqlite: or postgres://")]
    UnknownScheme,
    #[error(
        "database_url must name a file: a database in memory would be lost with its connection"
    )]
    InMemory,
    #[error("the database file cannot be opened")]
    File(#[source] io::Error),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the disk failed: what was written may be lost")]
    NotDurable,
    #[error("nobody attends to the database any more")]
    Unattended,
    #[error("the database cannot be migrated")]
    Migration(#[from] MigrateError),
}

impl StorageError {
    /// Whether the database could not be asked at all just now, and may answer later.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        match &*self.0 {
            Cause::File(_)
            | Cause::Database(Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed) => true,
            Cause::Database(_) => {
                let code = self.code().unwrap_or_default();
                // PostgreSQL: connection exceptions, too many of them, or a server that is starting
                // or stopping, or has become the spare one. SQLite: locked by another process for too
                // long, or not to be opened.
                code.starts_with("08")
                    || matches!(&*code, "25006" | "53300" | "57P01" | "57P02" | "57P03" | "14")
                    || self.is_busy()
            }
            _ => false,
        }
    }

    /// Whether another process holds SQLite's write lock, and has held it for as long as we wait.
    pub(super) fn is_busy(&self) -> bool {
        // SQLITE_BUSY, and the same while recovering a log or with a snapshot that is too old.
        self.code().is_some_and(|code| matches!(&*code, "5" | "261" | "517"))
    }

    /// Whether PostgreSQL undid the transaction for another's sake: a serialization failure or a
    /// deadlock.
    pub(super) fn was_undone(&self) -> bool {
        self.code().is_some_and(|code| matches!(&*code, "40001" | "40P01"))
    }

    /// Whether PostgreSQL hung up, so that another connection may fare better.
    pub(super) fn is_hang_up(&self) -> bool {
        matches!(&*self.0, Cause::Database(why) if is_hang_up(why))
    }

    /// Whether a row was refused because its like exists.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(&*self.0, Cause::Database(sqlx::Error::Database(why)) if why.is_unique_violation())
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        match &*self.0 {
            Cause::Database(sqlx::Error::Database(why)) => why.code(),
            _ => None,
        }
    }
}

impl<T: Into<Cause>> From<T> for StorageError {
    fn from(why: T) -> Self {
        Self(Arc::new(why.into()))
    }
}

/// Whether PostgreSQL hung up: the connection broke, or was ended by the server.
pub(super) fn is_hang_up(why: &sqlx::Error) -> bool {
    match why {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(why) => {
            let code = why.code().unwrap_or_default();
            code.starts_with("08") || matches!(&*code, "57P01" | "57P02")
        }
        _ => false,
    }
}
