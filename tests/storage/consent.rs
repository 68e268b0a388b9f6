//! What people have allowed clients.

use signet::storage::Store;

use crate::nouns::{NOW, client, client_id, consent, id, scope, user};

on_both_engines! {
    a_consent_is_remembered_for_one_person_and_one_client
    a_new_answer_takes_the_place_of_the_old_one
    a_consent_needs_a_person_and_a_client
}

async fn a_consent_is_remembered_for_one_person_and_one_client(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    store.create_client(&client("bank")).await.unwrap();
    store.create_user(&user(1, "alice")).await.unwrap();
    store.create_user(&user(2, "bob")).await.unwrap();
    let given = consent(id(1), "shop");
    store.remember_consent(&given).await.unwrap();

    assert_eq!(store.consent(id(1), &client_id("shop")).await.unwrap(), Some(given));
    assert_eq!(store.consent(id(1), &client_id("bank")).await.unwrap(), None);
    assert_eq!(store.consent(id(2), &client_id("shop")).await.unwrap(), None);
}

async fn a_new_answer_takes_the_place_of_the_old_one(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    store.create_user(&user(1, "alice")).await.unwrap();
    let mut given = consent(id(1), "shop");
    store.remember_consent(&given).await.unwrap();
    given.scope = scope("openid");
    given.claims.clear();
    given.granted_at = NOW.plus(9);
    store.remember_consent(&given).await.unwrap();
    assert_eq!(store.consent(id(1), &client_id("shop")).await.unwrap(), Some(given));
}

async fn a_consent_needs_a_person_and_a_client(store: Store) {
    assert!(store.remember_consent(&consent(id(1), "shop")).await.is_err());
    store.create_client(&client("shop")).await.unwrap();
    assert!(store.remember_consent(&consent(id(1), "shop")).await.is_err());
}
