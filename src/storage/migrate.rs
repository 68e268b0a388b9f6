//! Bringing a database to the schema that this version needs. `migrations/README.md` tells how the
//! schema changes.

use sqlx::Connection;

use super::{Engine, Result, Store, error::StorageError};

impl Store {
    /// Applies the migrations that are missing. Whoever comes while another node does so waits.
    pub async fn migrate(&self) -> Result<()> {
        // `run_direct`, not `run`: the compiler cannot see that the future of the latter is `Send`.
        match &self.engine {
            Engine::Sqlite { writer, barrier, .. } => {
                // One transaction around all of them, for sqlx takes no lock on SQLite by itself.
                let mut tx = loop {
                    match writer.begin_with("begin immediate").await.map_err(StorageError::from) {
                        Err(why) if why.is_busy() => {}
                        tx => break tx?,
                    }
                };
                let mut migrations = sqlx::migrate!("migrations/sqlite");
                migrations.set_ignore_missing(true).run_direct(None, &mut *tx, false).await?;
                tx.commit().await?;
                barrier.pass().await?;
            }
            Engine::Postgres { pool, .. } => {
                // A connection of its own: if a migration fails, the lock that sqlx took ends with it.
                let mut connection = pool.acquire().await?.detach();
                let mut migrations = sqlx::migrate!("migrations/postgres");
                migrations
                    .set_ignore_missing(true)
                    .run_direct(None, &mut connection, false)
                    .await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}
