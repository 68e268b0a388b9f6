//! The way to the database for commands that work whether or not a server runs.

use anyhow::{Context, anyhow};

use super::reason;
use crate::{
    config::Config,
    flows::{
        admin::Admin,
        app::{Clock, Random},
    },
    storage::{StorageError, Store},
};

/// Open the database and bring its schema up to date.
pub(super) async fn admin(config: &Config) -> anyhow::Result<Admin> {
    let unreachable = |error| cannot_reach(config, error);
    let store = Store::open(&config.database.url).await.map_err(unreachable)?;
    store.is_reachable().await.map_err(unreachable)?;
    store.migrate().await.context("cannot bring the database schema up to date")?;
    Ok(Admin { store, clock: Clock::system(), random: Random::system() })
}

/// Say which database, why, and what helps.
pub(super) fn cannot_reach(config: &Config, error: StorageError) -> anyhow::Error {
    let remedy = if config.database.url.starts_with("sqlite:") {
        "check that the directory exists and may be written to, or choose another file with \
         --database-url"
    } else {
        "check that it runs and lets this user in, or name the right one with --database-url"
    };
    let url = config.database.without_password();
    let cause = reason(&anyhow!(error));
    anyhow!("cannot reach the database {url}: {cause}\n{remedy}")
}
