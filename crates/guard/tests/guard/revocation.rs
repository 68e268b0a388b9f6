//! Revocation, by lists and by events.

use std::{io::Write, sync::atomic::Ordering, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use flate2::{Compression, write::ZlibEncoder};
use serde_json::{Value, json};
use signet_guard::{Algorithm, Clock, Guard, Revocation};
use signet_jwt::SigningKey;

use crate::support::{World, bearer, refusal};

/// The states of sixteen tokens, of which some are revoked.
fn claims(world: &World, revoked: &[usize]) -> Value {
    let mut states = [0u8; 2];
    for index in revoked {
        states[index / 8] |= 1 << (index % 8);
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&states).unwrap();
    json!({
        "iss": world.issuer,
        "sub": format!("{}/status/0", world.issuer),
        "iat": world.clock.now(),
        "exp": world.clock.now().plus(600),
        "ttl": 2,
        "status_list": { "bits": 1, "lst": BASE64.encode(zlib.finish().unwrap()) },
    })
}

fn publish(world: &World, key: &SigningKey, typ: &str, claims: &Value) {
    *world.state.list.lock().unwrap() = Some(key.sign(typ, claims).unwrap());
}

fn revoke(world: &World, revoked: &[usize]) {
    publish(world, &world.key(), "statuslist+jwt", &claims(world, revoked));
}

fn token_at(world: &World, idx: u64) -> String {
    let uri = format!("{}/status/0", world.issuer);
    world.token(json!({"status": {"status_list": {"idx": idx, "uri": uri}}}))
}

/// Until it is so: what is fetched in the background arrives when it does.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come to pass");
}

#[tokio::test]
async fn a_token_is_refused_once_the_list_says_that_it_is_revoked() {
    let world = World::new().await;
    let guard = world.guard().await;
    revoke(&world, &[]);
    let (token, other) = (token_at(&world, 3), token_at(&world, 4));
    for _ in 0..100 {
        bearer(&guard, &token).await.unwrap();
    }
    assert_eq!(world.state.asked_for_list.load(Ordering::SeqCst), 1);

    revoke(&world, &[3]);
    world.clock.wait(4);
    assert_eq!(
        refusal(&guard, &token).await,
        (401, "invalid_token: the token is revoked".to_owned())
    );
    bearer(&guard, &other).await.unwrap();
}

#[tokio::test]
async fn a_list_that_is_not_the_servers_is_not_believed() {
    let world = World::new().await;
    let token = token_at(&world, 3);
    let good = claims(&world, &[]);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let (stranger, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    let content = |lst: &str, bits: u8| json!({"bits": bits, "lst": lst});
    let states = good["status_list"]["lst"].as_str().unwrap();
    let cases = [
        (true, "statuslist+jwt", good.clone()),
        (false, "at+jwt", good.clone()),
        (false, "statuslist+jwt", with("sub", json!(format!("{}/status/1", world.issuer)))),
        (false, "statuslist+jwt", with("exp", json!(world.clock.now().minus(1)))),
        (false, "statuslist+jwt", with("status_list", content(states, 3))),
        (false, "statuslist+jwt", with("status_list", content("AAAA", 1))),
        (false, "statuslist+jwt", with("status_list", json!(7))),
    ];
    for (by_stranger, typ, claims) in cases {
        let key = if by_stranger { &stranger } else { &*world.key() };
        publish(&world, key, typ, &claims);
        let guard = world.guard().await;
        assert_eq!(refusal(&guard, &token).await.0, 503, "{typ} {claims}");
    }
    revoke(&world, &[]);
    bearer(&world.guard().await, &token).await.unwrap();
    assert_eq!(refusal(&world.guard().await, &token_at(&world, 16)).await.0, 503);
}

/// A place that is not under the issuer is never fetched: a token would choose whom this API calls.
#[tokio::test]
async fn a_token_does_not_choose_whom_the_guard_asks() {
    let world = World::new().await;
    let (other, guard) = (World::new().await, world.guard().await);
    for uri in [
        format!("{}/status/0", other.issuer),
        format!("{}@{}/status/0", world.issuer, other.issuer.strip_prefix("http://").unwrap()),
        format!("{}.evil.test/status/0", world.issuer),
    ] {
        let token = world.token(json!({"status": {"status_list": {"idx": 0, "uri": uri}}}));
        assert_eq!(refusal(&guard, &token).await.0, 503);
    }
    assert_eq!(other.state.asked_for_list.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_last_list_counts_until_it_expires_while_the_server_is_away() {
    let world = World::new().await;
    let strict = world.guard().await;
    let lenient = world.builder().accept_when_revocation_is_unknown().await.unwrap();
    revoke(&world, &[3]);
    let token = |idx| token_at(&world, idx);
    for guard in [&strict, &lenient] {
        bearer(guard, &token(1)).await.unwrap();
    }
    *world.state.list.lock().unwrap() = None;
    world.clock.wait(599);
    bearer(&strict, &token(1)).await.unwrap();
    assert_eq!(refusal(&strict, &token(3)).await.0, 401);

    world.clock.wait(2);
    let refused = bearer(&strict, &token(1)).await.unwrap_err();
    assert_eq!(refused.into_response::<String>().headers()["retry-after"], "2");
    bearer(&lenient, &token(1)).await.unwrap();
}

#[tokio::test]
async fn nothing_is_asked_for_who_does_not_want_to_know() {
    let world = World::new().await;
    let guard = world.builder().revocation(Revocation::Off).await.unwrap();
    revoke(&world, &[3]);
    bearer(&guard, &token_at(&world, 3)).await.unwrap();
    assert_eq!(world.state.asked_for_list.load(Ordering::SeqCst), 0);
}

fn push(world: &World, event: &str, data: &Value) {
    let event = format!("event: {event}\ndata: {data}\n\n");
    world.state.events.lock().unwrap().push_str(&event);
}

fn places(world: &World, idx: &[u64]) -> Value {
    json!({"uri": format!("{}/status/0", world.issuer), "idx": idx})
}

async fn accepts(guard: &Guard, token: &str) -> bool {
    bearer(guard, token).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_is_told_and_asks_for_no_list_any_more() {
    let world = World::new().await;
    let guard = world.builder().revocation(Revocation::Events).await.unwrap();
    revoke(&world, &[]);
    push(&world, "snapshot", &places(&world, &[3]));
    let (token, next) = (token_at(&world, 3), token_at(&world, 4));
    bearer(&guard, &token).await.unwrap();

    push(&world, "current", &json!({}));
    until(async || !accepts(&guard, &token).await).await;
    let asked = world.state.asked_for_list.load(Ordering::SeqCst);
    assert!(accepts(&guard, &next).await);
    push(&world, "revoked", &places(&world, &[4]));
    until(async || !accepts(&guard, &next).await).await;
    assert_eq!(world.state.asked_for_list.load(Ordering::SeqCst), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hears_nothing_any_more_reads_the_lists() {
    let world = World::new().await;
    let guard = world.builder().revocation(Revocation::Events).await.unwrap();
    revoke(&world, &[5]);
    push(&world, "snapshot", &places(&world, &[3]));
    push(&world, "current", &json!({}));
    let (token, other) = (token_at(&world, 3), token_at(&world, 5));
    until(async || !accepts(&guard, &token).await).await;
    assert!(accepts(&guard, &other).await);
    world.clock.wait(6);
    assert!(!accepts(&guard, &other).await && accepts(&guard, &token).await);
}
