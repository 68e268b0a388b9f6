//! The migrations of both engines end in the same schema.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read where PostgreSQL is, and make schemas of their own there"
)]

#[path = "storage/engines.rs"]
mod engines;

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, Mutex},
};

use signet::storage::Store;
use sqlx::{Connection, PgConnection, SqliteConnection};

/// A line for each column, key and index of a SQLite database.
const ON_SQLITE: &str = "
    with
        tables as (
            select name from sqlite_schema
            where type = 'table' and name not like 'sqlite#_%' escape '#'
                and name not like '#_sqlx#_%' escape '#'
        )
    select 'column ' || t.name || '.' || c.name || ' ' || lower(c.type)
        || case when c.\"notnull\" then ' not null' else '' end
        || case when c.hidden > 0 then ' generated' else '' end
    from tables t, pragma_table_xinfo(t.name) c
    union all
    select 'primary key of ' || t.name || ' (' || (
        select group_concat(name, ', ') from (
            select c.name from pragma_table_xinfo(t.name) c where c.pk > 0 order by c.pk
        )
    ) || ')'
    from tables t
    union all
    select case i.origin when 'u' then 'unique in ' else 'index ' || i.name || ' on ' end
        || t.name || ' (' || (
            select group_concat(name, ', ') from (
                select c.name from pragma_index_info(i.name) c order by c.seqno
            )
        ) || ')' || case when i.partial then ' partial' else '' end
    from tables t, pragma_index_list(t.name) i
    where i.origin <> 'pk'
    union all
    select 'foreign key ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
        || ' on delete ' || lower(f.on_delete)
    from tables t, pragma_foreign_key_list(t.name) f";

/// The same lines for a PostgreSQL schema, types by their names on SQLite.
const ON_POSTGRES: &str = "
    with
        tables as (
            select oid, relname::text as name from pg_class
            where relnamespace = current_schema()::regnamespace and relkind = 'r'
                and relname not like '\\_sqlx\\_%'
        )
    select 'column ' || t.name || '.' || c.attname || ' '
        || case format_type(c.atttypid, c.atttypmod)
            when 'bigint' then 'integer'
            when 'boolean' then 'integer'
            when 'bytea' then 'blob'
            else format_type(c.atttypid, c.atttypmod)
        end
        || case when c.attnotnull then ' not null' else '' end
        || case when c.attgenerated <> '' then ' generated' else '' end
    from tables t join pg_attribute c on c.attrelid = t.oid
    where c.attnum > 0 and not c.attisdropped
    union all
    select case
            when i.indisprimary then 'primary key of '
            when i.indisunique then 'unique in '
            else 'index ' || i.indexrelid::regclass || ' on '
        end
        || t.name || ' (' || (
            select string_agg(c.attname, ', ' order by k.place)
            from unnest(i.indkey::int2[]) with ordinality k (number, place)
            join pg_attribute c on c.attrelid = t.oid and c.attnum = k.number
        ) || ')' || case when i.indpred is not null then ' partial' else '' end
    from tables t join pg_index i on i.indrelid = t.oid
    union all
    select 'foreign key ' || t.name || '.' || own.attname || ' to ' || other.relname || '.'
        || target.attname || ' on delete '
        || case f.confdeltype when 'c' then 'cascade' when 'n' then 'set null' else 'no action' end
    from tables t
    join pg_constraint f on f.conrelid = t.oid and f.contype = 'f'
    join pg_class other on other.oid = f.confrelid
    join pg_attribute own on own.attrelid = t.oid and own.attnum = f.conkey[1]
    join pg_attribute target on target.attrelid = f.confrelid and target.attnum = f.confkey[1]";

#[test]
fn both_engines_have_migrations_of_the_same_names() {
    let names = |engine: &str| {
        let files = fs::read_dir(format!("migrations/{engine}")).unwrap();
        files.map(|file| file.unwrap().file_name()).collect::<BTreeSet<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[tokio::test]
async fn every_table_is_strict_on_sqlite() {
    engines::on_sqlite(async |url| {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        let lax: Vec<String> = sqlx::query_scalar(
            "select name from pragma_table_list
             where schema = 'main' and type = 'table' and not strict
                 and name not like 'sqlite#_%' escape '#' and name <> '_sqlx_migrations'",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        assert!(lax.is_empty(), "{lax:?}");
    })
    .await;
}

#[tokio::test]
async fn both_engines_end_in_the_same_schema() {
    let found = Arc::new(Mutex::new(Vec::<BTreeSet<String>>::new()));
    engines::on_sqlite(async |url| {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        let lines: Vec<String> =
            sqlx::query_scalar(ON_SQLITE).fetch_all(&mut database).await.unwrap();
        found.lock().unwrap().push(lines.into_iter().collect());
    })
    .await;
    let also = Arc::clone(&found);
    engines::on_postgres(|url| async move {
        Store::open(&url).await.unwrap().migrate().await.unwrap();
        let mut database = PgConnection::connect(&url).await.unwrap();
        let lines: Vec<String> =
            sqlx::query_scalar(ON_POSTGRES).fetch_all(&mut database).await.unwrap();
        also.lock().unwrap().push(lines.into_iter().collect());
    })
    .await;

    let found = found.lock().unwrap();
    let sqlite = &found[0];
    assert!(sqlite.len() > 130, "found too little: {sqlite:#?}");
    for postgres in &found[1..] {
        let only_sqlite: Vec<_> = sqlite.difference(postgres).collect();
        let only_postgres: Vec<_> = postgres.difference(sqlite).collect();
        assert!(
            only_sqlite.is_empty() && only_postgres.is_empty(),
            "only on SQLite: {only_sqlite:#?}\nonly on PostgreSQL: {only_postgres:#?}"
        );
    }
}
