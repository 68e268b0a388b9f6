//! People.

use signet::{
    model::{Change, Revoked},
    storage::{Redemption, Store, UserCreation, UserUpdate},
    values::{PasswordHash, Username},
};

use crate::{
    assert_same,
    nouns::{
        NOW, client_id, code, consent, family, id, proof, revocation, session, user, with_family,
        with_shop_and_alice,
    },
    race,
};

on_both_engines! {
    a_person_is_remembered_with_everything_that_is_known
    a_person_may_have_neither_address_nor_password
    a_username_is_given_once
    an_address_is_given_once
    of_many_who_want_one_username_one_gets_it
    a_person_signs_in_with_username_or_address_in_any_case
    people_are_listed_by_username_page_by_page
    an_update_changes_what_is_known_and_nothing_else
    an_update_of_an_older_state_changes_nothing
    of_many_who_change_one_state_one_does
    an_update_never_lets_in_whom_another_shuts_out
    an_update_takes_nobody_elses_name_or_address
    a_changed_password_ends_everything_but_the_account
    a_disabled_person_loses_everything_that_was_begun
    an_enabled_person_gets_nothing_back
    a_deleted_person_leaves_nothing_but_the_revocation
}

async fn a_person_is_remembered_with_everything_that_is_known(store: Store) {
    let alice = user(1, "alice");
    assert_eq!(store.create_user(&alice).await.unwrap(), UserCreation::Created);
    assert_same(&store.user(alice.id).await.unwrap(), &Some(&alice));
    assert_same(&store.user_by_username(&alice.username).await.unwrap(), &Some(&alice));
    assert!(store.user(id(2)).await.unwrap().is_none());
}

async fn a_person_may_have_neither_address_nor_password(store: Store) {
    for (number, name) in [(1, "alice"), (2, "bob")] {
        let mut one = user(number, name);
        one.email = None;
        one.password = None;
        one.roles.clear();
        one.email_verified = false;
        assert_eq!(store.create_user(&one).await.unwrap(), UserCreation::Created);
        assert_same(&store.user(one.id).await.unwrap(), &Some(one));
    }
}

async fn a_username_is_given_once(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let mut other = user(2, "Alice");
    assert_eq!(store.create_user(&other).await.unwrap(), UserCreation::UsernameTaken);
    other.email = None;
    assert_eq!(store.create_user(&other).await.unwrap(), UserCreation::UsernameTaken);
}

async fn an_address_is_given_once(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let mut other = user(2, "bob");
    other.email = Some("ALICE@example.com".parse().unwrap());
    assert_eq!(store.create_user(&other).await.unwrap(), UserCreation::EmailTaken);
    assert!(store.user(other.id).await.unwrap().is_none());
}

async fn of_many_who_want_one_username_one_gets_it(store: Store) {
    let winners = race(|number| {
        let store = store.clone();
        let mut one = user(number, "alice");
        one.email = None;
        async move { store.create_user(&one).await.unwrap() == UserCreation::Created }
    });
    assert_eq!(winners.await, 1);
}

async fn a_person_signs_in_with_username_or_address_in_any_case(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    for login in ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"] {
        let found = store.user_by_login(login).await.unwrap();
        assert_eq!(found.unwrap().id, id(1), "{login}");
    }
    for login in ["", "bob", "bob@example.com", "@", "a b", "alice@", "alice' or '1'='1"] {
        assert!(store.user_by_login(login).await.unwrap().is_none(), "{login}");
    }
}

async fn people_are_listed_by_username_page_by_page(store: Store) {
    for (number, name) in [(1, "dora"), (2, "älice"), (3, "bob"), (4, "a-z"), (5, "ab")] {
        store.create_user(&user(number, name)).await.unwrap();
    }
    let mut after: Option<Username> = None;
    let mut seen = Vec::new();
    loop {
        let page = store.users(after.as_ref(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.username.clone());
        seen.extend(page.into_iter().map(|user| user.username.to_string()));
    }
    assert_eq!(seen, ["a-z", "ab", "bob", "dora", "älice"]);
}

async fn an_update_changes_what_is_known_and_nothing_else(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let mut alice = user(1, "alicia");
    alice.email = None;
    alice.email_verified = false;
    alice.profile.name = None;
    alice.roles.clear();
    alice.updated_at = NOW.plus(3);
    let asked = {
        let mut asked = alice.clone();
        asked.password = None;
        asked.disabled_at = Some(NOW);
        asked.created_at = NOW.plus(1);
        asked
    };
    assert_eq!(store.update_user(&asked).await.unwrap(), UserUpdate::Updated);
    alice.revision += 1;
    assert_same(&store.user(alice.id).await.unwrap(), &Some(alice));
    assert_eq!(store.update_user(&user(9, "nobody")).await.unwrap(), UserUpdate::Gone);
}

async fn an_update_of_an_older_state_changes_nothing(store: Store) {
    with_shop_and_alice(&store).await;
    let out = revocation(1, Revoked::User(id(1)), NOW);
    let password: PasswordHash = "$argon2id$v=19$m=2,t=2,p=2$CCCC$DDDD".parse().unwrap();
    for round in 0..4 {
        let read = store.user(id(1)).await.unwrap().unwrap();
        match round {
            0 => assert_eq!(store.update_user(&read).await.unwrap(), UserUpdate::Updated),
            1 => assert!(store.disable_user(id(1), &out).await.unwrap()),
            2 => assert!(store.enable_user(id(1), NOW).await.unwrap()),
            _ => assert!(store.set_password(id(1), &password, &out).await.unwrap()),
        }
        let kept = store.user(id(1)).await.unwrap();
        assert_eq!(store.update_user(&read).await.unwrap(), UserUpdate::Stale);
        assert_same(&store.user(id(1)).await.unwrap(), &kept);
    }
}

async fn of_many_who_change_one_state_one_does(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    let winners = race(|number| {
        let store = store.clone();
        let alice = user(1, &format!("alice-{number}"));
        async move { store.update_user(&alice).await.unwrap() == UserUpdate::Updated }
    });
    assert_eq!(winners.await, 1);
    assert_eq!(store.user(id(1)).await.unwrap().unwrap().revision, 1);
}

async fn an_update_never_lets_in_whom_another_shuts_out(store: Store) {
    with_shop_and_alice(&store).await;
    for round in 1..=20 {
        store.enable_user(id(1), NOW).await.unwrap();
        let read = store.user(id(1)).await.unwrap().unwrap();
        let out = revocation(round, Revoked::User(id(1)), NOW);
        let (updated, disabled) =
            tokio::join!(store.update_user(&read), store.disable_user(id(1), &out));
        updated.unwrap();
        assert!(disabled.unwrap());
        assert!(store.user(id(1)).await.unwrap().unwrap().disabled_at.is_some());
    }
}

async fn an_update_takes_nobody_elses_name_or_address(store: Store) {
    store.create_user(&user(1, "alice")).await.unwrap();
    store.create_user(&user(2, "bob")).await.unwrap();
    let mut bob = user(2, "bob");
    bob.email = user(1, "alice").email;
    assert_eq!(store.update_user(&bob).await.unwrap(), UserUpdate::EmailTaken);
    bob = user(2, "alice");
    bob.email = None;
    assert_eq!(store.update_user(&bob).await.unwrap(), UserUpdate::UsernameTaken);
    assert_same(&store.user(id(2)).await.unwrap(), &Some(user(2, "bob")));
    assert_eq!(store.update_user(&user(2, "bob")).await.unwrap(), UserUpdate::Updated);
}

async fn a_changed_password_ends_everything_but_the_account(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.keep_code(&code(8)).await.unwrap();
    store.create_user(&user(2, "bob")).await.unwrap();
    store.start_session(&session(2, id(2)), &proof()).await.unwrap();
    let password: PasswordHash = "$argon2id$v=19$m=2,t=2,p=2$CCCC$DDDD".parse().unwrap();
    let out = revocation(1, Revoked::User(id(1)), NOW.plus(5));
    let nobody = revocation(2, Revoked::User(id(9)), NOW.plus(5));

    assert!(store.set_password(id(1), &password, &out).await.unwrap());
    assert!(!store.set_password(id(9), &password, &nobody).await.unwrap());

    let mut alice = user(1, "alice");
    alice.password = Some(password);
    alice.updated_at = NOW.plus(5);
    alice.revision += 1;
    assert_same(&store.user(id(1)).await.unwrap(), &Some(alice));
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().ended_at, Some(NOW.plus(5)));
    assert_eq!(store.session(id(2)).await.unwrap().unwrap().ended_at, None);
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW.plus(5)));
    assert!(store.code(id(8)).await.unwrap().is_none());
    assert_eq!(store.revocations(NOW).await.unwrap(), [out]);
}

async fn a_disabled_person_loses_everything_that_was_begun(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.keep_code(&code(8)).await.unwrap();
    let out = revocation(1, Revoked::User(id(1)), NOW.plus(5));

    assert!(store.disable_user(id(1), &out).await.unwrap());
    assert!(!store.disable_user(id(1), &out).await.unwrap());
    assert!(!store.disable_user(id(2), &out).await.unwrap());

    let alice = store.user(id(1)).await.unwrap().unwrap();
    assert_eq!((alice.disabled_at, alice.updated_at), (Some(NOW.plus(5)), NOW.plus(5)));
    assert_eq!(store.session(id(1)).await.unwrap().unwrap().ended_at, Some(NOW.plus(5)));
    assert_eq!(store.family(id(7)).await.unwrap().unwrap().revoked_at, Some(NOW.plus(5)));
    let redeemed = store.redeem_code(id(8), &family(8), NOW.plus(6)).await.unwrap();
    assert_eq!(redeemed, Redemption::Replayed);
    assert!(store.family(id(8)).await.unwrap().is_none());
    assert_eq!(store.revocations(NOW).await.unwrap(), [out]);
}

async fn an_enabled_person_gets_nothing_back(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    assert!(!store.enable_user(id(1), NOW).await.unwrap());
    let out = revocation(1, Revoked::User(id(1)), NOW.plus(5));
    store.disable_user(id(1), &out).await.unwrap();

    assert!(store.enable_user(id(1), NOW.plus(6)).await.unwrap());

    let alice = store.user(id(1)).await.unwrap().unwrap();
    assert_eq!((alice.disabled_at, alice.updated_at), (None, NOW.plus(6)));
    assert!(store.session(id(1)).await.unwrap().unwrap().ended_at.is_some());
    assert!(store.family(id(7)).await.unwrap().unwrap().revoked_at.is_some());
}

async fn a_deleted_person_leaves_nothing_but_the_revocation(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.remember_consent(&consent(id(1), "shop")).await.unwrap();
    let gone = revocation(1, Revoked::User(id(1)), NOW.plus(5));

    assert!(store.delete_user(id(1), &gone).await.unwrap());
    assert!(!store.delete_user(id(1), &gone).await.unwrap());

    assert!(store.user(id(1)).await.unwrap().is_none());
    assert!(store.session(id(1)).await.unwrap().is_none());
    assert!(store.code(id(7)).await.unwrap().is_none());
    assert!(store.family(id(7)).await.unwrap().is_none());
    assert!(store.consent(id(1), &client_id("shop")).await.unwrap().is_none());
    assert_eq!(store.revocations(NOW).await.unwrap(), [gone]);
    let (_, last) = store.changes_after(0).await.unwrap().pop().unwrap();
    assert_eq!(last, Change::Revocation(id(1)));
}
