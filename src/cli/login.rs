//! `signet login`.

use clap::Args;
use signet_client::login::{self, Kept, Person, Session, Way, present};

use super::{
    output::{Output, Record, note},
    parse,
    session::{CLIENT, place, sessions},
};
use crate::{
    config::Config,
    values::{ClientId, Resource, Scope},
};

/// Sign in at an authorization server, to call APIs from the command line.
///
/// Opens the browser; over SSH and where there is none, prints a code to enter on another screen. The
/// tokens are kept in the operating system's keyring; where there is none, in a file that only you may
/// read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  At the server that `signet dev` runs:
    signet login
  At another one, for an API, from a computer without a browser:
    signet login --issuer https://id.example.com --client-id acme-cli --device \\
      --resource https://api.example.com --scope \"openid offline_access orders:read\"
  Then:
    curl -H \"Authorization: Bearer $(signet token)\" https://api.example.com/orders

The client is a public one with the redirect address http://127.0.0.1/callback and the grants
authorization_code, refresh_token and urn:ietf:params:oauth:grant-type:device_code.")]
pub(super) struct Login {
    /// The client to sign in to
    #[arg(long, default_value = CLIENT, value_parser = parse::client_id)]
    client_id: ClientId,
    /// What the tokens are for (may be repeated)
    #[arg(long, default_value = SCOPE, value_parser = parse::scope)]
    scope: Vec<Scope>,
    /// An API that the tokens are for (may be repeated)
    #[arg(long, value_name = "URI", value_parser = parse::resource)]
    resource: Vec<Resource>,
    /// Sign in on another screen, by a code
    #[arg(long)]
    device: bool,
    #[command(flatten)]
    output: Output,
}

const SCOPE: &str = "openid profile email offline_access";

impl Login {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let scope = parse::union(&self.scope).unwrap_or_default().to_string();
        let issuer = config.server.issuer.as_str();
        let login = login::Login::new(issuer, self.client_id.as_str()).scope(scope);
        let resources = self.resource.iter();
        let login = resources.fold(login, |login, resource| login.resource(resource.as_str()));

        let way = if self.device { Way::Device } else { Way::automatic() };
        let signed_in = login.sign_in(way, present).await?;
        let session = sessions()?.keep(signed_in).await?;

        if session.kept() == Kept::File {
            note("There is no keyring here: the tokens are in a file that only you may read.");
        }
        let who = session.person().map_or("somebody", name_of);
        let sentence = format!("Signed in at {issuer} as {who}.");
        self.output.done(&sentence, &record(&session))?;
        Ok(())
    }
}

fn name_of(person: &Person) -> &str {
    let names = [person.name.as_deref(), person.email.as_deref()];
    names.into_iter().flatten().next().unwrap_or(&person.subject)
}

/// What a session is.
pub(super) fn record(session: &Session) -> Record {
    let person = session.person();
    Record::default()
        .with_some("subject", person.map(|person| person.subject.clone()))
        .with_some("name", person.and_then(|person| person.name.clone()))
        .with_some("email", person.and_then(|person| person.email.clone()))
        .with("issuer", session.issuer())
        .with("client_id", session.client_id())
        .with("resources", session.resources().to_vec())
        .with("signed_in_at", session.signed_in_at().0)
        .with("kept", place(session.kept()))
}
