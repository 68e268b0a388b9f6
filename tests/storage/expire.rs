//! Forgetting what has served its time.

use signet::{
    model::Revoked,
    storage::{Rotation, Store},
    values::{SessionId, Timestamp},
};

use crate::nouns::{
    DAY, NOW, attempt, code, family, hash, id, proof, revocation, session, with_family,
    with_shop_and_alice,
};

on_both_engines! {
    a_code_is_recognised_for_a_day_after_its_end
    a_session_is_kept_for_a_day_after_its_end
    a_dead_family_is_recognised_for_at_least_a_day
    a_family_that_is_used_is_not_forgotten
    assertions_and_revocations_go_at_their_end
    changes_are_kept_for_ten_minutes
    a_sweep_goes_on_until_nothing_is_left
    a_sweep_takes_no_more_than_its_batches_of_a_table
    a_writer_has_its_turn_during_a_sweep
}

/// Everything that can be forgotten at this time is.
async fn sweep(store: &Store, now: Timestamp) {
    store.expire(now, 100, 100).await.unwrap();
}

async fn a_code_is_recognised_for_a_day_after_its_end(store: Store) {
    with_shop_and_alice(&store).await;
    store.keep_code(&code(7)).await.unwrap();
    store.redeem_code(id(7), &family(7), NOW).await.unwrap();
    let end = code(7).expires_at;
    sweep(&store, end.plus(DAY)).await;
    assert!(store.code(id(7)).await.unwrap().is_some());
    sweep(&store, end.plus(DAY + 1)).await;
    assert!(store.code(id(7)).await.unwrap().is_none());
}

async fn a_session_is_kept_for_a_day_after_its_end(store: Store) {
    with_shop_and_alice(&store).await;
    store.start_session(&session(2, id(1)), &proof()).await.unwrap();
    let end = revocation(1, Revoked::Session(id(2)), NOW.plus(5));
    store.end_session(id(2), &end).await.unwrap();
    let present =
        async |number: u128| store.session(id::<SessionId>(number)).await.unwrap().is_some();

    sweep(&store, NOW.plus(5 + DAY)).await;
    assert!(present(1).await && present(2).await);
    sweep(&store, NOW.plus(6 + DAY)).await;
    assert!(present(1).await && !present(2).await);
    sweep(&store, session(1, id(1)).expires_at.plus(DAY + 1)).await;
    assert!(!present(1).await);
}

async fn a_dead_family_is_recognised_for_at_least_a_day(store: Store) {
    with_shop_and_alice(&store).await;
    let death = NOW.plus(3600);
    let mut revoked = family(7);
    revoked.revoked_at = Some(death);
    let mut idle = family(8);
    idle.idle_until = death;
    let mut expired = family(9);
    expired.expires_at = death;
    let families = [revoked, idle, expired];
    for family in &families {
        with_family(&store, family).await;
    }
    sweep(&store, death.plus(DAY)).await;
    for family in &families {
        assert!(store.family(family.id).await.unwrap().is_some());
    }
    sweep(&store, death.plus(2 * DAY + 1)).await;
    for family in &families {
        assert!(store.family(family.id).await.unwrap().is_none());
    }
}

async fn a_family_that_is_used_is_not_forgotten(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    let now = family(7).idle_until.minus(1);
    let moved = store.rotate_family(attempt(id(7), 0, now, now.plus(7 * DAY))).await.unwrap();
    assert_eq!(moved, Rotation::Rotated);
    sweep(&store, now.plus(7 * DAY)).await;
    assert!(store.family(id(7)).await.unwrap().is_some());
}

async fn assertions_and_revocations_go_at_their_end(store: Store) {
    let revoked = revocation(1, Revoked::User(id(1)), NOW);
    store.revoke(&revoked, None).await.unwrap();
    store.remember_assertion(&hash("one"), revoked.until).await.unwrap();
    store.expire(revoked.until, 100, 1).await.unwrap();
    assert!(!store.remember_assertion(&hash("one"), revoked.until).await.unwrap());

    assert!(store.expire(revoked.until.plus(1), 100, 1).await.unwrap() >= 2);
    assert!(store.remember_assertion(&hash("one"), revoked.until).await.unwrap());
    assert!(store.revocations(NOW).await.unwrap().is_empty());
}

async fn changes_are_kept_for_ten_minutes(store: Store) {
    store.revoke(&revocation(1, Revoked::User(id(1)), NOW), None).await.unwrap();
    store.expire(NOW.plus(600), 100, 1).await.unwrap();
    let before = store.changes_after(0).await.unwrap();
    assert_eq!(before.len(), 1);
    store.expire(NOW.plus(601), 100, 1).await.unwrap();
    assert!(store.changes_after(0).await.unwrap().is_empty());

    store.revoke(&revocation(2, Revoked::User(id(2)), NOW.plus(601)), None).await.unwrap();
    let after = store.changes_after(0).await.unwrap();
    assert!(after[0].0 > before[0].0, "a number must not be used again");
}

async fn a_sweep_goes_on_until_nothing_is_left(store: Store) {
    with_assertions(&store, 7).await;
    assert_eq!(store.expire(NOW.plus(1), 2, 100).await.unwrap(), 7);
    assert_eq!(store.expire(NOW.plus(1), 2, 100).await.unwrap(), 0);
}

async fn a_sweep_takes_no_more_than_its_batches_of_a_table(store: Store) {
    with_assertions(&store, 7).await;
    store.revoke(&revocation(1, Revoked::User(id(1)), NOW.minus(600)), None).await.unwrap();
    let mut swept = Vec::new();
    for _ in 0..3 {
        swept.push(store.expire(NOW.plus(1), 2, 2).await.unwrap());
    }
    assert_eq!(swept, [6, 3, 0], "and the tables after it have their turn in the first round");
}

async fn a_writer_has_its_turn_during_a_sweep(store: Store) {
    with_assertions(&store, 200).await;
    let sweeper = store.clone();
    let sweep = tokio::spawn(async move { sweeper.expire(NOW.plus(1), 1, 1000).await });
    store.remember_assertion(&hash("new"), NOW.plus(60)).await.unwrap();
    assert!(!sweep.is_finished());
    assert_eq!(sweep.await.unwrap().unwrap(), 200);
}

async fn with_assertions(store: &Store, count: u32) {
    for number in 0..count {
        store.remember_assertion(&hash(&number.to_string()), NOW).await.unwrap();
    }
}
