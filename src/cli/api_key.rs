//! `signet api-key`.

use clap::{Args, Subcommand};
use ipnet::IpNet;

use super::{
    open,
    output::{Output, Record, note},
    parse,
};
use crate::{
    config::Config,
    flows::admin::{Admin, AdminError, NewApiKey},
    model::{ApiKeyRecord, KeyOwner},
    values::{ApiKey, ApiKeyId, ClientId, Scope},
};

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    List(List),
    /// Show an API key; the key itself is never shown again.
    #[command(after_help = "Example:\n  signet api-key show 018f3c2e-7b1a-7000-8000-0123456789ab")]
    Show(One),
    Rotate(Rotate),
    /// End an API key, and every token that it was exchanged for.
    #[command(
        after_help = "Example:\n  signet api-key revoke 018f3c2e-7b1a-7000-8000-0123456789ab"
    )]
    Revoke(One),
}

/// Make an API key; it is printed once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A key of a person, for a script:
    signet api-key create --user alice --name \"nightly export\" --scope orders:read
  A key of a client, for thirty days, from one network:
    signet api-key create --client billing --name ci --scope orders:read --expires-in 30d \\
      --allow-address 192.0.2.0/24")]
pub(super) struct Create {
    #[command(flatten)]
    owner: Owner,
    /// What the key is called
    #[arg(long, value_parser = parse::line)]
    name: String,
    /// A scope that the key allows (may be repeated)
    #[arg(long, required = true, value_parser = parse::scope)]
    scope: Vec<Scope>,
    /// For how long it is valid: seconds, or a number with m, h or d [default: the setting `api_key_lifetime`]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    expires_in: Option<i64>,
    /// A network that it may be used from (may be repeated) [default: anywhere]
    #[arg(long, value_name = "CIDR", value_parser = parse::network)]
    allow_address: Vec<IpNet>,
    /// How often a minute it may be exchanged or looked up, on each node [default: as often as it is]
    #[arg(long, value_name = "NUMBER")]
    rate_limit: Option<i64>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Owner {
    /// The person whose key it is: a username, an e-mail address or an identifier
    #[arg(long)]
    user: Option<String>,
    /// The client whose key it is
    #[arg(long, value_name = "CLIENT_ID", value_parser = parse::client_id)]
    client: Option<ClientId>,
}

/// List API keys.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet api-key list --json")]
pub(super) struct List {
    #[command(flatten)]
    output: Output,
}

/// Give an API key another secret, which is printed once. When it ends does not change.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  Keep the old key valid for a day, while the new one is rolled out:
    signet api-key rotate 018f3c2e-7b1a-7000-8000-0123456789ab --overlap 1d")]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,
    /// For how long the old key stays valid: seconds, or a number with m, h or d
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = parse::duration)]
    overlap: i64,
    #[command(flatten)]
    output: Output,
}

/// One, and how it is printed.
#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Which {
    /// The key's identifier
    #[arg(value_name = "ID", value_parser = parse::api_key_id)]
    id: ApiKeyId,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(create) => create.run(config, &admin).await?,
            Self::List(List { output }) => {
                let keys = all(&admin).await?;
                let records: Vec<_> = keys.iter().map(|key| record(key, None)).collect();
                output.several(&["id", "name", "owner", "scope", "expires_at"], &records)?;
            }
            Self::Show(One { which, output }) => {
                output.one(&record(&admin.api_key(which.id).await?, None))?;
            }
            Self::Rotate(Rotate { which, overlap, output }) => {
                let (key, secret) = admin.rotate_api_key(which.id, overlap).await?;
                tell(&key, &secret, output)?;
            }
            Self::Revoke(One { which, output }) => {
                let key = admin.revoke_api_key(which.id).await?;
                output.done(&format!("the API key {} is revoked", key.id), &record(&key, None))?;
            }
        }
        Ok(())
    }
}

impl Create {
    async fn run(self, config: &Config, admin: &Admin) -> anyhow::Result<()> {
        let new = NewApiKey {
            owner: self.owner.find(admin).await?,
            name: self.name,
            scope: parse::union(&self.scope).unwrap_or_default(),
            lifetime: self.expires_in.unwrap_or(config.tokens.api_key),
            longest: config.tokens.api_key_longest,
            addresses: self.allow_address,
            rate_limit: self.rate_limit,
        };
        let (key, secret) = admin.create_api_key(new).await?;
        tell(&key, &secret, self.output)
    }
}

impl Owner {
    async fn find(self, admin: &Admin) -> Result<KeyOwner, AdminError> {
        match self.client {
            Some(client) => Ok(KeyOwner::Client(admin.client(&client).await?.id)),
            None => Ok(KeyOwner::Person(admin.user(&self.user.unwrap_or_default()).await?.id)),
        }
    }
}

async fn all(admin: &Admin) -> Result<Vec<ApiKeyRecord>, AdminError> {
    const PAGE: u32 = 500;

    let mut all: Vec<ApiKeyRecord> = Vec::new();
    loop {
        let page = admin.store.api_keys(all.last().map(|key| key.id), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn tell(key: &ApiKeyRecord, secret: &ApiKey, output: Output) -> anyhow::Result<()> {
    output.one(&record(key, Some(secret)))?;
    note("keep the key now: it is not shown again");
    Ok(())
}

fn record(key: &ApiKeyRecord, secret: Option<&ApiKey>) -> Record {
    let (user, client) = match &key.owner {
        KeyOwner::Person(id) => (Some(id.to_string()), None),
        KeyOwner::Client(id) => (None, Some(id.to_string())),
    };
    let addresses: Vec<String> = key.addresses.iter().map(ToString::to_string).collect();
    Record::default()
        .with("id", key.id.to_string())
        .with_some("key", secret.map(ApiKey::expose))
        .with("name", key.name.as_str())
        .with("owner", key.owner.to_string())
        .with_some("user", user)
        .with_some("client", client)
        .with("scope", key.scope.to_string())
        .with_some("addresses", (!addresses.is_empty()).then_some(addresses))
        .with_some("rate_limit", key.rate_limit)
        .with("created_at", key.created_at.0)
        .with("expires_at", key.expires_at.0)
        .with_some("revoked_at", key.revoked_at.map(|at| at.0))
        .with_some("last_used_at", key.last_used_at.map(|at| at.0))
}
