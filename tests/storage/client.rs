//! Clients.

use signet::{
    flows::{
        admin::Admin,
        app::{Clock, Random},
    },
    model::{Change, Client, ClientKind, Credentials, Revoked, SecretMethod},
    storage::{ClientUpdate, Creation, Store},
    values::{Algorithm, ClientId, FamilyId},
};
use signet_jwt::{KeySet, SigningKey};

use crate::{
    assert_same,
    nouns::{
        NOW, client, client_id, consent, family, id, resource, revocation, with_family,
        with_shop_and_alice,
    },
    race,
};

on_both_engines! {
    a_client_is_remembered_as_it_was_registered
    every_kind_of_client_is_remembered
    clients_are_listed_by_id
    a_client_id_is_given_once
    of_many_who_register_one_id_one_succeeds
    an_update_changes_what_operators_choose_and_nothing_else
    an_update_of_an_unknown_client_changes_nothing
    an_update_of_an_older_state_changes_nothing
    an_update_never_lets_in_a_client_that_another_stops
    of_many_secrets_made_at_once_none_dies_unseen
    a_disabled_client_and_its_revocation_come_together
    an_enabled_client_gets_nothing_back
    a_deleted_client_takes_along_what_it_was_granted
    deleting_an_unknown_client_revokes_nothing
    every_change_of_a_client_is_noted
}

/// The client is kept as it is here, and has been given places in the status lists.
async fn assert_kept(store: &Store, mut client: Client) {
    let kept = store.client(&client.id).await.unwrap().unwrap();
    assert!(kept.first_status_place.is_some());
    client.first_status_place = kept.first_status_place;
    assert_same(&kept, &client);
}

async fn a_client_is_remembered_as_it_was_registered(store: Store) {
    let shop = client("shop");
    assert_eq!(store.create_client(&shop).await.unwrap(), Creation::Created);
    assert_kept(&store, shop).await;
    assert!(store.client(&client_id("Shop")).await.unwrap().is_none());
}

async fn every_kind_of_client_is_remembered(store: Store) {
    let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    let secret = |method| {
        let ClientKind::Confidential(Credentials::Secret(_, mut secret)) = client("x").kind else {
            unreachable!("the client of these tests has a secret")
        };
        secret.previous = None;
        ClientKind::Confidential(Credentials::Secret(method, secret))
    };
    let kinds = [
        ClientKind::Public,
        ClientKind::Confidential(Credentials::Keys(KeySet::new(vec![key.public()]))),
        secret(SecretMethod::Basic),
        secret(SecretMethod::Post),
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let mut one = client(&format!("client-{number}"));
        one.kind = kind;
        one.disabled_at = Some(NOW);
        store.create_client(&one).await.unwrap();
        assert_kept(&store, one).await;
    }
}

async fn clients_are_listed_by_id(store: Store) {
    for name in ["b", "B", "a-1", "a1", "_"] {
        store.create_client(&client(name)).await.unwrap();
    }
    let ids: Vec<ClientId> = store.clients().await.unwrap().into_iter().map(|c| c.id).collect();
    assert_eq!(ids, ["B", "_", "a-1", "a1", "b"].map(client_id));
}

async fn a_client_id_is_given_once(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let mut impostor = client("shop");
    impostor.name.push_str(" impostor");
    assert_eq!(store.create_client(&impostor).await.unwrap(), Creation::Taken);
    assert_kept(&store, client("shop")).await;
}

async fn of_many_who_register_one_id_one_succeeds(store: Store) {
    for round in 0..4 {
        let winners = race(|_| {
            let store = store.clone();
            let one = client(&format!("client-{round}"));
            async move { store.create_client(&one).await.unwrap() == Creation::Created }
        });
        assert_eq!(winners.await, 1);
    }
}

async fn an_update_changes_what_operators_choose_and_nothing_else(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let mut shop = client("shop");
    shop.name.push_str(" market");
    shop.kind = ClientKind::Public;
    shop.redirect_uris.clear();
    shop.post_logout_redirect_uris.clear();
    shop.grants.clear();
    shop.scope = signet::values::Scope::empty();
    shop.first_party = false;
    shop.pkce_required = true;
    shop.id_token_algorithm = Algorithm::EdDsa;
    shop.policy_uri = None;
    shop.tos_uri = Some("https://shop.example/tos".parse().unwrap());
    shop.disabled_at = Some(NOW.plus(4));
    shop.updated_at = NOW.plus(5);
    shop.created_at = NOW.plus(6);
    assert_eq!(store.update_client(&shop).await.unwrap(), ClientUpdate::Updated);
    shop.created_at = NOW;
    shop.disabled_at = None;
    shop.revision += 1;
    assert_kept(&store, shop).await;
}

async fn an_update_of_an_unknown_client_changes_nothing(store: Store) {
    let updated = store.update_client(&client("shop")).await.unwrap();
    assert_eq!(updated, ClientUpdate::Gone);
    assert!(store.clients().await.unwrap().is_empty());
    assert!(store.changes_after(0).await.unwrap().is_empty());
}

async fn an_update_of_an_older_state_changes_nothing(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let shop = client_id("shop");
    let out = revocation(1, Revoked::Client(shop.clone()), NOW);
    for round in 0..3 {
        let read = store.client(&shop).await.unwrap().unwrap();
        match round {
            0 => assert_eq!(store.update_client(&read).await.unwrap(), ClientUpdate::Updated),
            1 => assert!(store.disable_client(&shop, &out).await.unwrap()),
            _ => assert!(store.enable_client(&shop, NOW).await.unwrap()),
        }
        let kept = store.client(&shop).await.unwrap();
        let notes = store.changes_after(0).await.unwrap();
        assert_eq!(store.update_client(&read).await.unwrap(), ClientUpdate::Stale);
        assert_same(&store.client(&shop).await.unwrap(), &kept);
        assert_eq!(store.changes_after(0).await.unwrap(), notes);
    }
}

async fn an_update_never_lets_in_a_client_that_another_stops(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let shop = client_id("shop");
    for round in 1..=20 {
        store.enable_client(&shop, NOW).await.unwrap();
        let read = store.client(&shop).await.unwrap().unwrap();
        let out = revocation(round, Revoked::Client(shop.clone()), NOW);
        let (updated, disabled) =
            tokio::join!(store.update_client(&read), store.disable_client(&shop, &out));
        updated.unwrap();
        assert!(disabled.unwrap());
        assert!(store.client(&shop).await.unwrap().unwrap().disabled_at.is_some());
    }
}

/// Each who is told a secret has seen the one before it: with an overlap, that one still works.
async fn of_many_secrets_made_at_once_none_dies_unseen(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let (clock, _) = Clock::movable(NOW);
    let admin = Admin { store: store.clone(), clock, random: Random::system() };
    let told = race(|_| {
        let admin = admin.clone();
        async move { admin.rotate_client_secret(&client_id("shop"), 60).await.is_ok() }
    });
    let told = i64::try_from(told.await).unwrap();

    assert!(told >= 1);
    assert_eq!(store.client(&client_id("shop")).await.unwrap().unwrap().revision, told);
}

async fn a_disabled_client_and_its_revocation_come_together(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let before = store.changes_after(0).await.unwrap().len();
    let shop = client_id("shop");
    let out = revocation(1, Revoked::Client(shop.clone()), NOW.plus(5));
    let again = revocation(2, Revoked::Client(shop.clone()), NOW.plus(6));

    assert!(store.disable_client(&shop, &out).await.unwrap());
    assert!(!store.disable_client(&shop, &again).await.unwrap());
    assert!(!store.disable_client(&client_id("none"), &again).await.unwrap());

    let kept = store.client(&shop).await.unwrap().unwrap();
    assert_eq!((kept.disabled_at, kept.updated_at), (Some(NOW.plus(5)), NOW.plus(5)));
    assert_eq!(store.revocations(NOW).await.unwrap(), [out]);
    let noted = store.changes_after(0).await.unwrap().into_iter().skip(before);
    let noted: Vec<Change> = noted.map(|(_, change)| change).collect();
    assert_eq!(noted, [Change::Revocation(id(1)), Change::Client(shop)]);
}

async fn an_enabled_client_gets_nothing_back(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    let shop = client_id("shop");
    assert!(!store.enable_client(&shop, NOW.plus(4)).await.unwrap());
    let out = revocation(1, Revoked::Client(shop.clone()), NOW.plus(5));
    store.disable_client(&shop, &out).await.unwrap();
    let before = store.changes_after(0).await.unwrap().len();

    assert!(store.enable_client(&shop, NOW.plus(6)).await.unwrap());
    assert!(!store.enable_client(&client_id("none"), NOW.plus(6)).await.unwrap());

    let kept = store.client(&shop).await.unwrap().unwrap();
    assert_eq!((kept.disabled_at, kept.updated_at), (None, NOW.plus(6)));
    assert_eq!(store.revocations(NOW).await.unwrap(), [out]);
    let noted = store.changes_after(0).await.unwrap();
    assert_eq!(
        noted.into_iter().skip(before).map(|note| note.1).collect::<Vec<_>>(),
        [Change::Client(shop)]
    );
}

async fn a_deleted_client_takes_along_what_it_was_granted(store: Store) {
    with_shop_and_alice(&store).await;
    with_family(&store, &family(7)).await;
    store.remember_consent(&consent(id(1), "shop")).await.unwrap();
    let mut orders = resource("https://api.example/");
    orders.client = Some(client_id("shop"));
    store.create_resource(&orders).await.unwrap();

    let before = store.changes_after(0).await.unwrap().len();
    let gone = revocation(1, Revoked::Client(client_id("shop")), NOW.plus(9));
    assert!(store.delete_client(&client_id("shop"), &gone).await.unwrap());

    assert!(store.client(&client_id("shop")).await.unwrap().is_none());
    assert!(store.consent(id(1), &client_id("shop")).await.unwrap().is_none());
    assert!(store.code(id(7)).await.unwrap().is_none());
    assert!(store.family(id::<FamilyId>(7)).await.unwrap().is_none());
    assert_eq!(store.resource(&orders.id).await.unwrap().unwrap().client, None);
    assert_eq!(store.revocations(NOW).await.unwrap(), [gone]);
    let noted = store.changes_after(0).await.unwrap().into_iter().skip(before);
    let noted: Vec<Change> = noted.map(|(_, change)| change).collect();
    let deleted = Change::Client(client_id("shop"));
    assert_eq!(noted, [Change::Resources, Change::Revocation(id(1)), deleted]);
}

async fn deleting_an_unknown_client_revokes_nothing(store: Store) {
    let gone = revocation(1, Revoked::Client(client_id("shop")), NOW);
    assert!(!store.delete_client(&client_id("shop"), &gone).await.unwrap());
    assert!(store.revocations(NOW).await.unwrap().is_empty());
    assert!(store.changes_after(0).await.unwrap().is_empty());
}

async fn every_change_of_a_client_is_noted(store: Store) {
    let mut shop = client("shop");
    store.create_client(&shop).await.unwrap();
    store.create_client(&shop).await.unwrap();
    shop.updated_at = NOW.plus(8);
    store.update_client(&shop).await.unwrap();

    let noted = store.changes_after(0).await.unwrap();
    let change = Change::Client(shop.id);
    assert_eq!(noted.iter().map(|(_, change)| change).collect::<Vec<_>>(), [&change; 2]);
    assert!(noted[0].0 < noted[1].0);
    assert_eq!(store.changes_after(noted[0].0).await.unwrap(), [noted[1].clone()]);
}
