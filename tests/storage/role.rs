//! Roles, what they allow and what they include.

use std::collections::BTreeSet;

use signet::{
    model::{Change, RoleRecord},
    storage::{RoleChange, Store},
    values::RoleId,
};

use crate::{
    assert_same,
    nouns::{NOW, id, resource, role},
};

on_both_engines! {
    a_role_is_found_as_it_was_made
    an_api_calls_one_role_by_a_name
    a_role_is_of_an_api_and_includes_what_there_is
    an_update_changes_all_but_the_name
    no_role_comes_to_include_itself
    of_two_roles_that_would_include_each_other_at_once_one_does
    a_deleted_role_is_included_by_none
    roles_go_with_their_api
    every_change_of_roles_is_counted_and_noted
}

async fn with_apis(store: &Store) {
    for name in ["https://api.example/", "https://mail.example/"] {
        store.create_resource(&resource(name)).await.unwrap();
    }
}

fn including(number: u128, name: &str, includes: &[u128]) -> RoleRecord {
    RoleRecord {
        includes: includes.iter().map(|number| id(*number)).collect(),
        ..role(number, name)
    }
}

async fn roles(store: &Store) -> Vec<RoleRecord> {
    store.roles().await.unwrap().1
}

async fn includes(store: &Store, role: u128) -> BTreeSet<RoleId> {
    let role: RoleId = id(role);
    roles(store).await.into_iter().find(|found| found.id == role).unwrap().includes
}

async fn a_role_is_found_as_it_was_made(store: Store) {
    with_apis(&store).await;
    let mut sender = including(1, "sender", &[]);
    sender.resource = "https://mail.example/".parse().unwrap();
    let editor = including(2, "editor", &[1, 3]);
    let viewer = including(3, "viewer", &[]);
    for role in [&sender, &viewer, &editor] {
        assert_eq!(store.create_role(role).await.unwrap(), RoleChange::Made);
    }
    assert_same(&roles(&store).await, &[editor, viewer, sender]);
}

async fn an_api_calls_one_role_by_a_name(store: Store) {
    with_apis(&store).await;
    assert_eq!(store.create_role(&role(1, "viewer")).await.unwrap(), RoleChange::Made);
    assert_eq!(store.create_role(&role(2, "viewer")).await.unwrap(), RoleChange::Taken);
    let mut other = role(3, "viewer");
    other.resource = "https://mail.example/".parse().unwrap();
    assert_eq!(store.create_role(&other).await.unwrap(), RoleChange::Made);
}

async fn a_role_is_of_an_api_and_includes_what_there_is(store: Store) {
    assert_eq!(store.create_role(&role(1, "viewer")).await.unwrap(), RoleChange::Gone);
    with_apis(&store).await;
    assert_eq!(store.create_role(&including(1, "viewer", &[2])).await.unwrap(), RoleChange::Gone);
    assert!(roles(&store).await.is_empty());
    assert_eq!(store.update_role(&role(1, "viewer")).await.unwrap(), RoleChange::Gone);
}

async fn an_update_changes_all_but_the_name(store: Store) {
    with_apis(&store).await;
    for role in [role(1, "viewer"), role(2, "lister"), including(3, "editor", &[1])] {
        store.create_role(&role).await.unwrap();
    }
    let mut editor = including(3, "other", &[2]);
    editor.description.push_str(", anew");
    editor.permissions = ["orders:delete".parse().unwrap()].into();
    editor.created_at = NOW.plus(1);
    editor.updated_at = NOW.plus(2);
    assert_eq!(store.update_role(&editor).await.unwrap(), RoleChange::Made);
    editor.name = "editor".parse().unwrap();
    editor.created_at = NOW;
    assert_same(&roles(&store).await.into_iter().find(|role| role.id == id(3)), &Some(editor));
}

async fn no_role_comes_to_include_itself(store: Store) {
    with_apis(&store).await;
    assert_eq!(store.create_role(&including(1, "a", &[1])).await.unwrap(), RoleChange::Circular);
    for role in [role(1, "a"), including(2, "b", &[1]), including(3, "c", &[2])] {
        assert_eq!(store.create_role(&role).await.unwrap(), RoleChange::Made);
    }
    for included in [1, 2, 3] {
        let circle = including(1, "a", &[included]);
        assert_eq!(store.update_role(&circle).await.unwrap(), RoleChange::Circular, "{included}");
    }
    assert!(includes(&store, 1).await.is_empty());
    // Two ways to the same role are no circle.
    let both = including(3, "c", &[1, 2]);
    assert_eq!(store.update_role(&both).await.unwrap(), RoleChange::Made);
}

async fn of_two_roles_that_would_include_each_other_at_once_one_does(store: Store) {
    with_apis(&store).await;
    for (number, name) in [(1, "a"), (2, "b")] {
        store.create_role(&role(number, name)).await.unwrap();
    }
    for _ in 0..8 {
        let (one, other) = (including(1, "a", &[2]), including(2, "b", &[1]));
        let (one, other) = tokio::join!(store.update_role(&one), store.update_role(&other));
        let outcomes = [one.unwrap(), other.unwrap()];
        assert!(outcomes.contains(&RoleChange::Made), "{outcomes:?}");
        assert!(outcomes.contains(&RoleChange::Circular), "{outcomes:?}");
        for (number, name) in [(1, "a"), (2, "b")] {
            store.update_role(&role(number, name)).await.unwrap();
        }
    }
}

async fn a_deleted_role_is_included_by_none(store: Store) {
    with_apis(&store).await;
    for role in [role(1, "viewer"), including(2, "editor", &[1])] {
        store.create_role(&role).await.unwrap();
    }
    assert!(store.delete_role(id(1), NOW).await.unwrap());
    assert!(!store.delete_role(id(1), NOW).await.unwrap());
    assert!(includes(&store, 2).await.is_empty());
}

async fn roles_go_with_their_api(store: Store) {
    with_apis(&store).await;
    let mut sender = role(1, "sender");
    sender.resource = "https://mail.example/".parse().unwrap();
    store.create_role(&sender).await.unwrap();
    store.create_role(&including(2, "editor", &[1])).await.unwrap();
    let (before, _) = store.roles().await.unwrap();
    store.delete_resource(&"https://mail.example".parse().unwrap(), NOW).await.unwrap();
    let (after, left) = store.roles().await.unwrap();
    assert!(after > before && left.len() == 1 && left[0].includes.is_empty(), "{left:?}");
}

async fn every_change_of_roles_is_counted_and_noted(store: Store) {
    store.create_resource(&resource("https://api.example/")).await.unwrap();
    let mut last = store.roles().await.unwrap().0;
    let mut viewer = role(1, "viewer");
    store.create_role(&viewer).await.unwrap();
    let grown = store.roles().await.unwrap().0;
    assert!(grown > last);
    last = grown;
    viewer.updated_at = NOW.plus(1);
    store.update_role(&viewer).await.unwrap();
    store.delete_role(id(1), NOW.plus(2)).await.unwrap();
    assert!(store.roles().await.unwrap().0 > last + 1);
    let noted = store.changes_after(0).await.unwrap();
    let noted: Vec<Change> = noted.into_iter().map(|(_, change)| change).collect();
    assert_eq!(noted, [const { Change::Resources }; 4]);
}
