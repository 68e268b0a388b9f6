//! Proofs of possession.

use signet::{
    storage::Store,
    values::{Binding, Thumbprint},
};

use crate::{
    nouns::{NOW, family, hash, id, with_family, with_shop_and_alice},
    race,
};

on_both_engines! {
    a_proof_is_new_once
    of_many_who_use_one_proof_one_succeeds
    a_proof_is_forgotten_at_its_end
    a_family_is_bound_once
}

async fn a_proof_is_new_once(store: Store) {
    assert!(store.remember_proof(&hash("one"), NOW.plus(60)).await.unwrap());
    assert!(!store.remember_proof(&hash("one"), NOW.plus(90)).await.unwrap());
    assert!(store.remember_proof(&hash("two"), NOW.plus(60)).await.unwrap());
    assert!(store.remember_assertion(&hash("one"), NOW.plus(60)).await.unwrap());
}

async fn of_many_who_use_one_proof_one_succeeds(store: Store) {
    for round in 0..5 {
        let winners = race(|_| {
            let store = store.clone();
            let hash = hash(&format!("proof {round}"));
            async move { store.remember_proof(&hash, NOW.plus(60)).await.unwrap() }
        });
        assert_eq!(winners.await, 1);
    }
}

async fn a_proof_is_forgotten_at_its_end(store: Store) {
    for number in 0..7 {
        let until = NOW.plus(number % 2);
        store.remember_proof(&hash(&number.to_string()), until).await.unwrap();
    }
    assert_eq!(store.expire(NOW, 2, 100).await.unwrap(), 0);
    assert_eq!(store.expire(NOW.plus(1), 2, 100).await.unwrap(), 4);
    assert_eq!(store.expire(NOW.plus(2), 2, 100).await.unwrap(), 3);
}

async fn a_family_is_bound_once(store: Store) {
    with_shop_and_alice(&store).await;
    let mut free = family(7);
    free.binding = Binding::Bearer;
    with_family(&store, &free).await;
    for key in [1, 2] {
        store.bind_family(id(7), Thumbprint::from([key; 32])).await.unwrap();
        let bound = store.family(id(7)).await.unwrap().unwrap();
        assert_eq!(bound.binding, Binding::Dpop([1; 32].into()));
    }
}
