//! Authorization codes.

use signet::{
    model::{CodeState, Revoked},
    storage::{Redemption, Store},
    values::{FamilyId, Timestamp},
};
use tokio::task::JoinSet;

use crate::{
    assert_same,
    nouns::{NOW, code, family, id, proof, revocation, session, with_family, with_shop_and_alice},
    race,
};

on_both_engines! {
    a_code_is_remembered_as_it_was_issued
    a_code_remembers_what_was_left_out
    a_code_is_redeemed_once
    an_unknown_code_cannot_be_redeemed
    a_spent_code_names_its_family
    of_many_who_redeem_a_code_one_succeeds
    a_code_and_shutting_its_person_out_leave_no_living_family
    a_code_of_an_ended_session_cannot_be_redeemed
    codes_and_signing_out_leave_no_living_family
    a_code_and_deleting_its_person_get_along
}

async fn a_code_is_remembered_as_it_was_issued(store: Store) {
    with_shop_and_alice(&store).await;
    store.keep_code(&code(7)).await.unwrap();
    assert_same(&store.code(id(7)).await.unwrap(), &Some(code(7)));
    assert!(store.code(id(8)).await.unwrap().is_none());
}

async fn a_code_remembers_what_was_left_out(store: Store) {
    with_shop_and_alice(&store).await;
    let mut bare = code(7);
    bare.redirect_uri = None;
    bare.challenge = None;
    bare.nonce = None;
    bare.authorization.resources.clear();
    bare.authorization.claims = signet::model::ClaimsRequest::default();
    bare.authorization.scope = signet::values::Scope::empty();
    store.keep_code(&bare).await.unwrap();
    assert_same(&store.code(id(7)).await.unwrap(), &Some(bare));
}

async fn a_code_is_redeemed_once(store: Store) {
    with_shop_and_alice(&store).await;
    store.keep_code(&code(7)).await.unwrap();
    let first = store.redeem_code(id(7), &family(1), NOW).await.unwrap();
    let second = store.redeem_code(id(7), &family(2), NOW).await.unwrap();
    assert_eq!((first, second), (Redemption::Redeemed, Redemption::Replayed));
    assert_same(&store.family(id(1)).await.unwrap(), &Some(family(1)));
    assert!(store.family(id(2)).await.unwrap().is_none());
}

async fn an_unknown_code_cannot_be_redeemed(store: Store) {
    with_shop_and_alice(&store).await;
    let redeemed = store.redeem_code(id(7), &family(1), NOW).await.unwrap();
    assert_eq!(redeemed, Redemption::Replayed);
    assert!(store.family(id(1)).await.unwrap().is_none());
}

async fn a_spent_code_names_its_family(store: Store) {
    with_shop_and_alice(&store).await;
    store.keep_code(&code(7)).await.unwrap();
    store.redeem_code(id(7), &family(1), NOW).await.unwrap();
    store.redeem_code(id(7), &family(2), NOW.plus(1)).await.unwrap();
    assert_eq!(store.code(id(7)).await.unwrap().unwrap().state, CodeState::Spent(id(1)));
}

async fn of_many_who_redeem_a_code_one_succeeds(store: Store) {
    with_shop_and_alice(&store).await;
    for round in 1..=5 {
        store.keep_code(&code(round)).await.unwrap();
        let winners = race(|number| {
            let store = store.clone();
            let family = family(round * 100 + number);
            async move {
                let code = id(round);
                let redeemed = store.redeem_code(code, &family, NOW).await;
                redeemed.unwrap() == Redemption::Redeemed
            }
        });
        assert_eq!(winners.await, 1);

        let mut kept = Vec::new();
        for number in 1..=64 {
            kept.extend(store.family(id(round * 100 + number)).await.unwrap());
        }
        let state = store.code(id(round)).await.unwrap().unwrap().state;
        assert_eq!(kept.iter().map(|f| CodeState::Spent(f.id)).collect::<Vec<_>>(), [state]);
    }
}

async fn a_code_and_shutting_its_person_out_leave_no_living_family(store: Store) {
    with_shop_and_alice(&store).await;
    let later = |round: u128| Timestamp(NOW.0 + i64::try_from(round).unwrap());
    for round in 1..=20 {
        store.enable_user(id(1), NOW).await.unwrap();
        store.keep_code(&code(round)).await.unwrap();
        let family = family(round);
        let out = revocation(round, Revoked::User(id(1)), later(round));
        let (redeemed, disabled) = tokio::join!(
            store.redeem_code(id(round), &family, NOW),
            store.disable_user(id(1), &out),
        );
        redeemed.unwrap();
        assert!(disabled.unwrap());
        let kept = store.family(id::<FamilyId>(round)).await.unwrap();
        assert!(kept.is_none_or(|family| family.revoked_at.is_some()));
    }
}

async fn a_code_of_an_ended_session_cannot_be_redeemed(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(1)).await;
    store.keep_code(&code(7)).await.unwrap();
    let out = revocation(1, Revoked::Session(id(1)), NOW);
    store.end_session(id(1), &out).await.unwrap();
    // Somebody who was signed in a moment ago is being granted another.
    store.keep_code(&code(8)).await.unwrap();

    for number in [7, 8] {
        let family = family(number);
        let redeemed = store.redeem_code(id(number), &family, NOW).await.unwrap();
        assert_eq!(redeemed, Redemption::Replayed);
        assert!(store.family(family.id).await.unwrap().is_none());
    }
    let spent = store.code(id(1)).await.unwrap().unwrap();
    assert_eq!(spent.state, CodeState::Spent(id(1)), "a second use is still recognised");
}

async fn codes_and_signing_out_leave_no_living_family(store: Store) {
    with_shop_and_alice(&store).await;
    for round in 1..=20 {
        let browser = session(round + 1, id(1));
        store.start_session(&browser, &proof()).await.unwrap();
        let numbers = (1..=32).map(|task| round * 100 + task);
        for number in numbers.clone() {
            let mut code = code(number);
            code.authorization.authentication = browser.authentication.clone();
            store.keep_code(&code).await.unwrap();
        }

        let mut tasks = JoinSet::new();
        for number in numbers.clone() {
            let mut family = family(number);
            family.authorization.authentication = browser.authentication.clone();
            let out = revocation(number, Revoked::Session(browser.id), NOW);
            let (store, browser) = (store.clone(), browser.id);
            tasks.spawn(async move {
                if number % 16 == 0 {
                    store.end_session(browser, &out).await.unwrap();
                }
                let code = id(number);
                store.redeem_code(code, &family, NOW).await.unwrap();
            });
        }
        tasks.join_all().await;

        for number in numbers {
            let kept = store.family(id::<FamilyId>(number)).await.unwrap();
            assert!(kept.is_none_or(|family| family.revoked_at.is_some()));
        }
    }
}

/// On PostgreSQL the two can deadlock, and one of them is done again.
async fn a_code_and_deleting_its_person_get_along(store: Store) {
    for round in 1..=5 {
        with_shop_and_alice(&store).await;
        store.keep_code(&code(round)).await.unwrap();
        let family = family(round);
        let gone = revocation(round, Revoked::User(id(1)), NOW);
        let (redeemed, deleted) = tokio::join!(
            store.redeem_code(id(round), &family, NOW),
            store.delete_user(id(1), &gone),
        );
        redeemed.unwrap();
        assert!(deleted.unwrap());
        assert!(store.family(family.id).await.unwrap().is_none());
    }
}
