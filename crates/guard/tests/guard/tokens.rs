//! Tokens that are not good here, one way each
//! ([RFC 8725](https://www.rfc-editor.org/rfc/rfc8725)).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use signet_guard::{Algorithm, Clock, Guard, Timestamp};
use signet_jwt::SigningKey;

use crate::support::{API, World, bearer, refusal};

async fn refuses(guard: &Guard, token: &str) {
    let (status, why) = refusal(guard, token).await;
    assert_eq!(status, 401, "{why}");
    assert!(why.starts_with("invalid_token: "), "{why}");
}

fn part(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

#[tokio::test]
async fn a_good_token_tells_who_calls() {
    let world = World::new().await;
    let guard = world.guard().await;
    let token = world.token(json!({
        "aud": ["https://id.example.com", API],
        "roles": ["clerk"],
        "permissions": ["orders.correct"],
        "acr": "mfa", "amr": ["pwd", "otp"], "auth_time": 1_799_999_000, "sid": "s", "jti": "j",
        "act": {"sub": "agent", "act": {"sub": "other"}},
        "tenant": {"id": 7},
    }));
    let caller = bearer(&guard, &token).await.unwrap();
    assert_eq!((caller.subject(), caller.client_id()), ("ada", "web"));
    assert!(caller.has_scope("orders:read") && !caller.has_scope("orders:write"));
    assert!(caller.has_role("clerk") && caller.may("orders.correct") && !caller.is_client());
    assert_eq!(caller.sign_in_class(), Some("mfa"));
    assert_eq!(caller.signed_in_at(), Some(Timestamp(1_799_999_000)));
    assert_eq!((caller.session(), caller.token_id()), (Some("s"), Some("j")));
    let actor = caller.actor().unwrap();
    assert_eq!((&*actor.sub, &*actor.act.as_ref().unwrap().sub), ("agent", "other"));
    assert_eq!(caller.claim("tenant"), Some(&json!({"id": 7})));
    assert_eq!(caller.claims::<Value>().unwrap()["tenant"]["id"], 7);
}

#[tokio::test]
async fn times_count_with_a_minute_for_clocks_that_differ() {
    let world = World::new().await;
    let guard = world.guard().await;
    let at = |seconds: i64| world.clock.now().plus(seconds);
    for good in [
        json!({"exp": at(1)}),
        json!({"exp": at(-59)}),
        json!({"nbf": at(60)}),
        json!({"iat": at(60)}),
    ] {
        bearer(&guard, &world.token(good)).await.unwrap();
    }
    for bad in [
        json!({"exp": at(-61)}),
        json!({"nbf": at(61)}),
        json!({"iat": at(61)}),
        json!({"exp": "2030-01-01"}),
        json!({"exp": null}),
        json!({"exp": 1e300}),
        json!({"exp": -1}),
        json!({"nbf": "now"}),
    ] {
        refuses(&guard, &world.token(bad)).await;
    }
}

#[tokio::test]
async fn a_token_for_others_or_from_others_is_refused() {
    let world = World::new().await;
    let guard = world.guard().await;
    for bad in [
        json!({"aud": "https://other.example.com"}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"aud": "https://api.example.com/orders/"}),
        json!({"aud": "https://API.example.com/orders"}),
        json!({"aud": {"0": API}}),
        json!({"iss": format!("{}/", world.issuer)}),
        json!({"iss": "https://id.example.com"}),
        json!({"iss": [world.issuer]}),
        json!({"iss": null}),
    ] {
        refuses(&guard, &world.token(bad)).await;
    }
}

/// RFC 9068 §4: what the same key signs for other purposes is no access token.
#[tokio::test]
async fn an_id_token_is_nothing_here_and_neither_is_any_other() {
    let world = World::new().await;
    let guard = world.guard().await;
    for typ in ["JWT", "", "logout+jwt", "statuslist+jwt", "dpop+jwt", "jwt", "at", "at+jwt+x"] {
        refuses(&guard, &world.key().sign(typ, &world.claims(json!({}))).unwrap()).await;
    }
    for typ in ["at+JWT", "application/at+jwt", "AT+JWT"] {
        let token = world.key().sign(typ, &world.claims(json!({}))).unwrap();
        bearer(&guard, &token).await.unwrap();
    }
}

#[tokio::test]
async fn claims_that_every_access_token_has_must_be_there() {
    let world = World::new().await;
    let guard = world.guard().await;
    for bad in [
        json!({"sub": null}),
        json!({"sub": 7}),
        json!({"client_id": null}),
        json!({"scope": ["orders:read"]}),
        json!({"scope": "orders:read  orders:write"}),
        json!({"roles": "admin"}),
        json!({"permissions": {"admin": true}}),
        json!({"auth_time": "yesterday"}),
        json!({"act": "agent"}),
        json!({"cnf": {"x5t#S256": "AAAA"}}),
        json!({"cnf": {}}),
        json!({"cnf": "none"}),
        json!({"status": {"status_list": {"idx": -1, "uri": "x"}}}),
    ] {
        refuses(&guard, &world.token(bad)).await;
    }
}

#[tokio::test]
async fn the_algorithm_is_the_guards_choice_and_not_the_tokens() {
    let world = World::new().await;
    let guard = world.builder().algorithms(&[Algorithm::Rs256]).await.unwrap();
    refuses(&guard, &world.token(json!({}))).await;

    let guard = world.guard().await;
    let payload = part(&world.claims(json!({})));
    for header in [
        json!({"alg": "none", "typ": "at+jwt"}),
        json!({"alg": "None", "typ": "at+jwt"}),
        json!({"alg": "HS256", "typ": "at+jwt"}),
        json!({"alg": ["ES256"], "typ": "at+jwt"}),
        json!({"typ": "at+jwt"}),
    ] {
        refuses(&guard, &format!("{}.{payload}.", part(&header))).await;
        refuses(&guard, &format!("{}.{payload}.AAAA", part(&header))).await;
    }
}

/// RFC 8725 §3.10: a token does not vouch for itself.
#[tokio::test]
async fn a_token_that_brings_its_own_key_is_not_believed() {
    let world = World::new().await;
    let guard = world.guard().await;
    let (own, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    let kid = world.key().public().kid().unwrap().to_string();
    let token = own.sign("at+jwt", &world.claims(json!({}))).unwrap();
    refuses(&guard, &token).await;

    let (_, rest) = token.split_once('.').unwrap();
    for header in [
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid}),
        json!({"alg": "ES256", "typ": "at+jwt", "jwk": own.public().to_jwk()}),
        json!({"alg": "ES256", "typ": "at+jwt", "jku": "https://evil.test/jwks"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "../../../etc/passwd"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "' or 1=1 --"}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": ["a"]}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "x".repeat(5000)}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "crit": ["exp"]}),
        json!({"alg": "ES256", "typ": "at+jwt", "kid": kid, "b64": false}),
    ] {
        refuses(&guard, &format!("{}.{rest}", part(&header))).await;
    }
}

#[tokio::test]
async fn a_token_that_was_tampered_with_is_refused() {
    let world = World::new().await;
    let guard = world.guard().await;
    let token = world.token(json!({}));
    let parts: Vec<&str> = token.split('.').collect();
    let other = part(&world.claims(json!({"scope": "orders:read orders:write"})));
    for bad in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}="),
        format!("{token}.x"),
        token[1..].to_owned(),
        token[..token.len() - 2].to_owned(),
        token.replace('.', ".."),
    ] {
        refuses(&guard, &bad).await;
    }
}

#[tokio::test]
async fn a_huge_or_deep_token_costs_nothing() {
    let world = World::new().await;
    let guard = world.guard().await;
    let asked = world.asked_for_keys();
    refuses(&guard, &"a".repeat(17 * 1024)).await;
    refuses(&guard, &world.token(json!({"x": "x".repeat(16 * 1024)}))).await;
    let header = part(&json!({"alg": "ES256", "typ": "at+jwt"}));
    let deep = BASE64.encode("[".repeat(8000));
    refuses(&guard, &format!("{header}.{deep}.AAAA")).await;
    let nested = format!("{}{}{}", "{\"a\":".repeat(1500), 1, "}".repeat(1500));
    refuses(&guard, &format!("{header}.{}.AAAA", BASE64.encode(nested))).await;
    let twice = r#"{"iss":"a","iss":"b"}"#;
    refuses(&guard, &format!("{header}.{}.AAAA", BASE64.encode(twice))).await;
    assert_eq!(world.asked_for_keys(), asked);
}

#[tokio::test]
async fn a_token_without_a_request_is_verified_alike() {
    let world = World::new().await;
    let guard = world.guard().await;
    assert_eq!(guard.verify_token(&world.token(json!({}))).await.unwrap().subject(), "ada");
    assert!(guard.verify_token(&world.token(json!({"aud": "x"}))).await.is_err());
    let bound = world.token(json!({"cnf": {"jkt": BASE64.encode([7; 32])}}));
    assert!(guard.verify_token(&bound).await.is_err());
}
