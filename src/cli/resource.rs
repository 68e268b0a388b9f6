//! `signet resource`.

use clap::{Args, Subcommand};

use super::{
    open,
    output::{Output, Record},
    parse,
};
use crate::{
    config::Config,
    flows::admin::{Edit, NewResource, ResourceChange},
    model::ResourceServer,
    values::{Algorithm, ClientId, Resource, Scope},
};

/// What can be done with protected APIs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all resources.
    #[command(after_help = "Example:\n  signet resource list --json")]
    List(Output),
    /// Show a resource.
    #[command(after_help = "Example:\n  signet resource show https://api.example.com")]
    Show(One),
    Update(Update),
    /// Delete a resource with its roles; tokens that are meant for it expire by themselves.
    #[command(after_help = "Example:\n  signet resource delete https://api.example.com")]
    Delete(One),
}

/// Register an API that tokens can be meant for, with its scopes.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  signet resource create --id https://api.example.com --name Orders \\
    --scope orders:read --scope orders:write
  A client asks for one of these scopes, and must have it among its own:
  signet client update web --scope \"openid profile email orders:read\"")]
pub(super) struct Create {
    /// The API's address, its name in `resource` and `aud`
    #[arg(long, value_name = "URI", value_parser = parse::resource)]
    id: Resource,
    #[command(flatten)]
    description: Description,
    #[command(flatten)]
    output: Output,
}

/// Change a resource: what is not named stays.
///
/// The scopes that are given replace all from before. An empty client removes the one there was.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet resource update https://api.example.com --scope orders:read --scope orders:refund
  signet resource update https://api.example.com --client \"\"")]
pub(super) struct Update {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    description: Description,
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
    /// The API's address
    #[arg(value_name = "URI", value_parser = parse::resource)]
    id: Resource,
}

#[derive(Debug, Args)]
struct Description {
    /// The name that people see
    #[arg(long, value_parser = parse::line)]
    name: Option<String>,
    /// A scope that belongs to the API (may be repeated)
    #[arg(long, value_parser = parse::scope)]
    scope: Vec<Scope>,
    /// The confidential client as which the API introspects tokens
    #[arg(long, value_name = "CLIENT_ID", value_parser = parse::edit(parse::client_id))]
    client: Option<Edit<ClientId>>,
    /// The algorithm of the API's access tokens [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = parse::algorithm())]
    signing_alg: Option<Algorithm>,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(Create { id, description, output }) => {
                let new = NewResource {
                    id,
                    name: description.name,
                    scope: parse::union(&description.scope).unwrap_or_default(),
                    client: description.client.and_then(Edit::value),
                    algorithm: description.signing_alg,
                };
                output.one(&record(&admin.create_resource(new).await?))?;
            }
            Self::List(output) => {
                let resources = admin.store.resources().await?;
                let records: Vec<_> = resources.iter().map(record).collect();
                output.several(&["id", "name", "scope", "client"], &records)?;
            }
            Self::Show(One { which, output }) => {
                output.one(&record(&admin.resource(&which.id).await?))?;
            }
            Self::Update(Update { which, description, output }) => {
                let change = ResourceChange {
                    name: description.name,
                    scope: parse::union(&description.scope),
                    client: description.client.unwrap_or_default(),
                    algorithm: description.signing_alg,
                };
                output.one(&record(&admin.update_resource(&which.id, change).await?))?;
            }
            Self::Delete(One { which, output }) => {
                admin.delete_resource(&which.id).await?;
                let record = Record::default().with("id", which.id.as_str()).with("deleted", true);
                output.done(&format!("resource {} is deleted", which.id), &record)?;
            }
        }
        Ok(())
    }
}

fn record(resource: &ResourceServer) -> Record {
    Record::default()
        .with("id", resource.id.as_str())
        .with("name", resource.name.as_str())
        .with("scope", resource.scope.to_string())
        .with_some("client", resource.client.as_ref().map(ClientId::as_str))
        .with("signing_alg", resource.algorithm.as_str())
        .with("created_at", resource.created_at.0)
        .with("updated_at", resource.updated_at.0)
}
