//! Where a server keeps what it knows: one database, of either kind, and one directory of keys.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
};

use signet::{
    config::Config,
    flows::{
        App,
        app::{Clock, Random},
    },
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

/// What the nodes of a server share.
pub(super) struct Home {
    directory: TempDir,
    database: String,
    _schema: Option<Schema>,
}

/// A corner of a PostgreSQL server, gone when it is dropped.
struct Schema {
    server: String,
    name: String,
}

impl Home {
    pub(super) fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", directory.path().join("signet.db").display());
        Self { directory, database, _schema: None }
    }

    pub(super) async fn on_postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let server = env::var("TEST_POSTGRES").ok()?;
        let name = format!("server_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("create schema {name}")).await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let database = format!("{server}{separator}options=-csearch_path%3D{name}");
        let schema = Some(Schema { server, name });
        Some(Self { directory: tempfile::tempdir().unwrap(), database, _schema: schema })
    }

    /// What a server of these settings does its work with.
    pub(super) async fn open(&self, settings: &[(&'static str, &str)], clock: Clock) -> App {
        let keys = self.directory.path().join("keys").display().to_string();
        let here = [("database_url", self.database.as_str()), ("keys_dir", &keys)];
        let flags = settings.iter().copied().chain(here);
        let flags: Vec<_> = flags.map(|(name, value)| (name, value.to_owned())).collect();
        let config = Config::load(flags, []).unwrap();
        App::open(config, clock, Random::system()).await.unwrap()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(execute(&server, format!("drop schema {name} cascade")));
        });
        let _ = dropped.join();
    }
}

async fn execute(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
}
