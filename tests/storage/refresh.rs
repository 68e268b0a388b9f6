//! Refresh token families.

use signet::{
    model::Revoked,
    storage::{Result, RevocationEntry, Rotation, Store},
};

use crate::{
    assert_same,
    nouns::{DAY, NOW, attempt, family, id, revocation, with_family, with_shop_and_alice},
    race,
};

on_both_engines! {
    a_family_moves_to_its_next_generation
    an_older_or_newer_generation_moves_nothing
    a_dead_family_does_not_move
    a_family_is_revoked_once
    a_grant_without_refresh_tokens_can_be_revoked
    a_later_revocation_reaches_further_but_is_not_news
    of_many_who_rotate_one_generation_one_succeeds
}

/// Whether it has moved on.
fn rotated(outcome: Result<Rotation>) -> bool {
    outcome.unwrap() == Rotation::Rotated
}

async fn a_family_moves_to_its_next_generation(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    let mut expected = family(7);

    for generation in 0..3 {
        let now = NOW.plus(60 * (generation + 1));
        let moved =
            rotated(store.rotate_family(attempt(id(7), generation, now, now.plus(DAY))).await);
        expected.generation = generation + 1;
        expected.rotated_at = now;
        expected.idle_until = now.plus(DAY);
        assert!(moved);
        assert_same(&store.family(id(7)).await.unwrap(), &Some(&expected));
    }
}

async fn an_older_or_newer_generation_moves_nothing(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    assert!(rotated(store.rotate_family(attempt(id(7), 0, NOW, NOW.plus(DAY))).await));
    for presented in [-1, 0, 2, i64::MAX] {
        let moved =
            rotated(store.rotate_family(attempt(id(7), presented, NOW, NOW.plus(DAY))).await);
        assert!(!moved, "{presented}");
    }
    assert!(!rotated(store.rotate_family(attempt(id(8), 0, NOW, NOW.plus(DAY))).await));
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().generation, 1);
}

async fn a_dead_family_does_not_move(store: Store) {
    with_shop_and_alice(&store).await;
    let mut revoked = family(7);
    revoked.revoked_at = Some(NOW);
    let mut idle = family(8);
    idle.idle_until = NOW.plus(60);
    let mut expired = family(9);
    expired.expires_at = NOW.plus(60);
    for family in [&revoked, &idle, &expired] {
        with_family(&store, family).await;
        let now = NOW.plus(60);
        assert!(!rotated(store.rotate_family(attempt(family.id, 0, now, now.plus(DAY))).await));
    }
    for family in [&idle, &expired] {
        let now = NOW.plus(59);
        assert!(rotated(store.rotate_family(attempt(family.id, 0, now, now.plus(DAY))).await));
    }
}

async fn a_family_is_revoked_once(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    let first = revocation(1, Revoked::Family(id(7)), NOW.plus(5));
    let second = revocation(2, Revoked::Family(id(7)), NOW.plus(5));
    assert_eq!(store.revoke_family(id(7), &first).await.unwrap(), RevocationEntry::New);
    assert_eq!(store.revoke_family(id(7), &second).await.unwrap(), RevocationEntry::Known);
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW.plus(5)));
    assert_eq!(store.revocations(NOW).await.unwrap(), [first]);
}

async fn a_grant_without_refresh_tokens_can_be_revoked(store: Store) {
    let revoked = revocation(1, Revoked::Family(id(7)), NOW);
    assert_eq!(store.revoke_family(id(7), &revoked).await.unwrap(), RevocationEntry::New);
    assert_eq!(store.revocations(NOW).await.unwrap(), [revoked]);
    assert_eq!(store.changes_after(0).await.unwrap().len(), 1);
}

async fn a_later_revocation_reaches_further_but_is_not_news(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.revoke_family(id(7), &revocation(1, Revoked::Family(id(7)), NOW)).await.unwrap();
    let later = revocation(2, Revoked::Family(id(7)), NOW.plus(5));
    assert_eq!(store.revoke_family(id(7), &later).await.unwrap(), RevocationEntry::MovedOn);
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW));
    assert_eq!(store.revocations(NOW).await.unwrap()[0].at, NOW.plus(5));
}

async fn of_many_who_rotate_one_generation_one_succeeds(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    for generation in 0..10 {
        let winners = race(|_| {
            let store = store.clone();
            async move {
                let moved =
                    store.rotate_family(attempt(id(7), generation, NOW, NOW.plus(DAY))).await;
                rotated(moved)
            }
        });
        assert_eq!(winners.await, 1);
        assert_eq!(store.family(id(7)).await.unwrap().unwrap().generation, generation + 1);
    }
}
