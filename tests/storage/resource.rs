//! Protected APIs.

use signet::{
    model::Change,
    storage::{Creation, Store},
    values::{Algorithm, Resource},
};

use crate::{
    assert_same,
    nouns::{NOW, client, client_id, resource, scope},
};

on_both_engines! {
    an_api_is_found_by_every_spelling_of_its_identifier
    an_identifier_is_given_once_in_all_its_spellings
    apis_are_listed_by_identifier
    an_update_changes_all_but_the_identifier_and_the_date
    a_deleted_api_is_gone
    every_change_of_an_api_is_noted
}

fn spelt(text: &str) -> Resource {
    text.parse().unwrap()
}

async fn an_api_is_found_by_every_spelling_of_its_identifier(store: Store) {
    let orders = resource("https://API.example");
    assert_eq!(store.create_resource(&orders).await.unwrap(), Creation::Created);
    for spelling in ["https://API.example", "https://api.example/", "HTTPS://api.EXAMPLE"] {
        let found = store.resource(&spelt(spelling)).await.unwrap();
        assert_same(&found, &Some(&orders));
    }
    assert!(store.resource(&spelt("https://api.example/x")).await.unwrap().is_none());
}

async fn an_identifier_is_given_once_in_all_its_spellings(store: Store) {
    store.create_resource(&resource("https://api.example")).await.unwrap();
    for spelling in ["https://api.example", "https://api.example/", "https://API.example"] {
        let created = store.create_resource(&resource(spelling)).await.unwrap();
        assert_eq!(created, Creation::Taken, "{spelling}");
    }
    assert_eq!(store.resources().await.unwrap().len(), 1);
}

async fn apis_are_listed_by_identifier(store: Store) {
    for name in ["urn:orders", "https://b.example/", "https://a.example/"] {
        store.create_resource(&resource(name)).await.unwrap();
    }
    let listed: Vec<_> = store.resources().await.unwrap().into_iter().map(|r| r.id).collect();
    assert_eq!(listed, ["https://a.example/", "https://b.example/", "urn:orders"].map(spelt));
}

async fn an_update_changes_all_but_the_identifier_and_the_date(store: Store) {
    store.create_client(&client("shop")).await.unwrap();
    store.create_resource(&resource("https://api.example/")).await.unwrap();
    let mut orders = resource("https://API.example");
    orders.name.push_str(" and invoices");
    orders.scope = scope("invoices");
    orders.client = Some(client_id("shop"));
    orders.algorithm = Algorithm::Ps256;
    orders.created_at = NOW.plus(1);
    orders.updated_at = NOW.plus(2);
    assert!(store.update_resource(&orders).await.unwrap());

    orders.id = spelt("https://api.example/");
    orders.created_at = NOW;
    assert_same(&store.resource(&orders.id).await.unwrap(), &Some(orders));
    assert!(!store.update_resource(&resource("urn:other")).await.unwrap());
}

async fn a_deleted_api_is_gone(store: Store) {
    store.create_resource(&resource("https://api.example/")).await.unwrap();
    assert!(store.delete_resource(&spelt("https://api.example"), NOW).await.unwrap());
    assert!(!store.delete_resource(&spelt("https://api.example"), NOW).await.unwrap());
    assert!(store.resources().await.unwrap().is_empty());
}

async fn every_change_of_an_api_is_noted(store: Store) {
    let mut orders = resource("https://api.example/");
    store.create_resource(&orders).await.unwrap();
    orders.updated_at = NOW.plus(1);
    store.update_resource(&orders).await.unwrap();
    store.delete_resource(&orders.id, NOW.plus(2)).await.unwrap();
    store.delete_resource(&orders.id, NOW.plus(3)).await.unwrap();
    let noted = store.changes_after(0).await.unwrap();
    let noted: Vec<Change> = noted.into_iter().map(|(_, change)| change).collect();
    assert_eq!(noted, [const { Change::Resources }; 3]);
}
