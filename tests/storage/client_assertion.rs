//! Client assertions.

use signet::storage::Store;

use crate::{
    nouns::{NOW, hash},
    race,
};

on_both_engines! {
    an_assertion_is_new_once
    of_many_who_use_one_assertion_one_succeeds
}

async fn an_assertion_is_new_once(store: Store) {
    assert!(store.remember_assertion(&hash("one"), NOW.plus(60)).await.unwrap());
    assert!(!store.remember_assertion(&hash("one"), NOW.plus(90)).await.unwrap());
    assert!(store.remember_assertion(&hash("two"), NOW.plus(60)).await.unwrap());
}

async fn of_many_who_use_one_assertion_one_succeeds(store: Store) {
    for round in 0..5 {
        let winners = race(|_| {
            let store = store.clone();
            let hash = hash(&format!("assertion {round}"));
            async move { store.remember_assertion(&hash, NOW.plus(60)).await.unwrap() }
        });
        assert_eq!(winners.await, 1);
    }
}
