//! Every statement of `src/storage` fits the schema of both engines. Preparing it checks syntax, names
//! and, on PostgreSQL, types, without running anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read where PostgreSQL is, and make schemas of their own there"
)]

#[path = "storage/engines.rs"]
mod engines;

use std::{fs, path::Path};

use signet::storage::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

const VERBS: [&str; 5] = ["select", "insert", "update", "delete", "with"];

#[test]
fn the_scan_finds_the_statements() {
    let statements = statements(Path::new("src/storage"));
    assert!(statements.len() >= 55, "found only {}: {statements:#?}", statements.len());
    for verb in &VERBS[..4] {
        assert!(statements.iter().any(|statement| statement.starts_with(verb)), "{verb}");
    }
}

#[test]
fn no_statement_selects_every_column() {
    for statement in statements(Path::new("src/storage")) {
        assert!(!statement.contains('*'), "{statement}");
    }
}

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    engines::on_sqlite(async |url| {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        for statement in statements_for("sqlite") {
            let sql = AssertSqlSafe(statement.clone()).into_sql_str();
            let prepared = (&mut database).prepare(sql).await;
            prepared.unwrap_or_else(|why| panic!("{why}\n{statement}"));
        }
    })
    .await;
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    engines::on_postgres(|url| async move {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = PgConnection::connect(&url).await.unwrap();
        for statement in statements_for("postgres") {
            let sql = AssertSqlSafe(statement.clone()).into_sql_str();
            let prepared = (&mut database).prepare(sql).await;
            prepared.unwrap_or_else(|why| panic!("{why}\n{statement}"));
        }
    })
    .await;
}

/// Clients, APIs, roles and keys are few, and every node keeps all of them in memory.
#[tokio::test]
async fn no_statement_reads_the_whole_of_a_large_table() {
    engines::on_sqlite(async |url| {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        let counts = |statement: &String| statement.contains("count(");
        for statement in statements_for("sqlite").into_iter().filter(|sql| !counts(sql)) {
            let explain = AssertSqlSafe(format!("explain query plan {statement}"));
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(explain).fetch_all(&mut database).await.unwrap();
            for (.., step) in plan {
                let small = [
                    "CONSTANT ROW",
                    "clients",
                    "resources",
                    "roles",
                    "role_inclusions",
                    "reached",
                    "signing_keys",
                    "asked",
                    "json_each",
                ];
                let scan = step.strip_prefix("SCAN ").unwrap_or("clients");
                assert!(small.iter().any(|table| scan.starts_with(table)), "{step}\n{statement}");
            }
        }
    })
    .await;
}

/// What both engines are asked, and what this one is asked in its own words.
fn statements_for(engine: &str) -> Vec<String> {
    let folder = Path::new("src/storage");
    let own = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let own = own.filter(|path| path.to_string_lossy().ends_with(&format!(".{engine}.sql")));
    let own = own.map(|path| fs::read_to_string(path).unwrap());
    statements(folder).into_iter().chain(own).collect()
}

/// The string literals below `path` that begin like SQL. sqlx takes no other kind of statement.
fn statements(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let mut inside: Vec<_> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        inside.sort();
        return inside.iter().flat_map(|path| statements(path)).collect();
    }
    let code = fs::read_to_string(path).unwrap();
    let code: Vec<&str> =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let begins_like_sql =
        |text: &&str| text.split_whitespace().next().is_some_and(|word| VERBS.contains(&word));
    let code = code.join("\n");
    code.split('"').skip(1).step_by(2).filter(begins_like_sql).map(str::to_owned).collect()
}
