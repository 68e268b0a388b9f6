//! Where a server keeps what it knows: one database, of either kind, and one directory of keys.

use std::sync::Arc;

use signet::{
    config::Config,
    flows::{
        App,
        app::{Clock, Random},
    },
};
use tempfile::TempDir;

use crate::schema::Schema;

/// What the nodes of a server share.
pub(super) struct Home {
    directory: TempDir,
    database: String,
    _schema: Option<Schema>,
}

impl Home {
    pub(super) fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", directory.path().join("signet.db").display());
        Self { directory, database, _schema: None }
    }

    pub(super) fn on_postgres() -> Option<Self> {
        let schema = Schema::make()?;
        let database = schema.url();
        Some(Self { directory: tempfile::tempdir().unwrap(), database, _schema: Some(schema) })
    }

    /// What a server of these settings does its work with.
    pub(super) async fn open(&self, settings: &[(&'static str, &str)], clock: Clock) -> Arc<App> {
        let keys = self.directory.path().join("keys").display().to_string();
        let here = [("database_url", self.database.as_str()), ("keys_dir", &keys)];
        let flags = settings.iter().copied().chain(here);
        let flags: Vec<_> = flags.map(|(name, value)| (name, value.to_owned())).collect();
        let config = Config::load(flags, []).unwrap();
        App::open(config, clock, Random::system()).await.unwrap()
    }
}
