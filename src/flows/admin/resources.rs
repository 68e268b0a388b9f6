//! Protected APIs, as operators make and change them.

use super::{Admin, AdminError, Edit, check_name, refused};
use crate::{
    model::ResourceServer,
    storage::Creation,
    values::{Algorithm, ClientId, Resource, Scope},
};

/// The scopes of OpenID Connect: what they open is about the person, and ours to give.
const RESERVED: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// An API to be.
#[derive(Clone, Debug)]
pub struct NewResource {
    /// Its name in `resource` and `aud`.
    pub id: Resource,
    /// What people see; without one, the identifier.
    pub name: Option<String>,
    /// The scopes that belong to it.
    pub scope: Scope,
    /// The client as which it introspects tokens.
    pub client: Option<ClientId>,
    /// The algorithm of its access tokens.
    pub algorithm: Option<Algorithm>,
}

/// What is to be different about an API. What is left out stays.
#[derive(Clone, Debug, Default)]
pub struct ResourceChange {
    /// What people see.
    pub name: Option<String>,
    /// The scopes that belong to it, all of them.
    pub scope: Option<Scope>,
    /// The client as which it introspects tokens.
    pub client: Edit<ClientId>,
    /// The algorithm of its access tokens.
    pub algorithm: Option<Algorithm>,
}

impl Admin {
    /// Register an API.
    pub async fn create_resource(&self, new: NewResource) -> Result<ResourceServer, AdminError> {
        let now = self.clock.now();
        let resource = ResourceServer {
            name: new.name.unwrap_or_else(|| new.id.to_string()),
            id: new.id,
            scope: new.scope,
            client: new.client,
            algorithm: new.algorithm.unwrap_or(Algorithm::Rs256),
            created_at: now,
            updated_at: now,
        };
        self.check_resource(&resource).await?;

        match self.store.create_resource(&resource).await? {
            Creation::Created => Ok(resource),
            Creation::Taken => refused(format!(
                "there is a resource called {0} already: change that one with `signet resource \
                 update {0}`",
                resource.id
            )),
        }
    }

    /// The API of this name, in any of its spellings.
    pub async fn resource(&self, id: &Resource) -> Result<ResourceServer, AdminError> {
        match self.store.resource(id).await? {
            Some(resource) => Ok(resource),
            None => unknown(id),
        }
    }

    /// Change an API.
    pub async fn update_resource(
        &self,
        id: &Resource,
        change: ResourceChange,
    ) -> Result<ResourceServer, AdminError> {
        let mut resource = self.resource(id).await?;
        resource.name = change.name.unwrap_or(resource.name);
        resource.scope = change.scope.unwrap_or(resource.scope);
        resource.algorithm = change.algorithm.unwrap_or(resource.algorithm);
        change.client.apply(&mut resource.client);
        resource.updated_at = self.clock.now();
        self.check_resource(&resource).await?;

        if self.store.update_resource(&resource).await? { Ok(resource) } else { unknown(id) }
    }

    /// Remove an API. Tokens that are meant for it expire by themselves.
    pub async fn delete_resource(&self, id: &Resource) -> Result<(), AdminError> {
        if self.store.delete_resource(id, self.clock.now()).await? { Ok(()) } else { unknown(id) }
    }

    async fn check_resource(&self, resource: &ResourceServer) -> Result<(), AdminError> {
        check_name(&resource.name)?;
        check_scope(&resource.scope)?;
        let Some(id) = &resource.client else { return Ok(()) };
        if self.client(id).await?.is_public() {
            return refused(format!(
                "the client {id} is public and cannot prove who it is, so it cannot introspect \
                 tokens: name a confidential client"
            ));
        }
        Ok(())
    }
}

fn check_scope(scope: &Scope) -> Result<(), AdminError> {
    if scope.is_empty() {
        return refused("a resource needs at least one scope, such as --scope orders:read");
    }
    if let Some(reserved) = RESERVED.into_iter().find(|reserved| scope.contains(reserved)) {
        return refused(format!(
            "the scope {reserved} belongs to OpenID Connect, not to a resource: choose another \
             word, such as orders:read"
        ));
    }
    Ok(())
}

fn unknown<T>(id: &Resource) -> Result<T, AdminError> {
    refused(format!(
        "there is no resource called {id}: `signet resource list` shows those there are"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_scopes_of_its_own() {
        assert!(check_scope(&"orders:read orders:write".parse().unwrap()).is_ok());
        assert!(check_scope(&Scope::empty()).is_err());
        for reserved in RESERVED {
            assert!(check_scope(&format!("orders:read {reserved}").parse().unwrap()).is_err());
        }
    }
}
