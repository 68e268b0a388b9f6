//! `signet role`.

use clap::{Args, Subcommand};

use super::{
    holder::{AnyHolder, AtOnce, OneHolder, who},
    open,
    output::{Output, Record},
    parse,
};
use crate::{
    config::Config,
    flows::admin::{Admin, Edit, NewRole, RoleEdit},
    model::{Holder, RoleRecord},
    values::{Permission, Resource, Role, RoleAddress},
};

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    List(List),
    /// Show a role: what it allows and includes, and who has it.
    #[command(after_help = "Example:\n  signet role show https://api.example.com#editor")]
    Show(One),
    Update(Update),
    Delete(Delete),
    Grant(Grant),
    Revoke(Revoke),
}

/// Make a role of an API, with what it allows there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet role create --resource https://api.example.com --name viewer --permission orders:read
  An editor is a viewer, too, and may write e-mails with another API:
    signet role create --resource https://api.example.com --name editor \\
      --permission orders:write --include https://api.example.com#viewer \\
      --include https://mail.example.com#sender")]
pub(super) struct Create {
    /// The API that the role is of
    #[arg(long, value_name = "URI", value_parser = parse::resource)]
    resource: Resource,
    /// What tokens call the role
    #[arg(long, value_name = "NAME", value_parser = parse::role)]
    name: Role,
    #[command(flatten)]
    content: Content,
    #[command(flatten)]
    output: Output,
}

/// List roles: all of them, those of an API, or those that somebody was given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet role list --resource https://api.example.com
  signet role list --user alice --json")]
pub(super) struct List {
    /// Only roles of this API
    #[arg(long, value_name = "URI", value_parser = parse::resource)]
    resource: Option<Resource>,
    #[command(flatten)]
    holder: AnyHolder,
    #[command(flatten)]
    output: Output,
}

/// Change a role: what is not named stays.
///
/// An option that can be repeated replaces the whole list. An empty value removes what was there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet role update https://api.example.com#editor --permission orders:write --revoke-tokens
  signet role update https://api.example.com#editor --include \"\"")]
pub(super) struct Update {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    content: Content,
    #[command(flatten)]
    at_once: AtOnce,
    #[command(flatten)]
    output: Output,
}

/// Delete a role: nobody has it any more.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet role delete https://api.example.com#editor")]
pub(super) struct Delete {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    at_once: AtOnce,
    #[command(flatten)]
    output: Output,
}

/// Give a role to a user, a client or a group. It is in the next token.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet role grant https://api.example.com#editor --user alice
  signet role grant https://api.example.com#viewer --group staff
  signet role grant https://api.example.com#viewer --client billing")]
pub(super) struct Grant {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    to: OneHolder,
    #[command(flatten)]
    output: Output,
}

/// Take a role from a user, a client or a group. It is not in the next token.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  signet role revoke https://api.example.com#editor --user alice --revoke-tokens")]
pub(super) struct Revoke {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    from: OneHolder,
    #[command(flatten)]
    at_once: AtOnce,
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
    /// The role: the API's address, #, and the role's name
    #[arg(value_name = "ROLE", value_parser = parse::role_address)]
    role: RoleAddress,
}

#[derive(Debug, Args)]
struct Content {
    /// What people read about it
    #[arg(long, value_name = "TEXT", value_parser = parse::line)]
    description: Option<String>,
    /// Something that the role allows, in the API's own word (may be repeated)
    #[arg(long, value_parser = parse::edit(parse::permission))]
    permission: Vec<Edit<Permission>>,
    /// A role whose holder one is, too, of this API or another (may be repeated)
    #[arg(long, value_name = "ROLE", value_parser = parse::edit(parse::role_address))]
    include: Vec<Edit<RoleAddress>>,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(create) => create.run(&admin).await,
            Self::List(list) => list.run(&admin).await,
            Self::Show(One { which, output }) => show(&admin, &which.role, output).await,
            Self::Update(update) => update.run(&admin).await,
            Self::Delete(Delete { which, at_once, output }) => {
                let role = admin.role(&which.role).await?;
                let bearers = admin.bearers_of_role(role.id).await?;
                admin.delete_role(&which.role).await?;
                at_once.end_tokens(&admin, &bearers).await?;
                let record = brief(&role).with("deleted", true);
                output.done(&format!("the role {} is deleted", role.address()), &record)?;
                Ok(())
            }
            Self::Grant(Grant { which, to, output }) => {
                let (holder, name) = to.find(&admin).await?;
                let role = admin.grant_role(&which.role, &holder).await?;
                let sentence = format!("{} has the role {}", who(&holder, &name), role.address());
                output.done(&sentence, &about(&role, &holder, &name).with("granted", true))?;
                Ok(())
            }
            Self::Revoke(Revoke { which, from, at_once, output }) => {
                let (holder, name) = from.find(&admin).await?;
                let bearers = admin.bearers(&holder).await?;
                let role = admin.revoke_role(&which.role, &holder).await?;
                at_once.end_tokens(&admin, &bearers).await?;
                let who = who(&holder, &name);
                let sentence = format!("{who} no longer has the role {}", role.address());
                output.done(&sentence, &about(&role, &holder, &name).with("revoked", true))?;
                Ok(())
            }
        }
    }
}

impl Create {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let given = self.content;
        let new = NewRole {
            address: RoleAddress { resource: self.resource, name: self.name },
            description: given.description.unwrap_or_default(),
            permissions: parse::list(given.permission).unwrap_or_default(),
            includes: parse::list(given.include).unwrap_or_default(),
        };
        let role = admin.create_role(new).await?;
        show(admin, &role.address(), self.output).await
    }
}

impl List {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let (_, roles) = admin.store.roles().await?;
        let given = self.holder.given(admin).await?;
        let of = self.resource.map(|resource| resource.canonical());
        let wanted = |role: &&RoleRecord| {
            of.as_ref().is_none_or(|of| role.resource.canonical() == *of)
                && given.as_ref().is_none_or(|given| given.contains(&role.id))
        };
        let records: Vec<_> =
            roles.iter().filter(wanted).map(|role| described(role, &roles)).collect();
        self.output.several(&["role", "permissions", "includes", "description"], &records)?;
        Ok(())
    }
}

impl Update {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let edit = RoleEdit {
            description: self.content.description,
            permissions: parse::list(self.content.permission),
            includes: parse::list(self.content.include),
        };
        let role = admin.update_role(&self.which.role, edit).await?;
        let bearers = admin.bearers_of_role(role.id).await?;
        self.at_once.end_tokens(admin, &bearers).await?;
        show(admin, &role.address(), self.output).await
    }
}

async fn show(admin: &Admin, address: &RoleAddress, output: Output) -> anyhow::Result<()> {
    let role = admin.role(address).await?;
    let (_, roles) = admin.store.roles().await?;
    let (mut users, mut clients, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for holder in admin.store.holders_of_role(role.id).await? {
        match holder {
            Holder::Person(id) => {
                users.extend(admin.store.user(id).await?.map(|user| user.username.to_string()));
            }
            Holder::Client(id) => clients.push(id.to_string()),
            Holder::Group(id) => {
                groups
                    .extend(admin.store.group_by_id(id).await?.map(|group| group.name.to_string()));
            }
        }
    }
    let record = described(&role, &roles)
        .with("users", users)
        .with("clients", clients)
        .with("groups", groups)
        .with("created_at", role.created_at.0)
        .with("updated_at", role.updated_at.0);
    output.one(&record)?;
    Ok(())
}

fn brief(role: &RoleRecord) -> Record {
    Record::default()
        .with("role", role.address().to_string())
        .with("resource", role.resource.as_str())
        .with("name", role.name.as_str())
}

fn described(role: &RoleRecord, all: &[RoleRecord]) -> Record {
    let permissions: Vec<_> = role.permissions.iter().map(Permission::as_str).collect();
    let others = all.iter().filter(|other| role.includes.contains(&other.id));
    let includes: Vec<_> = others.map(|other| other.address().to_string()).collect();
    brief(role)
        .with("description", role.description.as_str())
        .with("permissions", permissions)
        .with("includes", includes)
}

fn about(role: &RoleRecord, holder: &Holder, name: &str) -> Record {
    let record = brief(role);
    match holder {
        Holder::Person(id) => record.with("user", id.to_string()).with("username", name),
        Holder::Client(_) => record.with("client", name),
        Holder::Group(_) => record.with("group", name),
    }
}
