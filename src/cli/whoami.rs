//! `signet whoami`.

use clap::Args;

use super::{
    login,
    output::{Output, Record},
    session::{Which, environment},
};
use crate::config::Config;

/// Show who is signed in, where, and for what. Nobody is asked: this is what is kept here.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet whoami --json")]
pub(super) struct Whoami {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

impl Whoami {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        if let Some(variable) = environment().given() {
            self.output.one(&Record::default().with("from", variable))?;
            return Ok(());
        }
        let session = self.which.session(config).await?;
        let token = session.kept_token().await?;

        let token = token.as_ref();
        let record = login::record(&session)
            .with_some("scope", token.and_then(|token| token.scope()))
            .with_some("expires_at", token.and_then(|token| Some(token.expires_at()?.0)));
        self.output.one(&record)?;
        Ok(())
    }
}
