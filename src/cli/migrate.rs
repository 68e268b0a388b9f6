//! `signet migrate`.

use clap::Args;

use super::{
    open,
    output::{Output, Record},
};
use crate::config::Config;

/// Bring the database schema up to date, as every other command does by itself.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  signet migrate --database-url postgres://signet@db.example/signet")]
pub(super) struct Migrate {
    #[command(flatten)]
    output: Output,
}

impl Migrate {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        open::admin(config).await?;
        let url = config.database.without_password();
        let record = Record::default().with("database", url.as_str()).with("migrated", true);
        self.output.done(&format!("the schema of {url} is up to date"), &record)?;
        Ok(())
    }
}
