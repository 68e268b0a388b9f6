//! Groups of people.

use signet::{
    model::Revoked,
    storage::{Creation, GroupMember, Store},
    values::GroupName,
};

use crate::{
    assert_same,
    nouns::{NOW, group, id, revocation, user},
};

on_both_engines! {
    a_group_is_found_as_it_was_made
    a_name_is_given_to_one_group
    groups_are_listed_by_name_page_by_page
    somebody_joins_once_and_leaves_once
    whoever_is_deleted_is_in_no_group
    a_deleted_group_leaves_its_members
}

fn name(text: &str) -> GroupName {
    text.parse().unwrap()
}

async fn with_people(store: &Store) {
    for (number, name) in [(1, "alice"), (2, "bob")] {
        store.create_user(&user(number, name)).await.unwrap();
    }
    for (number, name) in [(5, "staff"), (6, "admins")] {
        store.create_group(&group(number, name)).await.unwrap();
    }
}

async fn a_group_is_found_as_it_was_made(store: Store) {
    with_people(&store).await;
    let staff = Some(group(5, "staff"));
    assert_same(&store.group(&name("staff")).await.unwrap(), &staff);
    assert_same(&store.group_by_id(id(5)).await.unwrap(), &staff);
    assert!(store.group(&name("nobody")).await.unwrap().is_none());
    assert!(store.group_by_id(id(9)).await.unwrap().is_none());
}

async fn a_name_is_given_to_one_group(store: Store) {
    with_people(&store).await;
    assert_eq!(store.create_group(&group(7, "staff")).await.unwrap(), Creation::Taken);
    assert_eq!(store.create_group(&group(7, "Staff")).await.unwrap(), Creation::Created);
}

async fn groups_are_listed_by_name_page_by_page(store: Store) {
    with_people(&store).await;
    let names = async |after: Option<&GroupName>, limit| {
        let groups = store.groups(after, limit).await.unwrap();
        groups.into_iter().map(|group| group.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 9).await, ["admins", "staff"]);
    assert_eq!(names(None, 1).await, ["admins"]);
    assert_eq!(names(Some(&name("admins")), 9).await, ["staff"]);
}

async fn somebody_joins_once_and_leaves_once(store: Store) {
    with_people(&store).await;
    for number in [2, 1] {
        assert!(store.add_member(id(5), id(number)).await.unwrap());
        assert!(!store.add_member(id(5), id(number)).await.unwrap());
    }
    store.add_member(id(6), id(1)).await.unwrap();
    let member =
        |number, name: &str| GroupMember { user: id(number), username: name.parse().unwrap() };
    let both = [member(1, "alice"), member(2, "bob")];
    assert_eq!(store.members(id(5)).await.unwrap(), both);
    let groups = store.groups_of_user(id(1)).await.unwrap();
    assert_same(&groups, &[group(6, "admins"), group(5, "staff")]);

    assert!(store.remove_member(id(5), id(1)).await.unwrap());
    assert!(!store.remove_member(id(5), id(1)).await.unwrap());
    assert_eq!(store.members(id(5)).await.unwrap(), both[1..]);
    assert!(!store.add_member(id(9), id(1)).await.unwrap());
    assert!(!store.add_member(id(5), id(9)).await.unwrap());
}

async fn whoever_is_deleted_is_in_no_group(store: Store) {
    with_people(&store).await;
    store.add_member(id(5), id(1)).await.unwrap();
    store.delete_user(id(1), &revocation(1, Revoked::User(id(1)), NOW)).await.unwrap();
    assert!(store.members(id(5)).await.unwrap().is_empty());
}

async fn a_deleted_group_leaves_its_members(store: Store) {
    with_people(&store).await;
    store.add_member(id(5), id(1)).await.unwrap();
    assert!(store.delete_group(id(5)).await.unwrap());
    assert!(!store.delete_group(id(5)).await.unwrap());
    assert!(store.groups_of_user(id(1)).await.unwrap().is_empty());
    assert!(store.user(id(1)).await.unwrap().is_some());
}
