//! Sign-in sessions.

use signet::{model::Revoked, storage::Store};

use crate::{
    assert_same,
    nouns::{NOW, family, id, revocation, scope, session, user, with_family, with_shop_and_alice},
    race,
};

on_both_engines! {
    a_session_is_remembered_as_it_began
    a_new_session_ends_the_one_that_it_replaces
    a_session_is_seen_later_but_never_earlier
    a_session_ends_once
    a_session_takes_along_all_but_offline_access
    of_many_who_end_a_session_one_does
}

async fn a_session_is_remembered_as_it_began(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let begun = session(1, id(1));
    store.start_session(&begun, None).await.unwrap();
    assert_same(&store.session(begun.id).await.unwrap(), &Some(begun));
    assert!(store.session(id(2)).await.unwrap().is_none());
}

async fn a_new_session_ends_the_one_that_it_replaces(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    store.start_session(&session(1, id(1)), None).await.unwrap();
    let mut second = session(2, id(1));
    second.authentication.at = NOW.plus(50);
    store.start_session(&second, Some(id(1))).await.unwrap();
    let mut third = session(3, id(1));
    third.authentication.at = NOW.plus(90);
    store.start_session(&third, Some(id(1))).await.unwrap();

    assert_eq!(store.session(id(1)).await.unwrap().unwrap().ended_at, Some(NOW.plus(50)));
    assert_eq!(store.session(id(2)).await.unwrap().unwrap().ended_at, None);
    assert!(store.revocations(NOW).await.unwrap().is_empty());
}

async fn a_session_is_seen_later_but_never_earlier(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    store.start_session(&session(1, id(1)), None).await.unwrap();
    store.touch_session(id(1), NOW.plus(60)).await.unwrap();
    store.touch_session(id(1), NOW.plus(30)).await.unwrap();
    store.touch_session(id(2), NOW.plus(30)).await.unwrap();
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().seen_at, NOW.plus(60));
}

async fn a_session_ends_once(store: Store) {
    with_shop_and_alice(&store).await;
    let end = revocation(1, Revoked::Session(id(1)), NOW.plus(5));
    let again = revocation(2, Revoked::Session(id(1)), NOW.plus(6));
    assert!(store.end_session(id(1), &end).await.unwrap());
    assert!(!store.end_session(id(1), &again).await.unwrap());
    assert!(!store.end_session(id(2), &again).await.unwrap());
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
        async move { store.end_session(id(1), &end).await.unwrap() }
    });
    assert_eq!(winners.await, 1);
}
