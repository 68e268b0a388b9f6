//! Opening and migrating a database.

use signet::storage::Store;

use crate::{
    engines,
    nouns::{client, client_id},
    race,
};

on_both_engines! {
    a_database_that_is_open_is_reachable
    migrating_again_changes_nothing
}

async fn a_database_that_is_open_is_reachable(store: Store) {
    store.is_reachable().await.unwrap();
}

async fn migrating_again_changes_nothing(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    store.migrate().await.unwrap();
    assert!(store.client(&client_id("shop")).await.unwrap().is_some());
}

#[tokio::test]
async fn another_kind_of_database_is_refused_by_name() {
    let why = Store::open("mysql://root@localhost").await.unwrap_err();
    assert_eq!(why.to_string(), "database_url must begin with sqlite: or postgres://");
    assert!(!why.is_unreachable());
}

#[tokio::test]
async fn a_database_in_memory_is_refused() {
    for url in ["sqlite::memory:", "sqlite:signet?mode=memory"] {
        assert!(Store::open(url).await.is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unreachable() {
    let why = Store::open("postgres://nobody@127.0.0.1:1/none").await.unwrap_err();
    assert!(why.is_unreachable(), "{why:?}");
}

#[tokio::test]
async fn a_file_in_a_folder_that_does_not_exist_is_unreachable() {
    let why = Store::open("sqlite:/nonexistent/folder/signet.db").await.unwrap_err();
    assert!(why.is_unreachable(), "{why:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signet.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    store.migrate().await.unwrap();
    for file in ["signet.db", "signet.db-wal"] {
        let mode = folder.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_migrate_at_once_wait_for_each_other_on_sqlite() {
    engines::on_sqlite(nodes_that_migrate_at_once).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_migrate_at_once_wait_for_each_other_on_postgres() {
    engines::on_postgres(nodes_that_migrate_at_once).await;
}

async fn nodes_that_migrate_at_once(url: String) {
    let migrated = race(|node| {
        let url = url.clone();
        async move {
            // Eight nodes are enough, and each needs connections of its own.
            node > 8 || Store::open(&url).await.unwrap().migrate().await.is_ok()
        }
    });
    assert_eq!(migrated.await, 64);
}
