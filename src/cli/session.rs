//! What the commands for those who sign in share: which session is meant.

use anyhow::anyhow;
use clap::Args;
use signet_client::{
    Environment,
    login::{Kept, Session, Sessions},
};

use super::parse;
use crate::{config::Config, values::ClientId};

/// What the program calls itself: where sessions are kept, and how variables are named.
const PROGRAM: &str = "signet";

/// The client that people sign in to unless they name another.
pub(super) const CLIENT: &str = "cli";

/// Which session is meant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The client that was signed in to [default: that of the last sign-in]
    #[arg(long, value_parser = parse::client_id)]
    client_id: Option<ClientId>,
}

impl Which {
    /// The last session of those that fit the issuer and the client, where they are named.
    pub(super) async fn session(&self, config: &Config) -> anyhow::Result<Session> {
        let issuer = config.server.issuer_is_given.then(|| config.server.issuer.as_str());
        let client = self.client_id.as_ref().map(ClientId::as_str);
        let fits = |session: &Session| {
            issuer.is_none_or(|issuer| issuer == session.issuer())
                && client.is_none_or(|client| client == session.client_id())
        };
        let all = sessions()?.all().await?;
        let last = all.into_iter().filter(fits).max_by_key(Session::signed_in_at);
        last.ok_or_else(|| {
            let remedy = "run `signet login`";
            match issuer {
                Some(issuer) => anyhow!("nobody is signed in at {issuer} here: {remedy}"),
                None => anyhow!("nobody is signed in here: {remedy}"),
            }
        })
    }
}

/// The sessions of this person on this computer.
pub(super) fn sessions() -> anyhow::Result<Sessions> {
    Ok(Sessions::of(PROGRAM)?)
}

/// The variables that are used before anything that is kept: `SIGNET_TOKEN` and `SIGNET_API_KEY`.
pub(super) fn environment() -> Environment {
    Environment::of(PROGRAM)
}

/// Where tokens are, in words.
pub(super) fn place(kept: Kept) -> &'static str {
    match kept {
        Kept::Keyring => "keyring",
        Kept::File => "file",
    }
}
