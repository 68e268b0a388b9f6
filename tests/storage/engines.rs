//! A database of its own for every test: a file on SQLite, a schema on PostgreSQL.

use std::{
    env,
    io::{self, Write},
    panic, process,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Runs a test on the URL of an empty SQLite database.
pub(crate) async fn on_sqlite<T>(test: impl FnOnce(String) -> T)
where
    T: Future<Output = ()>,
{
    let folder = tempfile::tempdir().unwrap();
    test(format!("sqlite:{}", folder.path().join("signet.db").display())).await;
}

/// Runs a test on the URL of an empty PostgreSQL schema, where `TEST_POSTGRES` names a database.
pub(crate) async fn on_postgres<T>(test: impl FnOnce(String) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    static MADE: AtomicU32 = AtomicU32::new(0);
    let Ok(url) = env::var("TEST_POSTGRES") else { return tell_that_postgres_was_left_out() };
    let schema = format!("test_{}_{}", process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mark = if url.contains('?') { '&' } else { '?' };
    run(&url, format!("create schema {schema}")).await;

    let outcome = tokio::spawn(test(format!("{url}{mark}options=-csearch_path%3D{schema}"))).await;

    run(&url, format!("drop schema {schema} cascade")).await;
    if let Err(why) = outcome {
        panic::resume_unwind(why.into_panic());
    }
}

async fn run(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

/// Written past the test harness, which would keep it to itself.
fn tell_that_postgres_was_left_out() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        let note = b"note: TEST_POSTGRES is not set, PostgreSQL was not tested\n";
        io::stderr().write_all(note).unwrap();
    });
}
