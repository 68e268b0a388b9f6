//! API keys: exchanged once, and verified offline from then on.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::Ordering,
};

use axum::{
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use signet_guard::{Algorithm, CallerAddress, Guard, Presented};
use signet_jwt::SigningKey;

use crate::support::{API, Exchange, World, refusal, request, told};

fn key(letter: &str) -> String {
    let body = format!("sgk_{}", letter.repeat(64));
    format!("{body}{}", BASE64.encode(&Sha256::digest(&body)[..6]))
}

async fn guard(world: &World) -> Guard {
    world.builder().api_keys("orders-api", "secret").await.unwrap()
}

fn give(world: &World) {
    let token = world.token(json!({"sub": "ada", "api_key": "k1"}));
    answer(world, 200, json!({"access_token": token, "token_type": "Bearer", "expires_in": 300}));
}

fn answer(world: &World, status: u16, body: serde_json::Value) {
    let status = StatusCode::from_u16(status).unwrap();
    *world.state.exchange.lock().unwrap() = Some((status, body));
}

fn asked(world: &World) -> usize {
    world.state.exchanges.lock().unwrap().len()
}

async fn judged<B>(guard: &Guard, request: &Request<B>) -> (u16, String) {
    match guard.verify(&Presented::by(request)).await {
        Ok(caller) => (200, caller.api_key().unwrap_or("none").to_owned()),
        Err(refusal) => told(&refusal),
    }
}

async fn with_key(guard: &Guard, key: &str) -> (u16, String) {
    judged(guard, &request("/", &[("x-api-key", key)])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_with_one_key_cause_one_exchange() {
    let world = World::new().await;
    let guard = guard(&world).await;
    give(&world);
    world.state.delay.store(50, Ordering::SeqCst);
    let key = key("a");
    let all = (0..1000).map(|_| with_key(&guard, &key));
    for judged in futures_util::future::join_all(all).await {
        assert_eq!(judged, (200, "k1".to_owned()));
    }
    let bearer = format!("Bearer {key}");
    assert_eq!(judged(&guard, &request("/", &[("authorization", &bearer)])).await.0, 200);

    let exchanges = world.state.exchanges.lock().unwrap();
    assert_eq!(exchanges.len(), 1);
    let Exchange { authorization, form } = &exchanges[0];
    assert_eq!(*authorization, format!("Basic {}", BASE64_STANDARD.encode("orders-api:secret")));
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:signet:params:oauth:token-type:api-key"),
        ("subject_token", &key),
        ("audience", API),
    ] {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{name}: {form:?}");
    }
}

#[tokio::test]
async fn a_key_is_exchanged_anew_before_its_token_ends() {
    let world = World::new().await;
    let guard = guard(&world).await;
    give(&world);
    assert_eq!(with_key(&guard, &key("a")).await.0, 200);
    world.clock.wait(294);
    assert_eq!((with_key(&guard, &key("a")).await.0, asked(&world)), (200, 1));
    give(&world);
    world.clock.wait(1);
    assert_eq!((with_key(&guard, &key("a")).await.0, asked(&world)), (200, 2));
}

#[tokio::test]
async fn a_key_that_is_refused_is_asked_about_once_in_five_seconds() {
    let world = World::new().await;
    let guard = guard(&world).await;
    answer(&world, 400, json!({"error": "invalid_grant"}));
    for _ in 0..10 {
        let refused = with_key(&guard, &key("a")).await;
        assert_eq!(
            refused,
            (401, "invalid_token: the api key is not valid, or not here".to_owned())
        );
    }
    assert_eq!(asked(&world), 1);
    give(&world);
    world.clock.wait(5);
    assert_eq!(with_key(&guard, &key("a")).await.0, 200);
}

#[tokio::test]
async fn garbage_is_no_key_and_nobody_is_asked_about_it() {
    let world = World::new().await;
    let guard = guard(&world).await;
    for bad in ["", "sgk_", "secret", &key("a").replacen('a', "b", 1)] {
        assert_eq!(with_key(&guard, bad).await.0, 401, "{bad}");
    }
    assert_eq!(asked(&world), 0);
}

#[tokio::test]
async fn a_key_is_used_from_where_the_connection_says_or_whoever_knows_better() {
    let world = World::new().await;
    let guard = guard(&world).await;
    give(&world);
    let mut request = request("/", &[("x-api-key", &key("a"))]);
    let peer: SocketAddr = "[::ffff:192.0.2.7]:5000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    assert_eq!(judged(&guard, &request).await.0, 200);
    let told: IpAddr = "2001:db8::1".parse().unwrap();
    request.extensions_mut().insert(CallerAddress(told));
    assert_eq!(judged(&guard, &request).await.0, 200);

    let exchanges = world.state.exchanges.lock().unwrap();
    let addresses = exchanges.iter().flat_map(|exchange| &exchange.form);
    let addresses = addresses.filter(|(name, _)| name == "client_address");
    let addresses: Vec<&str> = addresses.map(|(_, value)| value.as_str()).collect();
    assert_eq!(addresses, ["192.0.2.7", "2001:db8::1"]);
}

#[tokio::test]
async fn a_key_that_is_used_too_often_is_told_when_to_come_again() {
    let world = World::new().await;
    let guard = guard(&world).await;
    answer(&world, 429, json!({"error": "temporarily_unavailable"}));
    let request = request("/", &[("x-api-key", &key("a"))]);
    let refusal = guard.verify(&Presented::by(&request)).await.unwrap_err();
    let response = refusal.into_response::<String>();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"30".parse().unwrap())
    );
}

#[tokio::test]
async fn trouble_between_this_api_and_the_server_is_not_the_callers() {
    let world = World::new().await;
    for (status, error) in
        [(401, "invalid_client"), (400, "unauthorized_client"), (500, "x"), (200, "x")]
    {
        let guard = guard(&world).await;
        answer(&world, status, json!({"error": error}));
        assert_eq!(with_key(&guard, &key("a")).await.0, 503, "{status} {error}");
    }
}

#[tokio::test]
async fn keys_that_could_not_be_fetched_again_stop_no_exchange() {
    let world = World::new().await;
    let guard = guard(&world).await;
    give(&world);
    world.serve_jwks(StatusCode::SERVICE_UNAVAILABLE, "");
    let (stranger, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let unknown = stranger.sign("at+jwt", &world.claims(json!({}))).unwrap();
    assert_eq!(refusal(&guard, &unknown).await.0, 401);
    assert_eq!(with_key(&guard, &key("a")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_good_keys_at_once_are_all_exchanged() {
    let world = World::new().await;
    let guard = guard(&world).await;
    give(&world);
    world.state.delay.store(50, Ordering::SeqCst);
    let keys: Vec<String> =
        ('A'..='Z').chain('a'..='z').map(|each| key(&each.to_string())).collect();
    let all = keys.iter().map(|key| with_key(&guard, key));
    for judged in futures_util::future::join_all(all).await {
        assert_eq!(judged.0, 200, "{judged:?}");
    }
    assert_eq!(asked(&world), 52);
}

#[tokio::test]
async fn an_api_that_takes_no_keys_does_not_know_one() {
    let world = World::new().await;
    let guard = world.guard().await;
    assert_eq!(with_key(&guard, &key("a")).await.0, 401);
    let token = format!("Bearer {}", world.token(json!({})));
    let both = request("/", &[("x-api-key", "anything"), ("authorization", &token)]);
    assert_eq!(judged(&guard, &both).await.0, 200);
}

/// What the server gives for a key is checked like any other token.
#[tokio::test]
async fn a_token_that_a_key_was_exchanged_for_is_verified() {
    let world = World::new().await;
    let guard = guard(&world).await;
    let foreign = world.token(json!({"aud": "https://other.example.com"}));
    answer(
        &world,
        200,
        json!({"access_token": foreign, "token_type": "Bearer", "expires_in": 300}),
    );
    assert_eq!(with_key(&guard, &key("a")).await.0, 401);
}
