//! Tokens that are bound to a key ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
    routing::get,
};
use serde_json::json;
use signet_guard::{Algorithm, Clock, Guard, Presented, anybody};
use signet_jwt::{ProofKey, ProofOf, Timestamp};
use tower::ServiceExt;

use crate::support::{World, refusal, told};

const URI: &str = "https://api.example.com/orders/7";

struct Holder {
    key: ProofKey,
    token: String,
}

impl Holder {
    fn new(world: &World) -> Self {
        let (key, _) = ProofKey::generate(Algorithm::Es256).unwrap();
        let token = world.token(json!({"cnf": {"jkt": key.thumbprint()}}));
        Self { key, token }
    }

    fn proof<'a>(
        &'a self,
        change: impl FnOnce(ProofOf<'a>) -> ProofOf<'a>,
        now: Timestamp,
    ) -> String {
        let of = ProofOf {
            method: "GET",
            uri: URI,
            access_token: Some(&self.token),
            nonce: None,
            jti: "one",
            now,
        };
        self.key.prove(&change(of)).unwrap()
    }

    fn request(&self, proof: &str) -> Request<Body> {
        let request = Request::builder().uri("/orders/7?page=2");
        let request = request.header(header::AUTHORIZATION, format!("DPoP {}", self.token));
        request.header("dpop", proof).body(Body::empty()).unwrap()
    }
}

async fn judged(guard: &Guard, request: &Request<Body>) -> (u16, String) {
    match guard.verify(&Presented::by(request)).await {
        Ok(caller) => (200, caller.subject().to_owned()),
        Err(refusal) => told(&refusal),
    }
}

#[tokio::test]
async fn a_bound_token_comes_with_a_proof_that_counts_once() {
    let world = World::new().await;
    let guard = world.guard().await;
    let holder = Holder::new(&world);
    let request = holder.request(&holder.proof(|of| of, world.clock.now()));
    assert_eq!(judged(&guard, &request).await.0, 200);
    let replayed = judged(&guard, &request).await;
    assert_eq!(replayed, (401, "invalid_dpop_proof: the proof was used before".to_owned()));
    world.clock.wait(60);
    assert_eq!(judged(&guard, &request).await.0, 401);
    world.clock.wait(61);
    assert_eq!(judged(&guard, &request).await.0, 401);
}

#[tokio::test]
async fn a_stolen_bound_token_is_worth_nothing() {
    let world = World::new().await;
    let guard = world.guard().await;
    let (holder, thief) = (Holder::new(&world), Holder::new(&world));
    let (status, why) = refusal(&guard, &holder.token).await;
    assert!(status == 401 && why.contains("bound to a key"), "{why}");

    let for_it = |of| ProofOf { access_token: Some(&holder.token), ..of };
    let by_thief = thief.proof(for_it, world.clock.now());
    let (status, why) = judged(&guard, &holder.request(&by_thief)).await;
    assert!(status == 401 && why.contains("another key"), "{why}");
    assert_eq!(judged(&guard, &holder.request("")).await.0, 401);
    assert_eq!(judged(&guard, &holder.request("a.b.c")).await.0, 401);
}

#[tokio::test]
async fn a_proof_is_for_this_token_and_this_request_and_this_moment() {
    let world = World::new().await;
    let guard = world.guard().await;
    let holder = Holder::new(&world);
    let now = world.clock.now();
    let proof = |change: fn(ProofOf<'_>) -> ProofOf<'_>| holder.proof(change, now);
    for bad in [
        proof(|of| ProofOf { method: "POST", ..of }),
        proof(|of| ProofOf { uri: "https://api.example.com/orders/8", ..of }),
        proof(|of| ProofOf { uri: "https://api.example.com:8443/orders/7", ..of }),
        proof(|of| ProofOf { uri: "http://api.example.com/orders/7", ..of }),
        proof(|of| ProofOf { uri: "https://other.example.com/orders/7", ..of }),
        proof(|of| ProofOf { access_token: None, ..of }),
        proof(|of| ProofOf { access_token: Some("other"), ..of }),
        proof(|of| ProofOf { jti: "", ..of }),
        holder.proof(|of| of, now.minus(121)),
        holder.proof(|of| of, now.plus(61)),
    ] {
        let (status, why) = judged(&guard, &holder.request(&bad)).await;
        assert!(status == 401 && why.starts_with("invalid_dpop_proof"), "{why}");
    }
    for good in [
        holder.proof(|of| ProofOf { jti: "two", ..of }, now.minus(119)),
        holder.proof(|of| ProofOf { jti: "three", ..of }, now.plus(59)),
        proof(|of| ProofOf { uri: "https://API.example.com:443/orders/7?x#y", ..of }),
    ] {
        assert_eq!(judged(&guard, &holder.request(&good)).await.0, 200);
    }
}

/// RFC 9449 §4.3: there is one proof, or none.
#[tokio::test]
async fn two_proofs_are_none() {
    let world = World::new().await;
    let guard = world.guard().await;
    let holder = Holder::new(&world);
    let mut request = holder.request(&holder.proof(|of| of, world.clock.now()));
    let other = holder.proof(|of| ProofOf { jti: "two", ..of }, world.clock.now());
    request.headers_mut().append("dpop", other.parse().unwrap());
    let (status, why) = judged(&guard, &request).await;
    assert!(status == 401 && why.starts_with("invalid_dpop_proof"), "{why}");
}

/// RFC 9449 §7.1: a token that is bound to nothing is a bearer token, and says so.
#[tokio::test]
async fn an_unbound_token_does_not_pass_as_a_bound_one() {
    let world = World::new().await;
    let guard = world.guard().await;
    let mut holder = Holder::new(&world);
    holder.token = world.token(json!({}));
    let request = holder.request(&holder.proof(|of| of, world.clock.now()));
    let (status, why) = judged(&guard, &request).await;
    assert!(status == 401 && why.contains("bound to no key"), "{why}");
}

#[tokio::test]
async fn an_api_without_an_address_takes_no_bound_tokens_until_it_has_one() {
    let world = World::new().await;
    let holder = Holder::new(&world);
    let guard =
        || Guard::discover(&world.issuer).audience("urn:orders").audience(crate::support::API);
    let request = holder.request(&holder.proof(|of| of, world.clock.now()));
    let nowhere = guard().clock(world.clock.clone()).await.unwrap();
    assert_eq!(judged(&nowhere, &request).await.0, 401);
    let somewhere = guard().clock(world.clock.clone()).base_url("https://api.example.com").await;
    assert_eq!(judged(&somewhere.unwrap(), &request).await.0, 200);
}

/// What a nested router sees of a path is not what the client called.
#[tokio::test]
async fn a_proof_holds_in_a_nested_router() {
    let world = World::new().await;
    let guard = world.guard().await;
    let holder = Holder::new(&world);
    let inner = Router::new().route("/7", get(async || "seven")).layer(guard.require(anybody()));
    let router = Router::new().nest("/orders", inner);
    let mut request = holder.request(&holder.proof(|of| of, world.clock.now()));
    *request.method_mut() = Method::GET;
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK);
}
