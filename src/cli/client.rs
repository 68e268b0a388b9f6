//! `signet client`.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{
    open,
    output::{Output, Record, note},
    parse,
};
use crate::{
    config::Config,
    flows::admin::{Admin, AuthMethod, ClientChange, Edit, NewClient, public_keys},
    model::{Client, ClientKind, Credentials, GrantType},
    protocol::resource::IDENTITY_SCOPES,
    values::{Algorithm, ClientId, ClientSecret, PostLogoutUri, RedirectUri, Scope, WebUri},
};

/// What can be done with clients.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all clients.
    #[command(after_help = "Example:\n  signet client list --json")]
    List(Output),
    /// Show a client.
    #[command(after_help = "Example:\n  signet client show web")]
    Show(One),
    Update(Update),
    /// Delete a client, and with it every consent and token that it was given.
    #[command(after_help = "Example:\n  signet client delete web")]
    Delete(One),
    RotateSecret(RotateSecret),
    /// Stop a client from doing anything, and end the access tokens that it was given.
    #[command(after_help = "Example:\n  signet client disable web")]
    Disable(One),
    /// Let a disabled client act again.
    #[command(after_help = "Example:\n  signet client enable web")]
    Enable(One),
}

/// Make a client; its secret, if it has one, is printed once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A browser or native app, in which nothing can be kept secret:
    signet client create --client-id web --name \"Web shop\" --public \\
      --redirect-uri https://shop.example/callback --scope \"openid profile email offline_access\"
  A web application with a server:
    signet client create --client-id backoffice --redirect-uri https://office.example/callback
  A service that acts for itself:
    signet client create --client-id billing --grant client_credentials --scope orders:read")]
pub(super) struct Create {
    /// The client's identifier; without it, one is made
    #[arg(long, value_name = "ID", value_parser = parse::client_id)]
    client_id: Option<ClientId>,
    #[command(flatten)]
    description: Description,
    /// Let a confidential client do without PKCE
    #[arg(long)]
    no_require_pkce: bool,
    #[command(flatten)]
    output: Output,
}

/// Change a client: what is not named stays.
///
/// An option that can be repeated replaces the whole list. An empty value removes what was there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet client update web --name \"The new shop\"
  signet client update web --redirect-uri https://shop.example/a \\
    --redirect-uri https://shop.example/b
  signet client update web --policy-uri \"\" --first-party=false")]
pub(super) struct Update {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    description: Description,
    /// Require PKCE
    #[arg(long, conflicts_with = "no_require_pkce")]
    require_pkce: bool,
    /// Let a confidential client do without PKCE
    #[arg(long)]
    no_require_pkce: bool,
    #[command(flatten)]
    output: Output,
}

/// Give a client a new secret, which is printed once.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  Keep the old secret valid for a day, while the new one is rolled out:
    signet client rotate-secret billing --overlap 86400")]
pub(super) struct RotateSecret {
    #[command(flatten)]
    which: Which,
    /// For how many seconds the old secret stays valid
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
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
    /// The client's identifier
    #[arg(value_name = "CLIENT_ID", value_parser = parse::client_id)]
    id: ClientId,
}

#[derive(Debug, Args)]
struct Description {
    /// The name that people see
    #[arg(long, value_parser = parse::line)]
    name: Option<String>,
    /// The client cannot keep a secret: a browser or native app
    #[arg(long)]
    public: bool,
    /// Where authorization responses may go (may be repeated)
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::redirect_uri))]
    redirect_uri: Vec<Edit<RedirectUri>>,
    /// Where people may go after signing out (may be repeated)
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::post_logout_uri))]
    post_logout_redirect_uri: Vec<Edit<PostLogoutUri>>,
    /// A grant that the client may use (may be repeated) [default with a redirect URI:
    /// `authorization_code` and `refresh_token`]
    #[arg(long, value_parser = parse::grant())]
    grant: Vec<GrantType>,
    /// The most that the client may ask for, parted by spaces [default for people's sign-in: openid
    /// profile email, and `offline_access` with the grant `refresh_token`]
    #[arg(long, value_parser = parse::scope)]
    scope: Vec<Scope>,
    /// The client belongs to you: people are not asked for their consent
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    first_party: Option<bool>,
    /// The client must prove with each request for tokens that it holds a key, to which they are bound
    /// (DPoP)
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    dpop_bound: Option<bool>,
    /// How the client proves who it is [default: `client_secret_basic`, or none if public]
    #[arg(long, value_name = "METHOD", value_parser = parse::auth_method())]
    token_endpoint_auth_method: Option<AuthMethod>,
    /// The client's public keys, a JWK Set, for `private_key_jwt`
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// The algorithm of the client's ID tokens [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = parse::algorithm())]
    id_token_signing_alg: Option<Algorithm>,
    /// A page with the client's privacy policy
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::web_uri))]
    policy_uri: Option<Edit<WebUri>>,
    /// A page with the client's terms of service
    #[arg(long, value_name = "URI", value_parser = parse::edit(parse::web_uri))]
    tos_uri: Option<Edit<WebUri>>,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(create) => create.run(&admin).await,
            Self::Update(update) => update.run(&admin).await,
            Self::Show(One { which, output }) => show(&admin.client(&which.id).await?, output),
            Self::Disable(One { which, output }) => {
                show(&admin.disable_client(&which.id).await?, output)
            }
            Self::Enable(One { which, output }) => {
                show(&admin.enable_client(&which.id).await?, output)
            }
            Self::List(output) => {
                let clients = admin.store.clients().await?;
                let records: Vec<_> = clients.iter().map(|client| record(client, None)).collect();
                output.several(&COLUMNS, &records)?;
                Ok(())
            }
            Self::Delete(One { which, output }) => {
                admin.delete_client(&which.id).await?;
                let record =
                    Record::default().with("client_id", which.id.as_str()).with("deleted", true);
                output.done(&format!("client {} is deleted", which.id), &record)?;
                Ok(())
            }
            Self::RotateSecret(RotateSecret { which, overlap, output }) => {
                let (client, secret) = admin.rotate_client_secret(&which.id, overlap).await?;
                tell(&client, Some(&secret), output)
            }
        }
    }
}

const COLUMNS: [&str; 5] =
    ["client_id", "client_name", "token_endpoint_auth_method", "grant_types", "disabled"];

impl Create {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let given = self.description;
        let new = NewClient {
            id: self.client_id,
            keys: given.keys()?,
            name: given.name,
            public: given.public,
            redirect_uris: parse::list(given.redirect_uri).unwrap_or_default(),
            post_logout_redirect_uris: parse::list(given.post_logout_redirect_uri)
                .unwrap_or_default(),
            grants: given.grant.into_iter().collect(),
            scope: parse::union(&given.scope),
            first_party: given.first_party.unwrap_or(false),
            auth_method: given.token_endpoint_auth_method,
            without_pkce: self.no_require_pkce,
            dpop_bound: given.dpop_bound.unwrap_or(false),
            id_token_algorithm: given.id_token_signing_alg,
            policy_uri: given.policy_uri.and_then(Edit::value),
            tos_uri: given.tos_uri.and_then(Edit::value),
        };

        let (client, secret) = admin.create_client(new).await?;
        tell(&client, secret.as_ref(), self.output)?;
        point_out_unknown_scopes(admin, &client).await
    }
}

impl Update {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let given = self.description;
        let pkce_required = match (self.require_pkce, self.no_require_pkce) {
            (false, false) => None,
            (required, _) => Some(required),
        };
        let change = ClientChange {
            keys: given.keys()?,
            name: given.name,
            redirect_uris: parse::list(given.redirect_uri),
            post_logout_redirect_uris: parse::list(given.post_logout_redirect_uri),
            grants: (!given.grant.is_empty()).then(|| given.grant.into_iter().collect()),
            scope: parse::union(&given.scope),
            first_party: given.first_party,
            public: given.public,
            auth_method: given.token_endpoint_auth_method,
            pkce_required,
            dpop_bound: given.dpop_bound,
            id_token_algorithm: given.id_token_signing_alg,
            policy_uri: given.policy_uri.unwrap_or_default(),
            tos_uri: given.tos_uri.unwrap_or_default(),
        };

        if change == ClientChange::default() {
            admin.client(&self.which.id).await?;
            bail!("there is nothing to change: name an option, as in --name \"The new shop\"");
        }
        let (client, secret) = admin.update_client(&self.which.id, change).await?;
        tell(&client, secret.as_ref(), self.output)?;
        point_out_unknown_scopes(admin, &client).await
    }
}

impl Description {
    fn keys(&self) -> anyhow::Result<Option<signet_jwt::KeySet>> {
        let Some(file) = &self.jwks_file else { return Ok(None) };
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the key set {}", file.display()))?;
        Ok(Some(public_keys(&text)?))
    }
}

/// A scope that no API has is allowed, since the API may come later; but it may be a slip, too.
async fn point_out_unknown_scopes(admin: &Admin, client: &Client) -> anyhow::Result<()> {
    let apis = admin.store.resources().await?;
    for scope in client.scope.iter() {
        let known = apis.iter().any(|api| api.scope.contains(scope));
        if !known && !IDENTITY_SCOPES.contains(&scope) {
            note(&format!(
                "no API has the scope {scope}: tokens with it are meant for this server, until \
                 `signet resource create` names the API"
            ));
        }
    }
    Ok(())
}

fn show(client: &Client, output: Output) -> anyhow::Result<()> {
    output.one(&record(client, None))?;
    Ok(())
}

fn tell(client: &Client, secret: Option<&ClientSecret>, output: Output) -> anyhow::Result<()> {
    output.one(&record(client, secret))?;
    if secret.is_some() {
        note("keep the client secret now: it is not shown again");
    }
    Ok(())
}

/// A client in the words of [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2).
fn record(client: &Client, secret: Option<&ClientSecret>) -> Record {
    fn texts<'a, T: 'a>(
        items: impl IntoIterator<Item = &'a T>,
        text: fn(&T) -> &str,
    ) -> Vec<&'a str> {
        items.into_iter().map(text).collect()
    }
    let jwks = match &client.kind {
        ClientKind::Confidential(Credentials::Keys(keys)) => Some(keys.to_json()),
        _ => None,
    };
    let grants: Vec<_> = client.grants.iter().map(|grant| grant.as_str()).collect();
    Record::default()
        .with("client_id", client.id.as_str())
        .with("client_name", client.name.as_str())
        .with_some("client_secret", secret.map(ClientSecret::expose))
        .with("token_endpoint_auth_method", client.auth_method())
        .with("redirect_uris", texts(&client.redirect_uris, RedirectUri::as_str))
        .with(
            "post_logout_redirect_uris",
            texts(&client.post_logout_redirect_uris, PostLogoutUri::as_str),
        )
        .with("grant_types", grants)
        .with("scope", client.scope.to_string())
        .with("first_party", client.first_party)
        .with("require_pkce", client.pkce_required)
        .with("dpop_bound_access_tokens", client.dpop_bound)
        .with("id_token_signed_response_alg", client.id_token_algorithm.as_str())
        .with_some("policy_uri", client.policy_uri.as_ref().map(WebUri::as_str))
        .with_some("tos_uri", client.tos_uri.as_ref().map(WebUri::as_str))
        .with_some("jwks", jwks)
        .with("disabled", client.disabled_at.is_some())
        .with("created_at", client.created_at.0)
        .with("updated_at", client.updated_at.0)
}
