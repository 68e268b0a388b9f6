//! Sign-in sessions.

use signet::{
    model::{Revocation, Revoked},
    storage::{Proof, Redemption, SignIn, SignOut, Store},
    values::PasswordHash,
};
use tokio::task::JoinSet;

use crate::{
    assert_same,
    nouns::{
        DAY, NOW, code, family, hash, id, proof, revocation, scope, session, user, with_family,
        with_shop_and_alice,
    },
    race,
};

on_both_engines! {
    a_session_is_remembered_as_it_began
    a_session_begins_only_with_the_password_that_is_kept
    a_session_begins_with_a_better_hash_of_the_password
    of_many_who_hash_a_password_anew_one_does
    signing_in_and_shutting_out_leave_no_living_session
    signing_in_and_a_new_password_leave_no_living_session
    a_session_goes_on_with_another_secret_when_its_person_signs_in_again
    a_session_that_has_ended_or_is_somebody_elses_does_not_go_on
    a_session_goes_on_only_with_the_password_that_is_kept
    somebody_elses_session_ends_as_when_they_sign_out
    a_session_is_seen_later_but_never_earlier
    a_session_ends_once
    a_session_takes_along_all_but_offline_access
    of_many_who_end_a_session_one_does
}

async fn a_session_is_remembered_as_it_began(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let begun = session(1, id(1));
    store.start_session(&begun, &proof()).await.unwrap();
    assert_same(&store.session(begun.id).await.unwrap(), &Some(begun));
    assert!(store.session(id(2)).await.unwrap().is_none());
}

async fn a_session_begins_only_with_the_password_that_is_kept(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    store.create_user(&user(2, "bob")).await.unwrap();
    let out = revocation(1, Revoked::User(id(1)), NOW);
    let out_too = revocation(2, Revoked::User(id(2)), NOW);
    store.set_password(id(1), &another(), &out).await.unwrap();
    store.disable_user(id(2), &out_too).await.unwrap();

    for person in 1..=3 {
        let begun = session(person, id(person));
        let outcome = store.start_session(&begun, &proof()).await.unwrap();
        assert_eq!(outcome, SignIn::Overtaken);
        assert!(store.session(begun.id).await.unwrap().is_none());
    }
}

async fn a_session_begins_with_a_better_hash_of_the_password(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let better = Proof { anew: Some(another()), ..proof() };
    let begun = store.start_session(&session(1, id(1)), &better).await.unwrap();
    assert_eq!(begun, SignIn::Begun);
    let mut alice = user(1, "alice");
    alice.password = Some(another());
    assert_same(&store.user(id(1)).await.unwrap(), &Some(alice));
}

/// Whoever lost must look at the new hash, and may then sign in.
async fn of_many_who_hash_a_password_anew_one_does(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let winners = race(|number| {
        let store = store.clone();
        let hash = format!("$argon2id$v=19$m=2,t=2,p=2$CCCC${number}").parse().unwrap();
        let better = Proof { anew: Some(hash), ..proof() };
        async move {
            let begun = store.start_session(&session(number, id(1)), &better).await.unwrap();
            begun == SignIn::Begun
        }
    });
    assert_eq!(winners.await, 1);
}

async fn signing_in_and_shutting_out_leave_no_living_session(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    for round in 1..=20 {
        store.enable_user(id(1), NOW).await.unwrap();
        signing_in_beside(&store, round, &proof(), async |store, out| {
            assert!(store.disable_user(id(1), &out).await.unwrap());
        })
        .await;
    }
}

async fn signing_in_and_a_new_password_leave_no_living_session(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let mut proof = proof();
    for round in 1..=20 {
        let hash = format!("$argon2id$v=19$m=2,t=2,p=2$CCCC${round}").parse().unwrap();
        signing_in_beside(&store, round, &proof, async |store, out| {
            assert!(store.set_password(id(1), &hash, &out).await.unwrap());
        })
        .await;
        proof.hash = hash;
    }
}

/// Thirty-one browsers sign in while something happens that must end their sessions.
async fn signing_in_beside(
    store: &Store,
    round: u128,
    proof: &Proof,
    event: impl AsyncFnOnce(Store, Revocation),
) {
    let numbers = (1..=31).map(|task| round * 100 + task);
    let mut tasks = JoinSet::new();
    for number in numbers.clone() {
        let (store, proof) = (store.clone(), proof.clone());
        tasks.spawn(async move {
            store.start_session(&session(number, id(1)), &proof).await.unwrap();
        });
    }
    event(store.clone(), revocation(round, Revoked::User(id(1)), NOW)).await;
    tasks.join_all().await;

    for number in numbers {
        let kept = store.session(id(number)).await.unwrap();
        assert!(kept.is_none_or(|session| session.ended_at.is_some()));
    }
}

fn another() -> PasswordHash {
    "$argon2id$v=19$m=2,t=2,p=2$CCCC$DDDD".parse().unwrap()
}

async fn a_session_goes_on_with_another_secret_when_its_person_signs_in_again(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.keep_code(&code(8)).await.unwrap();
    let mut renewed = session(1, id(1));
    renewed.secret = hash("another cookie");
    renewed.authentication.at = NOW.plus(50);
    renewed.seen_at = NOW.plus(50);
    renewed.expires_at = NOW.plus(DAY + 50);
    "Another".clone_into(&mut renewed.user_agent);
    let better = Proof { anew: Some(another()), ..proof() };

    assert_eq!(store.renew_session(&renewed, &better).await.unwrap(), SignIn::Begun);

    assert_same(&store.session(id(1)).await.unwrap(), &Some(renewed));
    assert_same(&store.user(id(1)).await.unwrap().unwrap().password, &Some(another()));
    assert!(store.revocations(NOW).await.unwrap().is_empty());
    // What was begun before goes on, and ends with it.
    let redeemed = store.redeem_code(id(8), &family(8), NOW).await.unwrap();
    assert_eq!(redeemed, Redemption::Redeemed);
    let out = revocation(1, Revoked::Session(id(1)), NOW.plus(60));
    store.end_session(id(1), &out).await.unwrap();
    for number in [7, 8] {
        let kept = store.family(id(number)).await.unwrap().unwrap();
        assert_eq!(kept.revoked_at, Some(NOW.plus(60)));
    }
}

async fn a_session_that_has_ended_or_is_somebody_elses_does_not_go_on(store: Store) {
    with_shop_and_alice(&store).await;
    store.create_user(&user(2, "bob")).await.unwrap();
    let stolen = session(1, id(2));
    assert_eq!(store.renew_session(&stolen, &proof()).await.unwrap(), SignIn::Ended);
    let missing = session(9, id(1));
    assert_eq!(store.renew_session(&missing, &proof()).await.unwrap(), SignIn::Ended);
    assert_same(&store.session(id(1)).await.unwrap(), &Some(session(1, id(1))));

    let out = revocation(1, Revoked::Session(id(1)), NOW.plus(5));
    store.end_session(id(1), &out).await.unwrap();
    let ended = store.session(id(1)).await.unwrap();
    let late = session(1, id(1));
    assert_eq!(store.renew_session(&late, &proof()).await.unwrap(), SignIn::Ended);
    assert_same(&store.session(id(1)).await.unwrap(), &ended);
}

async fn a_session_goes_on_only_with_the_password_that_is_kept(store: Store) {
    with_shop_and_alice(&store).await;
    let wrong = Proof { hash: another(), anew: None };
    let mut renewed = session(1, id(1));
    renewed.secret = hash("another cookie");
    assert_eq!(store.renew_session(&renewed, &wrong).await.unwrap(), SignIn::Overtaken);
    assert_same(&store.session(id(1)).await.unwrap(), &Some(session(1, id(1))));
}

async fn somebody_elses_session_ends_as_when_they_sign_out(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.keep_code(&code(8)).await.unwrap();
    let mut offline = family(9);
    offline.authorization.scope = scope("openid offline_access");
    with_family(&store, &offline).await;
    store.create_user(&user(2, "bob")).await.unwrap();
    let bobs = session(2, id(2));
    let out = revocation(1, Revoked::Session(id(1)), NOW.plus(5));
    let wrong = Proof { hash: another(), anew: None };

    let refused = store.replace_session(id(1), &out, &bobs, &wrong).await.unwrap();
    assert_eq!(refused, SignIn::Overtaken);
    assert_same(&store.session(id(1)).await.unwrap(), &Some(session(1, id(1))));

    let begun = store.replace_session(id(1), &out, &bobs, &proof()).await.unwrap();
    assert_eq!(begun, SignIn::Begun);
    assert_same(&store.session(id(2)).await.unwrap(), &Some(bobs));
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().ended_at, Some(NOW.plus(5)));
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW.plus(5)));
    assert!(store.code(id(8)).await.unwrap().is_none());
    assert_eq!(store.family(id(9)).await.unwrap().unwrap().revoked_at, None);
    assert_eq!(store.revocations(NOW).await.unwrap(), [out]);
}

async fn a_session_is_seen_later_but_never_earlier(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    store.start_session(&session(1, id(1)), &proof()).await.unwrap();
    store.touch_session(id(1), NOW.plus(60)).await.unwrap();
    store.touch_session(id(1), NOW.plus(30)).await.unwrap();
    store.touch_session(id(2), NOW.plus(30)).await.unwrap();
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().seen_at, NOW.plus(60));
}

async fn a_session_ends_once(store: Store) {
    with_shop_and_alice(&store).await;
    let end = revocation(1, Revoked::Session(id(1)), NOW.plus(5));
    let again = revocation(2, Revoked::Session(id(1)), NOW.plus(6));
    assert_eq!(store.end_session(id(1), &end).await.unwrap(), SignOut::Ended);
    assert_eq!(store.end_session(id(1), &again).await.unwrap(), SignOut::OverBefore);
    assert_eq!(store.end_session(id(2), &again).await.unwrap(), SignOut::OverBefore);
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().ended_at, Some(NOW.plus(5)));
    assert_eq!(store.revocations(NOW).await.unwrap(), [end]);
}

async fn a_session_takes_along_all_but_offline_access(store: Store) {
    with_shop_and_alice(&store).await;
    let mut offline = family(8);
    offline.authorization.scope = scope("openid offline_access");
    let mut elsewhere = family(9);
    elsewhere.authorization.authentication.session = id(2);
    for family in [&family(7), &offline, &elsewhere] {
        with_family(&store, family).await;
    }

    let end = revocation(1, Revoked::Session(id(1)), NOW.plus(5));
    store.end_session(id(1), &end).await.unwrap();

    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW.plus(5)));
    assert_eq!(store.family(id(8)).await.unwrap().unwrap().revoked_at, None);
    assert_eq!(store.family(id(9)).await.unwrap().unwrap().revoked_at, None);
}

async fn of_many_who_end_a_session_one_does(store: Store) {
    with_shop_and_alice(&store).await;
    let winners = race(|number| {
        let store = store.clone();
        let end = revocation(number, Revoked::Session(id(1)), NOW.plus(5));
        async move { store.end_session(id(1), &end).await.unwrap() == SignOut::Ended }
    });
    assert_eq!(winners.await, 1);
}
