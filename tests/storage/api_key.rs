//! API keys.

use signet::{
    model::{ApiKeyRecord, KeyOwner, Revoked, SecretHash},
    storage::Store,
};

use crate::{
    assert_same,
    nouns::{NOW, api_key, client_id, hash, id, place, revocation, with_shop_and_alice},
    race,
};

on_both_engines! {
    a_key_is_remembered_as_it_was_made
    a_key_needs_an_owner_that_exists
    keys_are_listed_the_newest_last
    a_key_is_rotated_only_by_those_who_know_its_state
    of_many_who_rotate_a_key_at_once_one_succeeds
    a_key_and_its_tokens_end_together_and_once
    a_key_that_ended_is_not_rotated_or_used
    a_use_is_remembered_once_a_minute
    a_key_is_given_one_place_however_many_use_it_at_once
    what_revokes_its_owner_revokes_the_place_of_a_key
    a_key_goes_with_its_owner
    a_dead_key_is_forgotten_after_thirty_days
}

async fn kept(store: &Store, number: u128) -> ApiKeyRecord {
    store.api_key(id(number)).await.unwrap().unwrap()
}

fn of_shop(number: u128) -> ApiKeyRecord {
    ApiKeyRecord { owner: KeyOwner::Client(client_id("shop")), ..api_key(number) }
}

async fn a_key_is_remembered_as_it_was_made(store: Store) {
    with_shop_and_alice(&store).await;
    for key in [api_key(1), of_shop(2)] {
        assert!(store.create_api_key(&key).await.unwrap());
        assert_same(&store.api_key(key.id).await.unwrap().unwrap(), &key);
    }
    let unbound = ApiKeyRecord { addresses: Vec::new(), rate_limit: None, ..api_key(3) };
    store.create_api_key(&unbound).await.unwrap();
    assert_same(&kept(&store, 3).await, &unbound);
    assert!(store.api_key(id(4)).await.unwrap().is_none());
}

async fn a_key_needs_an_owner_that_exists(store: Store) {
    assert!(!store.create_api_key(&api_key(1)).await.unwrap());
    assert!(!store.create_api_key(&of_shop(2)).await.unwrap());
    assert!(store.api_keys(None, 9).await.unwrap().is_empty());
}

async fn keys_are_listed_the_newest_last(store: Store) {
    with_shop_and_alice(&store).await;
    for number in [2, 1, 3] {
        store.create_api_key(&api_key(number)).await.unwrap();
    }
    let keys = store.api_keys(None, 9).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id).collect::<Vec<_>>(), [id(1), id(2), id(3)]);
    let keys = store.api_keys(Some(id(1)), 1).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.id).collect::<Vec<_>>(), [id(2)]);
}

async fn a_key_is_rotated_only_by_those_who_know_its_state(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    let before = api_key(1).secret;
    let after =
        SecretHash { current: hash("next"), previous: Some((before.current, NOW.plus(60))) };
    assert!(store.rotate_api_key(id(1), &before, &after, NOW).await.unwrap());
    assert!(!store.rotate_api_key(id(1), &before, &after, NOW).await.unwrap());
    let key = kept(&store, 1).await;
    assert!(key.secret.current.matches(&hash("next")));
    assert_eq!(key.secret.previous.map(|(_, until)| until), Some(NOW.plus(60)));
}

async fn of_many_who_rotate_a_key_at_once_one_succeeds(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    let winners = race(|contender| {
        let store = store.clone();
        let after = SecretHash { current: hash(&contender.to_string()), previous: None };
        async move { store.rotate_api_key(id(1), &api_key(1).secret, &after, NOW).await.unwrap() }
    });
    assert_eq!(winners.await, 1);
}

async fn a_key_and_its_tokens_end_together_and_once(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    assert!(store.use_api_key(&api_key(1), place(1).unwrap(), NOW).await.unwrap());
    let what = revocation(1, Revoked::Key(id(1)), NOW);
    assert!(store.revoke_api_key(id(1), &what).await.unwrap());
    assert!(!store.revoke_api_key(id(1), &what).await.unwrap());
    assert!(!store.revoke_api_key(id(9), &what).await.unwrap());
    assert_eq!(store.revocations(NOW).await.unwrap(), [what]);
    assert_eq!(store.revoked_places(NOW).await.unwrap()[0].first, place(1).unwrap());
    let key = kept(&store, 1).await;
    assert_eq!((key.revoked_at, key.status_place), (Some(NOW), None));
}

async fn a_key_that_ended_is_not_rotated_or_used(store: Store) {
    with_shop_and_alice(&store).await;
    for number in [1, 2] {
        store.create_api_key(&api_key(number)).await.unwrap();
    }
    store.revoke_api_key(id(1), &revocation(1, Revoked::Key(id(1)), NOW)).await.unwrap();
    assert!(!store.use_api_key(&api_key(1), place(1).unwrap(), NOW).await.unwrap());
    let after = SecretHash { current: hash("next"), previous: None };
    assert!(!store.rotate_api_key(id(1), &api_key(1).secret, &after, NOW).await.unwrap());
    let late = api_key(2).expires_at;
    assert!(!store.rotate_api_key(id(2), &api_key(2).secret, &after, late).await.unwrap());
}

async fn a_use_is_remembered_once_a_minute(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    let place = place(1).unwrap();
    for (second, remembered) in [(0, 0), (59, 0), (60, 60), (61, 60)] {
        let key = kept(&store, 1).await;
        assert!(store.use_api_key(&key, place, NOW.plus(second)).await.unwrap());
        assert_eq!(kept(&store, 1).await.last_used_at, Some(NOW.plus(remembered)));
    }
}

async fn a_key_is_given_one_place_however_many_use_it_at_once(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    let winners = race(|contender| {
        let store = store.clone();
        async move { store.use_api_key(&api_key(1), place(contender).unwrap(), NOW).await.unwrap() }
    });
    assert_eq!(winners.await, 1);
}

async fn what_revokes_its_owner_revokes_the_place_of_a_key(store: Store) {
    with_shop_and_alice(&store).await;
    for key in [api_key(1), of_shop(2)] {
        store.create_api_key(&key).await.unwrap();
    }
    store.use_api_key(&api_key(1), place(1).unwrap(), NOW).await.unwrap();
    store.use_api_key(&of_shop(2), place(2).unwrap(), NOW).await.unwrap();
    store.revoke(&revocation(1, Revoked::User(id(1)), NOW), None).await.unwrap();
    assert_eq!(
        (kept(&store, 1).await.status_place, kept(&store, 2).await.status_place),
        (None, place(2))
    );
    store.revoke(&revocation(2, Revoked::Client(client_id("shop")), NOW), None).await.unwrap();
    assert_eq!(kept(&store, 2).await.status_place, None);
    let places = store.revoked_places(NOW).await.unwrap();
    let firsts: Vec<_> = places.iter().map(|places| Some(places.first)).collect();
    assert!(firsts.contains(&place(1)) && firsts.contains(&place(2)));
}

async fn a_key_goes_with_its_owner(store: Store) {
    with_shop_and_alice(&store).await;
    for key in [api_key(1), of_shop(2)] {
        store.create_api_key(&key).await.unwrap();
    }
    store.delete_user(id(1), &revocation(1, Revoked::User(id(1)), NOW)).await.unwrap();
    assert_eq!(store.api_keys(None, 9).await.unwrap().len(), 1);
    let what = revocation(2, Revoked::Client(client_id("shop")), NOW);
    store.delete_client(&client_id("shop"), &what).await.unwrap();
    assert!(store.api_keys(None, 9).await.unwrap().is_empty());
}

async fn a_dead_key_is_forgotten_after_thirty_days(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_api_key(&api_key(1)).await.unwrap();
    let end = api_key(1).expires_at;
    store.expire(end.plus(30 * 86_400), 10, 10).await.unwrap();
    assert_eq!(store.api_keys(None, 9).await.unwrap().len(), 1);
    store.expire(end.plus(30 * 86_400 + 1), 10, 10).await.unwrap();
    assert!(store.api_keys(None, 9).await.unwrap().is_empty());
}
