//! The layer, and what handlers take.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    routing::get,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use signet_guard::{
    Caller, CallerAddress, Clock, Guard, Token, anybody, permission, role, scope, sign_in_class,
    signed_in_within,
};
use tower::ServiceExt;

use crate::support::{World, request};

#[derive(serde::Deserialize)]
struct Claims {
    tenant: u32,
}

fn api(guard: &Guard) -> Router {
    let strong = sign_in_class("mfa").and(signed_in_within(300));
    let route = |path: &str, required| {
        let handler = get(async |caller: Caller| caller.subject().to_owned());
        Router::new().route(path, handler).layer(guard.require(required))
    };
    let tenant = get(async |token: Token<Claims>| {
        format!("{} of {}", token.caller.subject(), token.claims.tenant)
    });
    route("/read", scope("orders:read"))
        .merge(route("/write", scope("orders:read orders:write")))
        .merge(route("/admin", role("admin").or(permission("orders.correct"))))
        .merge(route("/strong", strong))
        .merge(Router::new().route("/tenant", tenant).layer(guard.require(anybody())))
        .route("/forgotten", get(async |caller: Caller| caller.subject().to_owned()))
        .layer(guard.metadata())
}

async fn call(router: &Router, path: &str, token: &str) -> Response<Body> {
    let authorization = format!("Bearer {token}");
    let request = request(path, &[("authorization", &authorization)]);
    router.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn challenge(response: &Response<Body>) -> String {
    response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_has_what_is_needed_gets_through_and_is_known() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let now = world.clock.now();
    for (path, claims) in [
        ("/read", json!({})),
        ("/write", json!({"scope": "orders:read orders:write"})),
        ("/admin", json!({"roles": ["admin"]})),
        ("/admin", json!({"permissions": ["orders.correct"]})),
        ("/strong", json!({"acr": "mfa", "auth_time": now})),
    ] {
        let response = call(&router, path, &world.token(claims)).await;
        assert_eq!((response.status(), &*body(response).await), (StatusCode::OK, "ada"), "{path}");
    }
    let response = call(&router, "/tenant", &world.token(json!({"tenant": 7}))).await;
    assert_eq!(body(response).await, "ada of 7");
    let response = call(&router, "/tenant", &world.token(json!({}))).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_lacks_scope_is_told_all_that_is_needed() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let response = call(&router, "/write", &world.token(json!({}))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = challenge(&response);
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="orders:read orders:write""#), "{challenge}");
    let body: Value = serde_json::from_str(&body(response).await).unwrap();
    assert_eq!(body["scope"], "orders:read orders:write");
}

#[tokio::test]
async fn who_lacks_a_role_is_refused_and_who_signed_in_long_ago_signs_in_again() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let token = world.token(json!({"scope": "admin", "roles": ["user"]}));
    assert_eq!(call(&router, "/admin", &token).await.status(), StatusCode::FORBIDDEN);

    let long_ago = world.token(json!({"acr": "mfa", "auth_time": world.clock.now().minus(301)}));
    let response = call(&router, "/strong", &long_ago).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = challenge(&response);
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    assert!(challenge.contains(r#"max_age="300""#), "{challenge}");
}

#[tokio::test]
async fn a_handler_without_a_guard_does_not_run() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let response = call(&router, "/forgotten", &world.token(json!({}))).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// RFC 9728 §3 and §5.1.
#[tokio::test]
async fn a_client_finds_the_server_by_the_challenge() {
    let world = World::new().await;
    let guard = world.builder().scopes_supported("orders:read".parse().unwrap()).await.unwrap();
    let router = api(&guard);
    let response = router.clone().oneshot(request("/read", &[])).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let url = "https://api.example.com/.well-known/oauth-protected-resource/orders";
    assert_eq!(
        challenge(&response),
        format!(r#"Bearer scope="orders:read", resource_metadata="{url}""#)
    );

    let path = url.strip_prefix("https://api.example.com").unwrap();
    let response = router.oneshot(request(path, &[])).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let metadata: Value = serde_json::from_str(&body(response).await).unwrap();
    assert_eq!(metadata["resource"], crate::support::API);
    assert_eq!(metadata["authorization_servers"], json!([world.issuer]));
    assert_eq!(metadata["scopes_supported"], json!(["orders:read"]));
}

#[tokio::test]
async fn two_credentials_are_a_bad_request() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let token = format!("Bearer {}", world.token(json!({})));
    let twice = [("authorization", token.as_str()), ("authorization", token.as_str())];
    let response = router.oneshot(request("/read", &twice)).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert!(challenge(&response).contains("invalid_request"));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refusal_is_logged_with_who_and_where_and_without_the_token() {
    let world = World::new().await;
    let router = api(&world.guard().await);
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing::subscriber::set_default(subscriber.finish());

    let token = world.token(json!({}));
    let mut request: Request<Body> =
        request("/write?secret=1", &[("authorization", &format!("Bearer {token}"))]);
    request.extensions_mut().insert(CallerAddress("192.0.2.7".parse().unwrap()));
    router.oneshot(request).await.unwrap();
    drop(subscriber);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for part in ["WARN", "GET", "/write", "192.0.2.7", "ada", "web", "insufficient_scope"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains(&token) && !log.contains("secret"), "{log}");
}
