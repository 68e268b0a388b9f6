//! Devices that ask to be let in.

use signet::{
    model::{Approval, Asker, DeviceRequest, DeviceState, Revoked},
    storage::{DeviceAdmission, Entry, EntryLimit, Redemption, Store},
    values::{DeviceId, FamilyId, Timestamp, TokenHash},
};

use crate::{
    assert_same,
    nouns::{
        NOW, authorization, client_id, family, hash, id, revocation, scope, with_shop_and_alice,
    },
    race,
};

on_both_engines! {
    a_request_is_remembered_as_it_came
    a_user_code_is_nobody_elses
    a_client_has_so_many_requests_waiting_and_no_more
    a_poll_is_remembered_once
    a_device_is_slowed_down_once_for_each_haste
    a_code_finds_its_request_while_nobody_has_answered
    wrong_codes_are_counted_and_right_ones_are_not
    of_many_wrong_codes_at_once_no_more_than_the_limit_are_looked_at
    a_request_is_answered_once
    of_many_who_answer_one_is_heard
    only_somebody_who_is_signed_in_allows_anything
    a_request_is_redeemed_once
    of_many_who_redeem_a_request_one_succeeds
    nothing_is_redeemed_that_was_not_allowed
    signing_out_takes_back_what_was_not_redeemed
    a_device_and_shutting_its_person_out_leave_no_living_family
    what_has_served_its_time_is_forgotten
}

const LIMIT: EntryLimit = EntryLimit { entries: 3, seconds: 600 };

fn device(number: u128) -> DeviceRequest {
    DeviceRequest {
        id: id(number),
        secret: hash("device code"),
        user_code: code(number),
        client: client_id("shop"),
        scope: scope("openid orders:read"),
        resources: vec!["https://api.example/".parse().unwrap()],
        asker: Asker { address: "2001:db8::1".to_owned(), user_agent: "tv/1 (Ü)".to_owned() },
        interval: 5,
        polled_at: None,
        created_at: NOW,
        expires_at: NOW.plus(600),
        state: DeviceState::Pending,
    }
}

fn code(number: u128) -> TokenHash {
    hash(&format!("user code {number}"))
}

/// Alice's, in session 1.
fn approval() -> Approval {
    Approval { user: id(1), authentication: authorization().authentication }
}

async fn keep(store: &Store, number: u128) {
    let kept = store.keep_device(&device(number), 1000).await.unwrap();
    assert_eq!(kept, DeviceAdmission::Kept);
}

async fn state(store: &Store, number: u128) -> DeviceState {
    store.device(id(number)).await.unwrap().unwrap().state
}

async fn enter(store: &Store, number: u128, now: Timestamp) -> Entry {
    store.enter_user_code(id(1), &[code(number)], LIMIT, now).await.unwrap()
}

async fn a_request_is_remembered_as_it_came(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 7).await;
    assert_same(&store.device(id(7)).await.unwrap(), &Some(device(7)));
    assert!(store.device(id(8)).await.unwrap().is_none());
    let mut bare = device(8);
    bare.resources.clear();
    bare.scope = signet::values::Scope::empty();
    bare.asker = Asker::default();
    store.keep_device(&bare, 1000).await.unwrap();
    assert_same(&store.device(id(8)).await.unwrap(), &Some(bare));
}

async fn a_user_code_is_nobody_elses(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 7).await;
    let again = DeviceRequest { user_code: code(7), ..device(8) };
    assert_eq!(store.keep_device(&again, 1000).await.unwrap(), DeviceAdmission::CodeTaken);
    assert!(store.device(id(8)).await.unwrap().is_none());
}

async fn a_client_has_so_many_requests_waiting_and_no_more(store: Store) {
    with_shop_and_alice(&store).await;
    let keep = async |device: DeviceRequest| store.keep_device(&device, 2).await.unwrap();
    assert_eq!(keep(device(1)).await, DeviceAdmission::Kept);
    assert_eq!(keep(device(2)).await, DeviceAdmission::Kept);
    assert_eq!(keep(device(3)).await, DeviceAdmission::TooMany);
    let other = DeviceRequest { client: client_id("other"), ..device(4) };
    assert_eq!(keep(other).await, DeviceAdmission::Kept, "another client's do not count");
    let (created_at, expires_at) = (NOW.plus(600), NOW.plus(1200));
    let later = DeviceRequest { created_at, expires_at, ..device(5) };
    assert_eq!(keep(later).await, DeviceAdmission::Kept, "those before have expired");
}

async fn a_poll_is_remembered_once(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 7).await;
    let first = race(|_| {
        let store = store.clone();
        async move { store.device_polled(id(7), None, NOW).await.unwrap() }
    });
    assert_eq!(first.await, 1);
    assert!(!store.device_polled(id(7), Some(NOW.plus(1)), NOW.plus(5)).await.unwrap());
    assert!(store.device_polled(id(7), Some(NOW), NOW.plus(5)).await.unwrap());
    assert_eq!(store.device(id(7)).await.unwrap().unwrap().polled_at, Some(NOW.plus(5)));
}

async fn a_device_is_slowed_down_once_for_each_haste(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 7).await;
    let slowed = race(|_| {
        let store = store.clone();
        async move { store.slow_device(id(7), 5, 10).await.unwrap() }
    });
    assert_eq!(slowed.await, 1);
    assert_eq!(store.device(id(7)).await.unwrap().unwrap().interval, 10);
}

async fn a_code_finds_its_request_while_nobody_has_answered(store: Store) {
    with_shop_and_alice(&store).await;
    for number in 1..=3 {
        keep(&store, number).await;
    }
    let found = store.enter_user_code(id(1), &[code(9), code(1)], LIMIT, NOW).await.unwrap();
    assert!(matches!(found, Entry::Found(found) if found.id == id::<DeviceId>(1)));
    assert!(store.allow_device(id(1), &approval(), NOW).await.unwrap());
    assert!(store.deny_device(id(2), NOW).await.unwrap());
    assert!(matches!(enter(&store, 1, NOW).await, Entry::Wrong));
    assert!(matches!(enter(&store, 2, NOW).await, Entry::Wrong));
    assert!(matches!(enter(&store, 3, NOW.plus(600)).await, Entry::Wrong));
}

async fn wrong_codes_are_counted_and_right_ones_are_not(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 7).await;
    for _ in 0..3 {
        for _ in 0..5 {
            assert!(matches!(enter(&store, 7, NOW).await, Entry::Found(_)));
        }
        assert!(matches!(enter(&store, 8, NOW).await, Entry::Wrong));
    }
    assert!(matches!(enter(&store, 7, NOW).await, Entry::TooMany));
    assert!(matches!(enter(&store, 7, NOW.plus(599)).await, Entry::TooMany));
    // Whoever was counted starts again, and is counted again.
    for _ in 0..3 {
        assert!(matches!(enter(&store, 8, NOW.plus(600)).await, Entry::Wrong));
    }
    assert!(matches!(enter(&store, 8, NOW.plus(600)).await, Entry::TooMany));
}

async fn of_many_wrong_codes_at_once_no_more_than_the_limit_are_looked_at(store: Store) {
    with_shop_and_alice(&store).await;
    let looked_at = race(|number| {
        let store = store.clone();
        async move { matches!(enter(&store, number, NOW).await, Entry::Wrong) }
    });
    assert_eq!(looked_at.await, 3);
}

async fn a_request_is_answered_once(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 1).await;
    keep(&store, 2).await;
    assert!(store.allow_device(id(1), &approval(), NOW).await.unwrap());
    assert_eq!(state(&store, 1).await, DeviceState::Allowed(approval()));
    assert!(!store.deny_device(id(1), NOW).await.unwrap());
    assert!(!store.allow_device(id(1), &approval(), NOW).await.unwrap());
    assert!(store.deny_device(id(2), NOW).await.unwrap());
    assert!(!store.allow_device(id(2), &approval(), NOW).await.unwrap());
    assert_eq!(state(&store, 2).await, DeviceState::Denied);

    keep(&store, 3).await;
    assert!(!store.allow_device(id(3), &approval(), NOW.plus(600)).await.unwrap());
    assert!(!store.deny_device(id(3), NOW.plus(600)).await.unwrap());
    assert_eq!(state(&store, 3).await, DeviceState::Pending);
}

async fn of_many_who_answer_one_is_heard(store: Store) {
    with_shop_and_alice(&store).await;
    for round in 1..=5 {
        keep(&store, round).await;
        let heard = race(|number| {
            let store = store.clone();
            async move {
                if number % 2 == 0 {
                    store.allow_device(id(round), &approval(), NOW).await.unwrap()
                } else {
                    store.deny_device(id(round), NOW).await.unwrap()
                }
            }
        });
        assert_eq!(heard.await, 1);
    }
}

async fn only_somebody_who_is_signed_in_allows_anything(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 1).await;
    store.end_session(id(1), &revocation(1, Revoked::Session(id(1)), NOW)).await.unwrap();
    assert!(!store.allow_device(id(1), &approval(), NOW).await.unwrap());
    assert_eq!(state(&store, 1).await, DeviceState::Pending);
}

async fn a_request_is_redeemed_once(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 1).await;
    store.allow_device(id(1), &approval(), NOW).await.unwrap();
    let first = store.redeem_device(id(1), &family(1), NOW).await.unwrap();
    let second = store.redeem_device(id(1), &family(9), NOW).await.unwrap();
    assert_eq!((first, second), (Redemption::Redeemed, Redemption::Replayed));
    assert_eq!(state(&store, 1).await, DeviceState::Spent);
    assert!(store.family(id(9)).await.unwrap().is_none());
    assert_same(&store.family(id(1)).await.unwrap(), &Some(family(1)));
}

async fn of_many_who_redeem_a_request_one_succeeds(store: Store) {
    with_shop_and_alice(&store).await;
    for round in 1..=5 {
        keep(&store, round).await;
        store.allow_device(id(round), &approval(), NOW).await.unwrap();
        let winners = race(|number| {
            let store = store.clone();
            let family = family(round * 100 + number);
            async move {
                let redeemed = store.redeem_device(id(round), &family, NOW).await;
                redeemed.unwrap() == Redemption::Redeemed
            }
        });
        assert_eq!(winners.await, 1);
        let mut kept = 0;
        for number in 1..=64 {
            let family = store.family(id(round * 100 + number)).await.unwrap();
            kept += usize::from(family.is_some());
        }
        assert_eq!(kept, 1);
    }
}

async fn nothing_is_redeemed_that_was_not_allowed(store: Store) {
    with_shop_and_alice(&store).await;
    for number in 1..=3 {
        keep(&store, number).await;
    }
    store.deny_device(id(2), NOW).await.unwrap();
    store.allow_device(id(3), &approval(), NOW).await.unwrap();
    for (number, now) in [(1, NOW), (2, NOW), (3, NOW.plus(600)), (4, NOW)] {
        let redeemed = store.redeem_device(id(number), &family(number), now).await.unwrap();
        assert_eq!(redeemed, Redemption::Replayed, "{number}");
        assert!(store.family(id(number)).await.unwrap().is_none());
    }
}

async fn signing_out_takes_back_what_was_not_redeemed(store: Store) {
    with_shop_and_alice(&store).await;
    for number in 1..=3 {
        keep(&store, number).await;
    }
    store.allow_device(id(1), &approval(), NOW).await.unwrap();
    store.allow_device(id(2), &approval(), NOW).await.unwrap();
    store.redeem_device(id(2), &family(2), NOW).await.unwrap();
    store.end_session(id(1), &revocation(1, Revoked::Session(id(1)), NOW)).await.unwrap();
    assert!(store.device(id(1)).await.unwrap().is_none());
    assert_eq!(state(&store, 2).await, DeviceState::Spent, "a second use is still recognised");
    assert_eq!(state(&store, 3).await, DeviceState::Pending);
}

async fn a_device_and_shutting_its_person_out_leave_no_living_family(store: Store) {
    for round in 1..=20 {
        with_shop_and_alice(&store).await;
        keep(&store, round).await;
        store.allow_device(id(round), &approval(), NOW).await.unwrap();
        let family = family(round);
        let out = revocation(round, Revoked::User(id(1)), NOW);
        let redeem = store.redeem_device(id(round), &family, NOW);
        if round % 2 == 0 {
            let (redeemed, disabled) = tokio::join!(redeem, store.disable_user(id(1), &out));
            redeemed.unwrap();
            assert!(disabled.unwrap());
            let kept = store.family(id::<FamilyId>(round)).await.unwrap();
            assert!(kept.is_none_or(|family| family.revoked_at.is_some()));
            let gone = revocation(round + 100, Revoked::User(id(1)), NOW);
            store.delete_user(id(1), &gone).await.unwrap();
        } else {
            let (redeemed, deleted) = tokio::join!(redeem, store.delete_user(id(1), &out));
            redeemed.unwrap();
            assert!(deleted.unwrap());
        }
        assert!(store.family(id::<FamilyId>(round)).await.unwrap().is_none());
        assert!(store.device(id(round)).await.unwrap().is_none());
    }
}

async fn what_has_served_its_time_is_forgotten(store: Store) {
    with_shop_and_alice(&store).await;
    keep(&store, 1).await;
    enter(&store, 8, NOW).await;
    // Ten minutes after the code has expired, and as long after the first wrong one.
    store.expire(NOW.plus(1200), 10, 10).await.unwrap();
    assert!(store.device(id(1)).await.unwrap().is_some());
    let swept = store.expire(NOW.plus(1201), 10, 10).await.unwrap();
    assert!(swept >= 1);
    assert!(store.device(id(1)).await.unwrap().is_none());

    let rows = async |name: &str| {
        let tables = store.report().await.unwrap();
        tables.into_iter().find(|table| table.name == name).unwrap().rows
    };
    assert_eq!((rows("device_requests").await, rows("wrong_user_codes").await), (0, 0));
}
