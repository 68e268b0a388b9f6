//! `signet db`.

use clap::Subcommand;

use super::{
    open,
    output::{Output, Record},
};
use crate::{config::Config, storage::TableReport};

/// What can be asked of the database.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say how many rows each table has, and how many bytes they take.
    ///
    /// The bytes include indexes and free room, so that a table of few rows seems expensive: a row costs
    /// what the last column says once there are thousands.
    #[command(after_help = "Example:\n  signet db report --json")]
    Report(Output),
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let Self::Report(output) = self;
        let tables = open::admin(config).await?.store.report().await?;
        let records: Vec<_> = tables.iter().map(record).collect();
        Ok(output.several(&["table", "rows", "bytes", "bytes_per_row"], &records)?)
    }
}

fn record(table: &TableReport) -> Record {
    let each = (table.rows > 0).then(|| table.bytes / table.rows);
    Record::default()
        .with("table", table.name.as_str())
        .with("rows", table.rows)
        .with("bytes", table.bytes)
        .with_some("bytes_per_row", each)
}
