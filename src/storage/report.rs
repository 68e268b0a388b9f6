//! What the database holds, and how much room that takes.

use super::{Engine, Result, Store};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: i64,
    /// How many bytes it takes on the disk, its indexes and free room included.
    pub bytes: i64,
}

impl Store {
    /// Every table, by name. This reads all of the database: it is for people, not for programs that
    /// are in a hurry.
    pub async fn report(&self) -> Result<Vec<TableReport>> {
        // The one question that each engine understands in its own words only.
        let tables = match &self.engine {
            Engine::Sqlite { readers, .. } => {
                sqlx::query_as(include_str!("report.sqlite.sql")).fetch_all(readers).await?
            }
            Engine::Postgres { pool, .. } => {
                sqlx::query_as(include_str!("report.postgres.sql")).fetch_all(pool).await?
            }
        };
        Ok(tables)
    }
}
