//! A version and the one after it on one database, as `migrations/README.md` promises: what the next
//! one adds to the schema does not trouble this one.

use sqlx::{Connection, PgConnection, SqliteConnection};
use tokio::task::block_in_place;

use crate::{
    client::{Client, browser, text},
    program::{Node, Program, free_address},
};

on_both_engines! {
    a_version_serves_beside_the_next_and_starts_on_its_schema
}

/// What the next version might bring: a table, columns of every permitted kind, an index.
const NEXT: &str = "
    create table things_to_come (id integer primary key);
    alter table clients add column later text;
    alter table clients add column more integer not null default 1;
    alter table refresh_families add column later text;
    alter table sessions add column later text;
    alter table signing_keys add column later text;
    alter table users add column later text;
    create index clients_by_later on clients (later);
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
    values (9999, 'things to come', true, ";

async fn a_version_serves_beside_the_next_and_starts_on_its_schema(program: Program) {
    let client = Client::of(&program);
    let session = browser();
    let code = client.sign_in(&session).await.unwrap();
    let (_, tokens) = client.redeem(&code).await.unwrap();
    let token = text(&tokens, "refresh_token");
    let token = is_served(&client, &session, &token).await;

    migrate(&program).await;
    let token = is_served(&client, &session, &token).await;
    let new = ["client", "create", "--client-id", "late", "--grant", "client_credentials"];
    let new = program.run(&new, "");
    let late = client.as_machine("late", text(&new, "client_secret"));
    assert_eq!(late.machine_token().await.unwrap().0, 200);

    let schema = program.schema.as_ref();
    let beside = Node::start(&program.directory, schema, free_address(), &program.issuer, &[]);
    let there = client.at(beside.address);
    let other_session = browser();
    there.sign_in(&other_session).await.unwrap();
    let token = is_served(&there, &other_session, &token).await;
    let program = block_in_place(|| program.restarted());
    is_served(&Client::of(&program), &session, &token).await;
}

/// Everything a client and a person do: the next refresh token.
async fn is_served(client: &Client, session: &reqwest::Client, token: &str) -> String {
    assert_eq!(client.machine_token().await.unwrap().0, 200);
    assert!(client.sign_in(&browser()).await.is_some());
    let code = client.silent_code(session).await.unwrap();
    let (status, answer) = client.redeem(&code).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = client.refresh(token).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    text(&answer, "refresh_token")
}

async fn migrate(program: &Program) {
    if let Some(schema) = &program.schema {
        let mut connection = PgConnection::connect(&schema.url()).await.unwrap();
        let next = sqlx::AssertSqlSafe(format!("{NEXT} '\\x00', 0)"));
        sqlx::raw_sql(next).execute(&mut connection).await.unwrap();
    } else {
        let file = program.directory.path().join("signet.db");
        let url = format!("sqlite:{}", file.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let next = sqlx::AssertSqlSafe(format!("{NEXT} x'00', 0)"));
        sqlx::raw_sql(next).execute(&mut connection).await.unwrap();
    }
}
