//! Whom roles are given to, as options name them; and whether a change reaches the tokens that they have.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;

use super::parse;
use crate::{
    flows::admin::{Admin, AdminError, Bearers},
    model::Holder,
    protocol::role::RoleBook,
    values::{ClientId, GroupName, RoleId},
};

/// Until when every node has followed a change.
const FOLLOWED: Duration = Duration::from_secs(2);

/// One whom a role is given to.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct OneHolder {
    /// A person: a username, an e-mail address or an identifier
    #[arg(long)]
    user: Option<String>,
    /// A client, for its own tokens
    #[arg(long, value_name = "CLIENT_ID", value_parser = parse::client_id)]
    client: Option<ClientId>,
    /// A group, for everybody in it
    #[arg(long, value_parser = parse::group)]
    group: Option<GroupName>,
}

/// One whose roles are asked for, or nobody.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct AnyHolder {
    /// Only roles that this person was given, directly or through groups
    #[arg(long)]
    user: Option<String>,
    /// Only roles that this client was given
    #[arg(long, value_name = "CLIENT_ID", value_parser = parse::client_id)]
    client: Option<ClientId>,
    /// Only roles that this group was given
    #[arg(long, value_parser = parse::group)]
    group: Option<GroupName>,
}

/// Whether a change reaches tokens that were issued already.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct AtOnce {
    /// End at once the access tokens of everybody whom this concerns; the next ones are as things are then
    #[arg(long)]
    revoke_tokens: bool,
}

impl AtOnce {
    /// Do so, if it was asked for.
    pub(super) async fn end_tokens(
        self,
        admin: &Admin,
        bearers: &Bearers,
    ) -> Result<(), AdminError> {
        if !self.revoke_tokens {
            return Ok(());
        }
        admin.end_tokens(bearers).await?;
        if !bearers.clients.is_empty() {
            // A node may have issued a client's token meanwhile, as it knew things before.
            tokio::time::sleep(FOLLOWED).await;
            let clients = Bearers { clients: bearers.clients.clone(), ..Bearers::default() };
            admin.end_tokens(&clients).await?;
        }
        Ok(())
    }
}

impl OneHolder {
    /// Whom it is, and what they are called.
    pub(super) async fn find(self, admin: &Admin) -> Result<(Holder, String), AdminError> {
        if let Some(id) = self.client {
            let client = admin.client(&id).await?;
            return Ok((Holder::Client(client.id), id.to_string()));
        }
        if let Some(name) = self.group {
            let group = admin.group(&name).await?;
            return Ok((Holder::Group(group.id), name.to_string()));
        }
        let user = admin.user(&self.user.unwrap_or_default()).await?;
        Ok((Holder::Person(user.id), user.username.to_string()))
    }
}

impl AnyHolder {
    /// What they were given, and what that includes, if anybody was named.
    pub(super) async fn given(self, admin: &Admin) -> Result<Option<BTreeSet<RoleId>>, AdminError> {
        let Self { user, client, group } = self;
        let granted = if let Some(name) = user {
            admin.store.granted_to_user(admin.user(&name).await?.id).await?.roles
        } else if client.is_some() || group.is_some() {
            let (holder, _) = OneHolder { user: None, client, group }.find(admin).await?;
            admin.store.granted_roles(&holder).await?
        } else {
            return Ok(None);
        };
        let (revision, roles) = admin.store.roles().await?;
        Ok(Some(RoleBook::new(revision, roles).reach(&granted)))
    }
}

/// Whom a sentence speaks of.
pub(super) fn who(holder: &Holder, name: &str) -> String {
    match holder {
        Holder::Person(_) => name.to_owned(),
        Holder::Client(_) => format!("the client {name}"),
        Holder::Group(_) => format!("the group {name}"),
    }
}
