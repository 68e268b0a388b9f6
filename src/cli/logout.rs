//! `signet logout`.

use clap::Args;

use super::{login, output::Output, session::Which};
use crate::config::Config;

/// Sign out: the server revokes the tokens, and nothing is kept here.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet logout --issuer https://id.example.com")]
pub(super) struct Logout {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

impl Logout {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let session = self.which.session(config).await?;
        let (record, issuer) = (login::record(&session), session.issuer().to_owned());

        session.sign_out().await.map_err(|error| {
            anyhow::anyhow!("signed out here, but the server could not be told: {error}")
        })?;

        self.output.done(&format!("Signed out at {issuer}."), &record)?;
        Ok(())
    }
}
