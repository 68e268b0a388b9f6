//! Places in the published status lists.

use std::collections::BTreeSet;

use signet::{
    model::{Revoked, RevokedPlaces, TOKEN_RETENTION},
    storage::{Attempt, Rotation, Store},
    values::StatusPlace,
};

use crate::{
    nouns::{
        DAY, NOW, attempt, client, client_id, family, id, place, revocation, with_family,
        with_shop_and_alice,
    },
    race,
};

on_both_engines! {
    a_block_of_places_is_given_to_one_alone
    a_client_is_given_a_block_when_it_is_registered
    what_is_revoked_loses_its_places_and_is_given_others
    only_what_a_revocation_reaches_loses_its_places
    what_is_deleted_is_revoked
    a_grant_whose_tokens_have_all_expired_keeps_its_place
    a_single_token_is_revoked_where_it_is_found
    a_client_is_revoked_whole_after_the_first_of_its_places_was_revoked_alone
    nobody_moves_a_family_on_at_a_place_that_was_revoked_meanwhile
    places_are_found_by_the_notes_that_tell_of_them_until_they_matter_no_more
}

async fn revoked(store: &Store) -> Vec<(StatusPlace, i64)> {
    let mut places = store.revoked_places(NOW).await.unwrap();
    places.sort_by_key(|places| places.first);
    places.into_iter().map(|RevokedPlaces { first, count, .. }| (first, count)).collect()
}

async fn place_of(store: &Store, number: u128) -> Option<StatusPlace> {
    store.family(id(number)).await.unwrap().unwrap().status_place
}

async fn a_block_of_places_is_given_to_one_alone(store: Store) {
    let mut firsts = BTreeSet::new();
    for _ in 0..5 {
        assert!(firsts.insert(store.take_status_places().await.unwrap()));
    }
    assert!(firsts.iter().all(|first| first.number() % StatusPlace::BLOCK == 0));
    assert_eq!(store.status_places().await.unwrap(), 5 * StatusPlace::BLOCK);

    let all_took_one = race(|_| {
        let store = store.clone();
        async move { store.take_status_places().await.is_ok() }
    });
    assert_eq!(all_took_one.await, 64);
    assert_eq!(store.status_places().await.unwrap(), (5 + 64) * StatusPlace::BLOCK);
}

async fn a_client_is_given_a_block_when_it_is_registered(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_client(&client("other")).await.unwrap();
    let first = |id: &'static str| {
        let store = store.clone();
        async move { store.client(&client_id(id)).await.unwrap().unwrap().first_status_place }
    };
    let (shop, other) = (first("shop").await, first("other").await);
    assert!(shop.is_some() && other.is_some() && shop != other);
    store.place_clients(NOW).await.unwrap();
    assert_eq!(first("shop").await, shop);
}

async fn what_is_revoked_loses_its_places_and_is_given_others(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    let before = store.client(&client_id("shop")).await.unwrap().unwrap().first_status_place;

    let what = revocation(1, Revoked::Client(client_id("shop")), NOW);
    store.disable_client(&client_id("shop"), &what).await.unwrap();
    let block = (before.unwrap(), StatusPlace::BLOCK);
    assert_eq!(revoked(&store).await, [block, (place(7).unwrap(), 1)]);
    let after = store.client(&client_id("shop")).await.unwrap().unwrap().first_status_place;
    assert!(after.is_some() && after != before);
    assert_eq!(place_of(&store, 7).await, None);

    let next = StatusPlace::at(3, 9);
    let attempt = attempt(id(7), 0, NOW, NOW.plus(DAY));
    let attempt = Attempt { place_before: None, place: next, ..attempt };
    assert_eq!(store.rotate_family(attempt).await.unwrap(), Rotation::Rotated);
    assert_eq!(place_of(&store, 7).await, next);
}

async fn only_what_a_revocation_reaches_loses_its_places(store: Store) {
    with_shop_and_alice(&store).await;
    for number in 1..=2 {
        with_family(&store, &family(number)).await;
    }
    store.revoke(&revocation(1, Revoked::Issued(id(1)), NOW), None).await.unwrap();
    assert_eq!(revoked(&store).await, [(place(1).unwrap(), 1)]);
    assert_eq!((place_of(&store, 1).await, place_of(&store, 2).await), (None, place(2)));
    store.revoke_family(id(2), &revocation(2, Revoked::Family(id(2)), NOW)).await.unwrap();
    assert_eq!(revoked(&store).await.len(), 2);

    with_family(&store, &family(3)).await;
    let session = family(3).authorization.authentication.session;
    store.end_session(session, &revocation(3, Revoked::Session(session), NOW)).await.unwrap();
    assert_eq!(revoked(&store).await.len(), 3);
}

async fn what_is_deleted_is_revoked(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(1)).await;
    store.delete_user(id(1), &revocation(1, Revoked::User(id(1)), NOW)).await.unwrap();
    assert_eq!(revoked(&store).await, [(place(1).unwrap(), 1)]);

    let what = revocation(2, Revoked::Client(client_id("shop")), NOW);
    assert!(store.delete_client(&client_id("shop"), &what).await.unwrap());
    assert_eq!(revoked(&store).await.len(), 2);
    assert!(!store.delete_client(&client_id("shop"), &what).await.unwrap());
}

async fn a_grant_whose_tokens_have_all_expired_keeps_its_place(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(1)).await;
    let late = NOW.plus(TOKEN_RETENTION);
    store.revoke(&revocation(1, Revoked::Issued(id(1)), late), None).await.unwrap();
    assert_eq!((revoked(&store).await.len(), place_of(&store, 1).await), (0, place(1)));
}

async fn a_single_token_is_revoked_where_it_is_found(store: Store) {
    let what = |number, jti: &str| revocation(number, Revoked::Token(jti.to_owned()), NOW);
    store.revoke(&what(1, "a"), place(1)).await.unwrap();
    store.revoke(&what(2, "b"), place(1)).await.unwrap();
    store.revoke(&what(3, "c"), None).await.unwrap();
    assert_eq!(revoked(&store).await, [(place(1).unwrap(), 1)]);
}

/// Or whoever revokes a token of its own at that place could never be refused offline again.
async fn a_client_is_revoked_whole_after_the_first_of_its_places_was_revoked_alone(store: Store) {
    with_shop_and_alice(&store).await;
    let first = store.client(&client_id("shop")).await.unwrap().unwrap().first_status_place;
    let alone = revocation(1, Revoked::Token("a".to_owned()), NOW);
    store.revoke(&alone, first).await.unwrap();
    assert_eq!(revoked(&store).await, [(first.unwrap(), 1)]);

    let what = revocation(2, Revoked::Client(client_id("shop")), NOW);
    store.disable_client(&client_id("shop"), &what).await.unwrap();
    assert_eq!(revoked(&store).await, [(first.unwrap(), StatusPlace::BLOCK)]);
    let again = revocation(3, Revoked::Token("b".to_owned()), NOW);
    store.revoke(&again, first).await.unwrap();
    assert_eq!(revoked(&store).await, [(first.unwrap(), StatusPlace::BLOCK)]);
}

async fn nobody_moves_a_family_on_at_a_place_that_was_revoked_meanwhile(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    let attempt = attempt(id(7), 0, NOW, NOW.plus(DAY));
    store.revoke(&revocation(1, Revoked::Issued(id(7)), NOW), None).await.unwrap();
    assert_eq!(store.rotate_family(attempt).await.unwrap(), Rotation::Lost);
}

async fn places_are_found_by_the_notes_that_tell_of_them_until_they_matter_no_more(store: Store) {
    let what = revocation(1, Revoked::Token("a".to_owned()), NOW);
    store.revoke(&what, place(1)).await.unwrap();
    assert_eq!(store.revoked_places_after(0).await.unwrap().len(), 1);
    let (note, _) = store.changes_after(0).await.unwrap().pop().unwrap();
    assert!(store.revoked_places_after(note).await.unwrap().is_empty());

    assert!(store.revoked_places(what.until).await.unwrap().is_empty());
    store.expire(what.until.plus(1), 10, 10).await.unwrap();
    assert!(store.revoked_places(NOW).await.unwrap().is_empty());
}
