//! Keys: fetched once, kept, and survived.

use std::{sync::atomic::Ordering, time::Duration};

use axum::http::StatusCode;
use serde_json::json;
use signet_guard::{Algorithm, BuildError};
use signet_jwt::{KeySet, SigningKey};

use crate::support::{World, bearer, refusal};

#[tokio::test]
async fn keys_are_fetched_once_for_as_long_as_they_may_be_kept() {
    let world = World::new().await;
    let guard = world.guard().await;
    for _ in 0..299 {
        bearer(&guard, &world.token(json!({}))).await.unwrap();
        world.clock.wait(1);
    }
    assert_eq!(world.asked_for_keys(), 1);
    world.clock.wait(2);
    bearer(&guard, &world.token(json!({}))).await.unwrap();
    while world.asked_for_keys() < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_tokens_at_once_have_the_keys_fetched_once() {
    let world = World::new().await;
    world.state.delay.store(50, Ordering::SeqCst);
    let guard = world.builder().build().unwrap();
    let token = world.token(json!({}));
    let all = (0..1000).map(|_| bearer(&guard, &token));
    for caller in futures_util::future::join_all(all).await {
        caller.unwrap();
    }
    assert_eq!(world.asked_for_keys(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_unknown_keys_in_a_second_cause_one_request() {
    let world = World::new().await;
    let guard = world.guard().await;
    let strangers = (0..1000).map(|_| {
        let (key, _) = SigningKey::generate(Algorithm::EdDsa).unwrap();
        key.sign("at+jwt", &world.claims(json!({}))).unwrap()
    });
    let strangers: Vec<String> = strangers.collect();
    let refusals = strangers.iter().map(|token| refusal(&guard, token));
    for refusal in futures_util::future::join_all(refusals).await {
        assert_eq!(refusal.0, 401, "{refusal:?}");
    }
    assert_eq!(world.asked_for_keys(), 2);
    bearer(&guard, &world.token(json!({}))).await.unwrap();
}

#[tokio::test]
async fn fifty_rotations_refuse_no_valid_token() {
    let world = World::new().await;
    let guard = world.guard().await;
    let mut before = world.token(json!({}));
    for _ in 0..50 {
        world.clock.wait(10);
        world.rotate();
        let after = world.token(json!({}));
        bearer(&guard, &before).await.unwrap();
        bearer(&guard, &after).await.unwrap();
        before = after;
    }
    assert!(world.asked_for_keys() <= 53, "{}", world.asked_for_keys());
}

/// The server publishes a key long before it signs with it; a cache that holds it needs no luck.
#[tokio::test]
async fn a_key_that_is_not_published_any_more_is_not_believed_when_the_keys_are_old() {
    let world = World::new().await;
    let guard = world.guard().await;
    let stolen = world.key();
    world.rotate();
    world.state.keys.lock().unwrap().remove(0);
    world.clock.wait(362);
    let token = stolen.sign("at+jwt", &world.claims(json!({}))).unwrap();
    let (status, why) = refusal(&guard, &token).await;
    assert_eq!((status, &*why), (401, "invalid_token: the token is signed with an unknown key"));
}

#[tokio::test]
async fn the_last_good_keys_serve_for_a_day_while_the_server_is_away() {
    let world = World::new().await;
    let guard = world.guard().await;
    world.serve_jwks(StatusCode::SERVICE_UNAVAILABLE, "");
    for _ in 0..24 {
        world.clock.wait(3600);
        bearer(&guard, &world.token(json!({}))).await.unwrap();
    }
    world.clock.wait(3600);
    assert_eq!(refusal(&guard, &world.token(json!({}))).await.0, 503);

    *world.state.jwks.lock().unwrap() = None;
    world.clock.wait(60);
    bearer(&guard, &world.token(json!({}))).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_worse_than_none_replaces_nothing() {
    let world = World::new().await;
    let guard = world.guard().await;
    let enormous = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(1 << 20));
    for (status, body) in [
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, ""),
        (StatusCode::OK, r#"{"keys":[]}"#),
        (StatusCode::OK, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
        (StatusCode::OK, enormous.as_str()),
        (StatusCode::NOT_FOUND, "{}"),
        // Another place would be another server's.
        (StatusCode::FOUND, "{}"),
    ] {
        world.serve_jwks(status, body);
        world.clock.wait(400);
        let asked = world.asked_for_keys();
        while world.asked_for_keys() == asked {
            bearer(&guard, &world.token(json!({}))).await.unwrap();
            world.clock.wait(1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bearer(&guard, &world.token(json!({}))).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_flaps_is_left_alone_for_a_while() {
    let world = World::new().await;
    let guard = world.guard().await;
    world.serve_jwks(StatusCode::BAD_GATEWAY, "");
    world.clock.wait(400);
    for _ in 0..60 {
        world.clock.wait(1);
        bearer(&guard, &world.token(json!({}))).await.unwrap();
    }
    let asked = world.asked_for_keys();
    assert!(asked <= 8, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_delays_nobody_who_has_keys() {
    let world = World::new().await;
    let guard = world.guard().await;
    world.state.delay.store(3_600_000, Ordering::SeqCst);
    world.clock.wait(310);
    let token = world.token(json!({}));
    let quick = bearer(&guard, &token);
    tokio::time::timeout(Duration::from_secs(2), quick).await.unwrap().unwrap();
}

/// Beyond the minute, the first request waits a moment for what may be revoked, and no other does.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_up_nobody_twice() {
    let world = World::new().await;
    let guard = world.guard().await;
    world.state.delay.store(3_600_000, Ordering::SeqCst);
    world.clock.wait(400);
    let token = world.token(json!({}));
    bearer(&guard, &token).await.unwrap();
    world.serve_jwks(StatusCode::BAD_GATEWAY, "");
    world.state.delay.store(0, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(20), async {
        // The request that hangs is given up; what comes after it fails, and nobody waits any more.
        while world.asked_for_keys() < 3 {
            bearer(&guard, &token).await.unwrap();
            world.clock.wait(1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn without_keys_there_is_no_guard_and_no_caller() {
    let world = World::new().await;
    world.serve_jwks(StatusCode::OK, "{}");
    let error = world.builder().await.unwrap_err();
    assert!(error.to_string().contains("/jwks"), "{error}");
    let guard = world.builder().build().unwrap();
    assert_eq!(refusal(&guard, &world.token(json!({}))).await.0, 503);
}

/// RFC 8414 §3.3: whoever could answer for another issuer could sign for it.
#[tokio::test]
async fn metadata_of_another_issuer_are_not_believed() {
    let world = World::new().await;
    world.state.metadata.lock().unwrap()["issuer"] = "https://id.example.com".into();
    let error = world.builder().await.unwrap_err();
    assert!(matches!(error, BuildError::Server(_)), "{error}");
}

#[tokio::test]
async fn keys_do_not_come_over_a_connection_that_anybody_may_write_on() {
    let world = World::new().await;
    world.state.metadata.lock().unwrap()["jwks_uri"] = "http://id.example.com/jwks".into();
    assert!(world.builder().await.unwrap_err().to_string().contains("https"));
}

#[tokio::test]
async fn the_keys_that_are_known_can_be_had_without_asking() {
    let world = World::new().await;
    let guard = world.builder().build().unwrap();
    assert_eq!(guard.keys().known(), None);
    bearer(&guard, &world.token(json!({}))).await.unwrap();
    assert_eq!(guard.keys().known(), Some(KeySet::new(vec![world.key().public()])));
}
