//! Signing keys and their timetable.

use signet::{
    model::{Change, SigningKeyRecord},
    storage::{Promotion, Store},
    values::{
        Algorithm::{Es256, Rs256},
        Timestamp,
    },
};

use crate::{
    assert_same,
    nouns::{DAY, NOW, key},
    race,
};

on_both_engines! {
    a_key_is_remembered_as_it_was_made
    keys_are_listed_by_algorithm_and_period
    a_new_key_retires_the_one_before_it
    a_period_has_one_key
    of_many_nodes_that_make_the_next_key_one_adds_it
    a_promoted_key_is_active_earlier_and_retires_the_one_before_it
    a_key_that_is_active_or_revoked_is_not_promoted
    a_key_is_revoked_once
    the_key_that_signs_stays_when_the_announced_one_is_revoked
    a_revoked_key_gives_its_turn_to_the_one_after_it
    a_key_that_has_retired_does_not_come_back
    forgotten_keys_are_deleted
    revoked_keys_are_deleted
    a_seal_is_replaced_only_if_it_is_the_one_that_was_read
    every_change_of_a_key_is_noted
}

async fn kept(store: &Store, kid: &str) -> SigningKeyRecord {
    let keys = store.signing_keys().await.unwrap();
    keys.into_iter().find(|key| key.kid.as_str() == kid).unwrap()
}

async fn a_key_is_remembered_as_it_was_made(store: Store) {
    let mut first = key(Es256, 1, "e1");
    first.retired_at = Some(NOW.plus(1));
    first.forgotten_at = Some(NOW.plus(2));
    first.revoked_at = Some(NOW.plus(3));
    assert!(store.add_signing_key(&first, None).await.unwrap());
    assert_same(&store.signing_keys().await.unwrap(), &[first]);
}

async fn keys_are_listed_by_algorithm_and_period(store: Store) {
    for (algorithm, period, name) in [(Rs256, 2, "r2"), (Es256, 1, "e1"), (Rs256, 1, "r1")] {
        store.add_signing_key(&key(algorithm, period, name), None).await.unwrap();
    }
    let keys = store.signing_keys().await.unwrap();
    let names: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
    assert_eq!(names, ["e1", "r1", "r2"]);
}

async fn a_new_key_retires_the_one_before_it(store: Store) {
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&key(Es256, 1, "e1"), None).await.unwrap();
    store.add_signing_key(&key(Rs256, 2, "r2"), Some(NOW.plus(9000))).await.unwrap();
    store.add_signing_key(&key(Rs256, 3, "r3"), None).await.unwrap();

    let first = times(&kept(&store, "r1").await);
    assert_eq!(first, (Some(NOW.plus(7200)), Some(NOW.plus(9000))));
    assert_eq!(times(&kept(&store, "r2").await), (Some(NOW.plus(10800)), None));
    assert_eq!(times(&kept(&store, "r3").await), (None, None));
    assert_eq!(times(&kept(&store, "e1").await), (None, None));
}

async fn a_period_has_one_key(store: Store) {
    assert!(store.add_signing_key(&key(Rs256, 1, "first"), None).await.unwrap());
    assert!(!store.add_signing_key(&key(Rs256, 1, "second"), None).await.unwrap());
    assert!(!store.add_signing_key(&key(Rs256, 2, "first"), Some(NOW)).await.unwrap());
    assert_same(&store.signing_keys().await.unwrap(), &[key(Rs256, 1, "first")]);
}

async fn of_many_nodes_that_make_the_next_key_one_adds_it(store: Store) {
    for period in 1..=5 {
        let winners = race(|node| {
            let store = store.clone();
            let key = key(Rs256, period, &format!("key-{period}-{node}"));
            async move { store.add_signing_key(&key, Some(NOW)).await.unwrap() }
        });
        assert_eq!(winners.await, 1);
    }
    assert_eq!(store.signing_keys().await.unwrap().len(), 5);
}

async fn a_promoted_key_is_active_earlier_and_retires_the_one_before_it(store: Store) {
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&key(Rs256, 2, "r2"), Some(NOW.plus(9000))).await.unwrap();
    let second = kept(&store, "r2").await.kid;

    let promoted = store.promote_signing_key(&second, NOW.plus(60), NOW.plus(960)).await.unwrap();
    let again = store.promote_signing_key(&second, NOW.plus(60), NOW.plus(961)).await.unwrap();
    assert_eq!((promoted, again), (Promotion::Promoted, Promotion::AlreadyDue));

    assert_eq!(kept(&store, "r2").await.active_at, NOW.plus(60));
    let first = kept(&store, "r1").await;
    assert_eq!(first.retired_at, Some(NOW.plus(60)));
    assert_eq!(first.forgotten_at, Some(NOW.plus(960)));
}

async fn a_key_that_is_active_or_revoked_is_not_promoted(store: Store) {
    let first = key(Rs256, 1, "r1");
    store.add_signing_key(&first, None).await.unwrap();
    let promoted = store.promote_signing_key(&first.kid, first.active_at, NOW).await.unwrap();
    assert_eq!(promoted, Promotion::AlreadyDue);
    store.revoke_signing_key(&first.kid, NOW, DAY).await.unwrap();
    let revoked = store.promote_signing_key(&first.kid, NOW, NOW).await.unwrap();
    assert_eq!(revoked, Promotion::Gone);
    let unknown = key(Rs256, 2, "r2").kid;
    assert_eq!(store.promote_signing_key(&unknown, NOW, NOW).await.unwrap(), Promotion::Gone);
}

async fn a_key_is_revoked_once(store: Store) {
    let first = key(Rs256, 1, "r1");
    assert!(!store.revoke_signing_key(&first.kid, NOW, DAY).await.unwrap());
    store.add_signing_key(&first, None).await.unwrap();
    assert!(store.revoke_signing_key(&first.kid, NOW.plus(1), DAY).await.unwrap());
    assert!(!store.revoke_signing_key(&first.kid, NOW.plus(2), DAY).await.unwrap());
    assert_eq!(kept(&store, "r1").await.revoked_at, Some(NOW.plus(1)));
}

fn times(key: &SigningKeyRecord) -> (Option<Timestamp>, Option<Timestamp>) {
    (key.retired_at, key.forgotten_at)
}

async fn the_key_that_signs_stays_when_the_announced_one_is_revoked(store: Store) {
    let announced = key(Rs256, 2, "r2");
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&key(Es256, 1, "e1"), None).await.unwrap();
    store.add_signing_key(&announced, Some(NOW.plus(9000))).await.unwrap();

    store.revoke_signing_key(&announced.kid, NOW.plus(3600), DAY).await.unwrap();
    assert_eq!(times(&kept(&store, "r1").await), (None, None));

    // The one that takes its turn comes later.
    store.add_signing_key(&key(Rs256, 3, "r3"), Some(NOW.plus(20_000))).await.unwrap();
    let signing = times(&kept(&store, "r1").await);
    assert_eq!(signing, (Some(NOW.plus(10800)), Some(NOW.plus(20_000))));
    assert_eq!(times(&kept(&store, "r2").await), (None, None));
    let third = kept(&store, "r3").await.kid;
    store.promote_signing_key(&third, NOW.plus(9000), NOW.plus(10_000)).await.unwrap();
    let signing = times(&kept(&store, "r1").await);
    assert_eq!(signing, (Some(NOW.plus(9000)), Some(NOW.plus(10_000))));
    assert_eq!(times(&kept(&store, "e1").await), (None, None));
}

async fn a_revoked_key_gives_its_turn_to_the_one_after_it(store: Store) {
    for (period, name) in [(1, "r1"), (2, "r2"), (3, "r3")] {
        store.add_signing_key(&key(Rs256, period, name), Some(NOW)).await.unwrap();
    }
    let announced = kept(&store, "r2").await.kid;
    store.revoke_signing_key(&announced, NOW.plus(3600), DAY).await.unwrap();
    let signing = times(&kept(&store, "r1").await);
    assert_eq!(signing, (Some(NOW.plus(10800)), Some(NOW.plus(10800 + DAY))));
}

async fn a_key_that_has_retired_does_not_come_back(store: Store) {
    for (period, name) in [(1, "r1"), (2, "r2"), (3, "r3")] {
        store.add_signing_key(&key(Rs256, period, name), Some(NOW.plus(9000))).await.unwrap();
    }
    let signing = kept(&store, "r2").await.kid;
    store.revoke_signing_key(&signing, NOW.plus(7200), DAY).await.unwrap();
    let retired = times(&kept(&store, "r1").await);
    assert_eq!(retired, (Some(NOW.plus(7200)), Some(NOW.plus(9000))));
}

async fn revoked_keys_are_deleted(store: Store) {
    let announced = key(Rs256, 2, "r2");
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&announced, None).await.unwrap();
    store.revoke_signing_key(&announced.kid, NOW, DAY).await.unwrap();
    assert_eq!(store.forget_signing_keys(NOW).await.unwrap(), 0);
    assert_eq!(store.forget_signing_keys(NOW.plus(1)).await.unwrap(), 1);
    assert_same(&store.signing_keys().await.unwrap(), &[key(Rs256, 1, "r1")]);
}

async fn forgotten_keys_are_deleted(store: Store) {
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&key(Rs256, 2, "r2"), Some(NOW.plus(9000))).await.unwrap();
    assert_eq!(store.forget_signing_keys(NOW.plus(9000)).await.unwrap(), 0);
    assert_eq!(store.forget_signing_keys(NOW.plus(9001)).await.unwrap(), 1);
    assert_same(&store.signing_keys().await.unwrap(), &[key(Rs256, 2, "r2")]);
}

async fn a_seal_is_replaced_only_if_it_is_the_one_that_was_read(store: Store) {
    let first = key(Rs256, 1, "r1");
    store.add_signing_key(&first, None).await.unwrap();
    assert!(!store.replace_sealed(&first.kid, b"stale", b"new").await.unwrap());
    assert!(store.replace_sealed(&first.kid, &first.sealed, b"new").await.unwrap());
    assert_eq!(kept(&store, "r1").await.sealed, b"new");
}

async fn every_change_of_a_key_is_noted(store: Store) {
    let mut second = key(Rs256, 2, "r2");
    second.announced_at = NOW.plus(10);
    store.add_signing_key(&key(Rs256, 1, "r1"), None).await.unwrap();
    store.add_signing_key(&second, Some(NOW.plus(900))).await.unwrap();
    store.add_signing_key(&second, Some(NOW.plus(900))).await.unwrap();
    store.promote_signing_key(&second.kid, NOW.plus(20), NOW.plus(900)).await.unwrap();
    store.revoke_signing_key(&second.kid, NOW.plus(30), DAY).await.unwrap();
    store.forget_signing_keys(NOW.plus(1000)).await.unwrap();
    let noted = store.changes_after(0).await.unwrap();
    let noted: Vec<Change> = noted.into_iter().map(|(_, change)| change).collect();
    assert_eq!(noted, [const { Change::Keys }; 5]);
}
