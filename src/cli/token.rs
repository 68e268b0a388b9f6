//! `signet token`.

use clap::Args;
use signet_client::{AccessToken, TokenKind};

use super::{
    output::{Output, Record},
    session::{Which, environment},
};
use crate::config::Config;

/// Print an access token that is fresh, and nothing else.
///
/// `SIGNET_TOKEN` and then `SIGNET_API_KEY` are printed as they are, if one is set. Otherwise the token
/// of the last `signet login` is renewed when most of its life is over; several processes may do so at
/// once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  curl -H \"Authorization: Bearer $(signet token)\" https://api.example.com/orders")]
pub(super) struct Token {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

impl Token {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let token = match environment().token()? {
            Some(token) => token,
            None => self.which.session(config).await?.source()?.token().await?,
        };

        self.output.text(&format!("{}\n", token.expose()), &record(&token))?;
        Ok(())
    }
}

fn record(token: &AccessToken) -> Record {
    let kind = match token.kind() {
        TokenKind::Bearer => "Bearer",
        TokenKind::Dpop => "DPoP",
    };
    Record::default()
        .with("access_token", token.expose())
        .with("token_type", kind)
        .with_some("scope", token.scope())
        .with_some("expires_at", token.expires_at().map(|moment| moment.0))
}
