//! Who was given which role.

use std::collections::BTreeSet;

use signet::{
    model::{Change, Holder, Revoked},
    storage::Store,
    values::{RoleId, UserId},
};

use crate::nouns::{
    NOW, client_id, group, id, resource, revocation, role, user, with_shop_and_alice,
};

on_both_engines! {
    a_role_is_given_once_and_taken_once
    a_person_has_what_their_groups_have
    people_who_ask_at_once_have_each_their_own
    whom_a_role_was_given_to_is_known
    nothing_is_given_to_or_of_what_is_gone
    what_was_given_goes_with_the_role_and_with_whoever_has_it
    nodes_are_told_what_a_client_has
    a_client_whose_tokens_end_is_read_again
}

const ALICE: u128 = 1;
const STAFF: u128 = 5;

async fn with_roles(store: &Store) {
    with_shop_and_alice(store).await;
    store.create_resource(&resource("https://api.example/")).await.unwrap();
    for (number, name) in [(1, "viewer"), (2, "editor")] {
        store.create_role(&role(number, name)).await.unwrap();
    }
    store.create_group(&group(STAFF, "staff")).await.unwrap();
}

fn holders() -> [Holder; 3] {
    [Holder::Person(id(ALICE)), Holder::Client(client_id("shop")), Holder::Group(id(STAFF))]
}

fn ids(numbers: &[u128]) -> BTreeSet<RoleId> {
    numbers.iter().map(|number| id(*number)).collect()
}

async fn a_role_is_given_once_and_taken_once(store: Store) {
    with_roles(&store).await;
    for holder in holders() {
        assert!(store.grant_role(id(1), &holder, NOW).await.unwrap());
        assert!(!store.grant_role(id(1), &holder, NOW).await.unwrap());
        assert_eq!(store.granted_roles(&holder).await.unwrap(), ids(&[1]));
        assert!(!store.revoke_role(id(2), &holder, NOW).await.unwrap());
        assert!(store.revoke_role(id(1), &holder, NOW).await.unwrap());
        assert!(!store.revoke_role(id(1), &holder, NOW).await.unwrap());
        assert!(store.granted_roles(&holder).await.unwrap().is_empty());
    }
}

async fn a_person_has_what_their_groups_have(store: Store) {
    with_roles(&store).await;
    let alice: UserId = id(ALICE);
    let revision = store.roles().await.unwrap().0;
    let granted = store.granted_to_user(alice).await.unwrap();
    assert_eq!((granted.roles, granted.revision), (ids(&[]), revision));

    store.grant_role(id(1), &Holder::Person(alice), NOW).await.unwrap();
    for role in [1, 2] {
        store.grant_role(id(role), &Holder::Group(id(STAFF)), NOW).await.unwrap();
    }
    assert_eq!(store.granted_to_user(alice).await.unwrap().roles, ids(&[1]));
    store.add_member(id(STAFF), alice).await.unwrap();
    assert_eq!(store.granted_to_user(alice).await.unwrap().roles, ids(&[1, 2]));
    assert_eq!(store.granted_to_user(id(99)).await.unwrap().roles, ids(&[]));
    store.delete_role(id(2), NOW).await.unwrap();
    let granted = store.granted_to_user(alice).await.unwrap();
    assert_eq!((granted.roles, granted.revision), (ids(&[1]), revision + 1));
}

async fn people_who_ask_at_once_have_each_their_own(store: Store) {
    with_roles(&store).await;
    for number in 2..=20 {
        store.create_user(&user(number, &format!("user{number}"))).await.unwrap();
        if number % 2 == 0 {
            store.grant_role(id(1), &Holder::Person(id(number)), NOW).await.unwrap();
        }
        if number % 3 == 0 {
            store.add_member(id(STAFF), id(number)).await.unwrap();
        }
    }
    store.grant_role(id(2), &Holder::Group(id(STAFF)), NOW).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 2..=20 {
        let store = store.clone();
        tasks
            .spawn(async move { (number, store.granted_to_user(id(number)).await.unwrap().roles) });
    }
    for (number, roles) in tasks.join_all().await {
        let own = [(number % 2 == 0, 1), (number % 3 == 0, 2)];
        let own: Vec<u128> =
            own.into_iter().filter(|(has, _)| *has).map(|(_, role)| role).collect();
        assert_eq!(roles, ids(&own), "{number}");
    }
}

async fn whom_a_role_was_given_to_is_known(store: Store) {
    with_roles(&store).await;
    for holder in holders() {
        store.grant_role(id(1), &holder, NOW).await.unwrap();
    }
    assert_eq!(store.holders_of_role(id(1)).await.unwrap(), holders());
    assert!(store.holders_of_role(id(2)).await.unwrap().is_empty());
}

async fn nothing_is_given_to_or_of_what_is_gone(store: Store) {
    with_roles(&store).await;
    for holder in [Holder::Person(id(9)), Holder::Client(client_id("nobody")), Holder::Group(id(9))]
    {
        assert!(!store.grant_role(id(1), &holder, NOW).await.unwrap());
    }
    for holder in holders() {
        assert!(!store.grant_role(id(9), &holder, NOW).await.unwrap());
    }
}

async fn what_was_given_goes_with_the_role_and_with_whoever_has_it(store: Store) {
    with_roles(&store).await;
    for holder in holders() {
        store.grant_role(id(1), &holder, NOW).await.unwrap();
        store.grant_role(id(2), &holder, NOW).await.unwrap();
    }
    store.add_member(id(STAFF), id(ALICE)).await.unwrap();
    store.delete_role(id(1), NOW).await.unwrap();
    for holder in holders() {
        assert_eq!(store.granted_roles(&holder).await.unwrap(), ids(&[2]));
    }

    store.delete_group(id(STAFF)).await.unwrap();
    store
        .delete_client(&client_id("shop"), &revocation(1, Revoked::Client(client_id("shop")), NOW))
        .await
        .unwrap();
    assert_eq!(store.holders_of_role(id(2)).await.unwrap(), holders()[..1]);
    store.delete_user(id(ALICE), &revocation(2, Revoked::User(id(ALICE)), NOW)).await.unwrap();
    assert!(store.holders_of_role(id(2)).await.unwrap().is_empty());
}

async fn nodes_are_told_what_a_client_has(store: Store) {
    with_roles(&store).await;
    let noted = store.changes_after(0).await.unwrap().last().unwrap().0;
    for holder in holders() {
        store.grant_role(id(1), &holder, NOW).await.unwrap();
        store.revoke_role(id(1), &holder, NOW).await.unwrap();
        store.revoke_role(id(1), &holder, NOW).await.unwrap();
    }
    let noted = store.changes_after(noted).await.unwrap();
    let noted: Vec<Change> = noted.into_iter().map(|(_, change)| change).collect();
    assert_eq!(noted, vec![Change::Client(client_id("shop")); 2]);
}

/// It has another block of places in the status lists from then on.
async fn a_client_whose_tokens_end_is_read_again(store: Store) {
    with_roles(&store).await;
    let before = store.client(&client_id("shop")).await.unwrap().unwrap().first_status_place;
    let noted = store.changes_after(0).await.unwrap().last().unwrap().0;
    let ended = revocation(1, Revoked::Client(client_id("shop")), NOW);
    store.revoke(&ended, None).await.unwrap();
    store.revoke(&ended, None).await.unwrap();
    let noted = store.changes_after(noted).await.unwrap();
    let noted: Vec<Change> = noted.into_iter().map(|(_, change)| change).collect();
    assert_eq!(noted, [Change::Revocation(ended.id), Change::Client(client_id("shop"))]);
    let after = store.client(&client_id("shop")).await.unwrap().unwrap().first_status_place;
    assert_ne!(after, before);
}
