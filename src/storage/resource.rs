//! Protected APIs. All spellings of an identifier find the same one.

use super::{
    Creation, Result, Store, change,
    changes::note,
    columns::{Column, column},
    from_row, read,
    role::revise_roles,
};
use crate::{
    model::{Change, ResourceServer},
    values::{Resource, Timestamp},
};

from_row!(ResourceServer, |row| Ok(Self {
    id: column(row, "id")?,
    name: column(row, "name")?,
    scope: column(row, "scope")?,
    client: column(row, "client_id")?,
    algorithm: column(row, "algorithm")?,
    created_at: column(row, "created_at")?,
    updated_at: column(row, "updated_at")?,
}));

impl Store {
    /// Registers an API.
    pub async fn create_resource(&self, resource: &ResourceServer) -> Result<Creation> {
        change!(self, |tx| {
            let created = sqlx::query(
                "insert into resources (
                     id, canonical, name, scope, client_id, algorithm, created_at, updated_at
                 )
                 values ($1, $2, $3, $4, $5, $6, $7, $8)
                 on conflict do nothing",
            )
            .bind(resource.id.kept())
            .bind(resource.id.canonical())
            .bind(&resource.name)
            .bind(resource.scope.kept())
            .bind(resource.client.kept())
            .bind(resource.algorithm.kept())
            .bind(resource.created_at.kept())
            .bind(resource.updated_at.kept())
            .execute(&mut *tx)
            .await?;
            if created.rows_affected() == 0 {
                Creation::Taken
            } else {
                note!(tx, Change::Resources, resource.updated_at);
                Creation::Created
            }
        })
    }

    /// The API of this identifier, in whichever spelling.
    pub async fn resource(&self, id: &Resource) -> Result<Option<ResourceServer>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select id, name, scope, client_id, algorithm, created_at, updated_at
                 from resources where canonical = $1",
            )
            .bind(id.canonical())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Every API, by identifier.
    pub async fn resources(&self) -> Result<Vec<ResourceServer>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select id, name, scope, client_id, algorithm, created_at, updated_at
                 from resources order by id",
            )
            .fetch_all(db)
            .await
        })?)
    }

    /// Changes everything of an API but its identifier and when it was registered. False if there is
    /// none of this identifier.
    pub async fn update_resource(&self, resource: &ResourceServer) -> Result<bool> {
        change!(self, |tx| {
            let updated = sqlx::query(
                "update resources set
                     name = $2, scope = $3, client_id = $4, algorithm = $5, updated_at = $6
                 where canonical = $1",
            )
            .bind(resource.id.canonical())
            .bind(&resource.name)
            .bind(resource.scope.kept())
            .bind(resource.client.kept())
            .bind(resource.algorithm.kept())
            .bind(resource.updated_at.kept())
            .execute(&mut *tx)
            .await?;
            let updated = updated.rows_affected() > 0;
            if updated {
                note!(tx, Change::Resources, resource.updated_at);
            }
            updated
        })
    }

    /// Deletes an API. False if there was none.
    pub async fn delete_resource(&self, id: &Resource, at: Timestamp) -> Result<bool> {
        change!(self, |tx| {
            revise_roles!(tx);
            // Its roles go with the row.
            let deleted = sqlx::query("delete from resources where canonical = $1")
                .bind(id.canonical())
                .execute(&mut *tx)
                .await?;
            let deleted = deleted.rows_affected() > 0;
            if deleted {
                note!(tx, Change::Resources, at);
            }
            deleted
        })
    }
}
