//! What is remembered: one `Store`, every statement written once, two engines behind it.
//!
//! A method is one unit of work. What must be remembered is an `Ok` outcome, never an error: leaving
//! a transaction with `?` undoes it. Time is an argument; storage reads no clock and draws nothing at
//! random, and no transaction waits for the network or for a signature.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection,
    Error::PoolTimedOut,
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::{sleep, timeout};

mod announcements;
mod api_key;
mod authorization;
mod authorization_code;
mod barrier;
mod changes;
mod client;
mod client_assertion;
mod columns;
mod consent;
mod device;
mod dpop;
mod error;
mod expire;
mod group;
mod migrate;
mod refresh;
mod report;
mod resource;
mod revocation;
mod role;
mod role_grant;
mod session;
mod signing_key;
mod status;
mod user;
mod user_group;

pub use announcements::Announcements;
pub use authorization_code::Redemption;
pub use client::{ClientUpdate, Creation};
pub use device::{DeviceAdmission, Entry, EntryLimit};
pub use error::{Result, StorageError};
pub use refresh::{Attempt, PersonalFamily, Rotation};
pub use report::TableReport;
pub use revocation::RevocationEntry;
pub use role::RoleChange;
pub use session::{Proof, SignIn, SignOut};
pub use signing_key::Promotion;
pub use user::{UserCreation, UserUpdate};
pub use user_group::GroupMember;

use barrier::Barrier;
use error::Cause;
use refresh::Refreshing;

/// The database. Cheap to clone; every clone is the same database.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Engine,
}

#[derive(Clone, Debug)]
enum Engine {
    Sqlite { readers: SqlitePool, writer: SqlitePool, barrier: Barrier, refreshing: Refreshing },
    Postgres { pool: PgPool, announces: bool },
}

/// One statement that changes nothing, on whichever engine the store has. It may run up to three times,
/// since PostgreSQL may hang up.
macro_rules! read {
    ($store:expr, |$db:ident| $body:expr) => {
        match &$store.engine {
            $crate::storage::Engine::Sqlite { readers: $db, .. } => $body,
            $crate::storage::Engine::Postgres { pool: $db, .. } => {
                let mut attempts = 0;
                loop {
                    let found = $body;
                    attempts += 1;
                    match found {
                        Err(why)
                            if attempts < $crate::storage::ATTEMPTS
                                && $crate::storage::error::is_hang_up(&why) => {}
                        found => break found,
                    }
                }
            }
        }
    };
}

/// One statement that changes something, without a transaction around it: how many rows it has changed,
/// once that is durable.
macro_rules! statement {
    ($store:expr, $query:expr) => {
        match &$store.engine {
            $crate::storage::Engine::Sqlite { writer, barrier, .. } => {
                async {
                    let done = $query.execute(writer).await?;
                    barrier.pass().await?;
                    Ok::<_, $crate::storage::StorageError>(done.rows_affected())
                }
                .await
            }
            $crate::storage::Engine::Postgres { pool, .. } => {
                let mut attempts = 0;
                loop {
                    let done =
                        $query.execute(pool).await.map_err($crate::storage::StorageError::from);
                    attempts += 1;
                    match done {
                        Err(why) if attempts < $crate::storage::ATTEMPTS && why.was_undone() => {}
                        done => break done.map(|done| done.rows_affected()),
                    }
                }
            }
        }
    };
}

/// Statements that happen together or not at all: the outcome of the block, once it is durable.
///
/// The block may run up to three times, so it moves nothing out of its surroundings.
macro_rules! transaction {
    ($store:expr, |$tx:ident| $body:block) => {
        $crate::storage::transaction!($store, |$tx| $body, announced: false)
    };
    ($store:expr, |$tx:ident| $body:block, announced: $announced:literal) => {
        match &$store.engine {
            // SQLite must take its write lock first: upgrading a read lock can fail with SQLITE_BUSY.
            $crate::storage::Engine::Sqlite { writer, barrier, .. } => {
                async {
                    let mut $tx = writer.begin_with("begin immediate").await?;
                    let outcome = $body;
                    $tx.commit().await?;
                    barrier.pass().await?;
                    Ok::<_, $crate::storage::StorageError>(outcome)
                }
                .await
            }
            // PostgreSQL may give up a transaction for the sake of another, or hang up before it was
            // asked to commit, and expects it again. Whether a commit took place that was never
            // answered nobody knows: that one is not repeated.
            $crate::storage::Engine::Postgres { pool, announces } => {
                let mut attempts = 0;
                loop {
                    let begun = async {
                        let mut $tx = pool.begin().await?;
                        let outcome = $body;
                        if $announced && *announces {
                            $crate::storage::announcements::announce(&mut $tx).await?;
                        }
                        Ok::<_, $crate::storage::StorageError>(($tx, outcome))
                    }
                    .await;
                    attempts += 1;
                    let again = attempts < $crate::storage::ATTEMPTS;
                    match begun {
                        Err(why) if again && (why.was_undone() || why.is_hang_up()) => {}
                        Err(why) => break Err(why),
                        Ok(($tx, outcome)) => {
                            match $tx.commit().await.map_err($crate::storage::StorageError::from) {
                                Err(why) if again && why.was_undone() => {}
                                committed => break committed.map(|()| outcome),
                            }
                        }
                    }
                }
            }
        }
    };
}

/// A transaction that other nodes must hear of: those on PostgreSQL are told as it commits.
macro_rules! change {
    ($store:expr, |$tx:ident| $body:block) => {
        $crate::storage::transaction!($store, |$tx| $body, announced: true)
    };
}

/// How a noun is read from a row of either engine.
macro_rules! from_row {
    ($noun:ty, |$row:ident| $body:expr) => {
        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $noun {
            fn from_row($row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                $body
            }
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $noun {
            fn from_row($row: &sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                $body
            }
        }
    };
}

use {change, from_row, read, statement, transaction};

/// How often PostgreSQL is asked for the same, when it undid it for another's sake or hung up.
const ATTEMPTS: u32 = 3;

/// How long a caller waits for a connection, or for SQLite's write lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before a file that was busy is opened again.
const PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Opens the database at `sqlite:path`, made when absent, or at `postgres://…`. Its schema is left
    /// as it is.
    pub async fn open(url: &str) -> Result<Self> {
        let engine = if url.starts_with("sqlite:") {
            open_sqlite(url).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres(url).await?
        } else {
            return Err(Cause::UnknownScheme.into());
        };
        Ok(Self { engine })
    }

    /// Whether the database answers.
    pub async fn is_reachable(&self) -> Result<()> {
        read!(self, |db| sqlx::query("select 1").execute(db).await.map(drop))?;
        Ok(())
    }
}

/// Twenty connections that do everything, and one that hears of changes.
async fn open_postgres(url: &str) -> Result<Engine> {
    let server = PgConnectOptions::from_str(url)?;
    // A pool tries for as long as it may. One connection says at once what is wrong.
    let mut first = timeout(PATIENCE, server.connect()).await.map_err(|_| PoolTimedOut)??;
    let announces = announcements::announce(&mut first).await.is_ok();
    first.close().await?;

    let pool = PgPoolOptions::new().max_connections(21).acquire_timeout(PATIENCE);
    Ok(Engine::Postgres { pool: pool.connect_with(server).await?, announces })
}

/// One connection that writes, so that writers queue up here and not at SQLite's lock, and four that
/// only read and never wait for it.
async fn open_sqlite(url: &str) -> Result<Engine> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(Cause::InMemory.into());
    }
    let file = SqliteConnectOptions::from_str(url)?;
    make(file.get_filename()).await.map_err(Cause::File)?;
    let barrier = Barrier::before(file.get_filename());
    // Normal, not full: commits do not wait for the disk one by one, since nobody is told of them
    // before the barrier.
    let file = file
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        // Pages that are written again and again are copied from the log less often.
        .pragma("wal_autocheckpoint", "4000")
        .busy_timeout(PATIENCE)
        .foreign_keys(true);

    // A file does not hang up: its connections are neither tested nor replaced.
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None);
    let writer = first_connection(pool.clone().max_connections(1), &file).await?;
    let readers = pool.max_connections(4).connect_with(file.pragma("query_only", "on")).await?;
    let refreshing = Refreshing::new(readers.clone(), writer.clone());
    Ok(Engine::Sqlite { readers, writer, barrier, refreshing })
}

/// Opens the pool of the connection that turns on the write-ahead log. SQLite does not wait when others
/// are doing the same to a new file: it says at once that the file is busy.
async fn first_connection(
    pool: SqlitePoolOptions,
    file: &SqliteConnectOptions,
) -> Result<SqlitePool> {
    let opening = async {
        loop {
            match pool.clone().connect_with(file.clone()).await.map_err(StorageError::from) {
                Err(why) if why.is_busy() => sleep(PAUSE).await,
                opened => return opened,
            }
        }
    };
    timeout(PATIENCE, opening).await.map_err(|_| PoolTimedOut)?
}

/// Makes the file where there is none, and for its owner alone: hashes and sealed keys are in it.
async fn make(file: &Path) -> std::io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    options.mode(0o600);
    options.open(file).await.map(drop)
}
