//! `signet group`.

use clap::{Args, Subcommand};

use super::{
    holder::AtOnce,
    open,
    output::{Output, Record},
    parse,
};
use crate::{
    config::Config,
    flows::admin::Admin,
    model::{Holder, UserGroup},
    values::GroupName,
};

/// What can be done with groups of people.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all groups.
    #[command(after_help = "Example:\n  signet group list --json")]
    List(Output),
    /// Show a group: who is in it, and the roles that it was given.
    #[command(after_help = "Example:\n  signet group show staff")]
    Show(One),
    Delete(Delete),
    /// Take a user into a group.
    #[command(after_help = "Example:\n  signet group add staff alice")]
    Add(Member),
    Remove(Remove),
}

/// Make a group, to give everybody in it the same roles.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  signet group create --name staff --description \"Who works here\""
)]
pub(super) struct Create {
    /// What the group is called
    #[arg(long, value_parser = parse::group)]
    name: GroupName,
    /// What people read about it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = parse::line)]
    description: String,
    #[command(flatten)]
    output: Output,
}

/// Delete a group; its members stay, without what it gave them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet group delete staff --revoke-tokens")]
pub(super) struct Delete {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    at_once: AtOnce,
    #[command(flatten)]
    output: Output,
}

/// Let a user leave a group.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  signet group remove staff alice --revoke-tokens")]
pub(super) struct Remove {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at_once: AtOnce,
    #[command(flatten)]
    output: Output,
}

/// One in a group, and how that is printed.
#[derive(Debug, Args)]
pub(super) struct Member {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
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
    /// The group's name
    #[arg(value_name = "GROUP", value_parser = parse::group)]
    group: GroupName,
}

#[derive(Debug, Args)]
struct Who {
    /// The person: a username, an e-mail address or an identifier
    #[arg(value_name = "USER")]
    user: String,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(Create { name, description, output }) => {
                let group = admin.create_group(name, description).await?;
                output.one(&described(&group))?;
            }
            Self::List(output) => {
                let records: Vec<_> = all(&admin).await?.iter().map(described).collect();
                output.several(&["name", "description"], &records)?;
            }
            Self::Show(One { which, output }) => show(&admin, &which.group, output).await?,
            Self::Delete(delete) => delete.run(&admin).await?,
            Self::Add(Member { which, who, output }) => {
                let (group, user) =
                    (admin.group(&which.group).await?, admin.user(&who.user).await?);
                admin.add_member(&group, &user).await?;
                let sentence = format!("{} is in the group {}", user.username, group.name);
                let record = Record::default()
                    .with("group", group.name.as_str())
                    .with("username", user.username.as_str());
                output.done(&sentence, &record.with("member", true))?;
            }
            Self::Remove(remove) => remove.run(&admin).await?,
        }
        Ok(())
    }
}

impl Delete {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let group = admin.group(&self.which.group).await?;
        let bearers = admin.bearers(&Holder::Group(group.id)).await?;
        admin.delete_group(&group.name).await?;
        self.at_once.end_tokens(admin, &bearers).await?;
        let record = Record::default().with("name", group.name.as_str()).with("deleted", true);
        self.output.done(&format!("the group {} is deleted", group.name), &record)?;
        Ok(())
    }
}

impl Remove {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let group = admin.group(&self.which.group).await?;
        let user = admin.user(&self.who.user).await?;
        admin.remove_member(&group, &user).await?;
        let bearers = admin.bearers(&Holder::Person(user.id)).await?;
        self.at_once.end_tokens(admin, &bearers).await?;
        let sentence = format!("{} is no longer in the group {}", user.username, group.name);
        let record = Record::default()
            .with("group", group.name.as_str())
            .with("username", user.username.as_str());
        self.output.done(&sentence, &record.with("member", false))?;
        Ok(())
    }
}

async fn all(admin: &Admin) -> anyhow::Result<Vec<UserGroup>> {
    const PAGE: u32 = 500;
    let mut groups: Vec<UserGroup> = Vec::new();
    loop {
        let page = admin.store.groups(groups.last().map(|group| &group.name), PAGE).await?;
        if page.is_empty() {
            return Ok(groups);
        }
        groups.extend(page);
    }
}

async fn show(admin: &Admin, name: &GroupName, output: Output) -> anyhow::Result<()> {
    let group = admin.group(name).await?;
    let members = admin.store.members(group.id).await?;
    let members: Vec<_> = members.iter().map(|member| member.username.as_str()).collect();
    let granted = admin.store.granted_roles(&Holder::Group(group.id)).await?;
    let (_, roles) = admin.store.roles().await?;
    let roles = roles.iter().filter(|role| granted.contains(&role.id));
    let roles: Vec<_> = roles.map(|role| role.address().to_string()).collect();
    output.one(&described(&group).with("roles", roles).with("members", members))?;
    Ok(())
}

fn described(group: &UserGroup) -> Record {
    Record::default()
        .with("name", group.name.as_str())
        .with("description", group.description.as_str())
        .with("created_at", group.created_at.0)
}
