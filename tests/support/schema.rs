//! A corner of the PostgreSQL server that `TEST_POSTGRES` names.

use std::{
    env, process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// An empty schema, gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// A new schema, where there is a server to make it on.
    pub(crate) fn make() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);

        let server = env::var("TEST_POSTGRES").ok()?;
        let name = format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, format!("create schema {name}"));
        Some(Self { server, name })
    }

    /// The address of the database, which holds nothing but this schema.
    pub(crate) fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.server, self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        execute(&self.server, format!("drop schema {} cascade", self.name));
    }
}

/// On a thread of its own, since the caller may be in the middle of a runtime.
fn execute(server: &str, statement: String) {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(server).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        });
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}
