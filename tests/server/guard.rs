//! An API with our own guard in front of it, and the server that it trusts.

use axum::{body::Body, http::Request};
use reqwest::StatusCode;
use serde_json::{Value, json};
use signet::{
    flows::admin::{ClientChange, NewApiKey},
    model::KeyOwner,
};
use signet_guard::{CallerAddress, Guard, Presented, Require, Revocation, anybody, scope};

use crate::{
    exchange::{exchange, key_of_ada, new_key, ready},
    support::{API, Prover, Server, access_token, request_with, text},
};

on_both_engines! {
    who_got_a_token_for_an_api_gets_through_its_guard
    a_token_for_another_purpose_does_not
    a_revoked_family_client_and_token_are_refused_by_the_lists_within_five_seconds
    a_revoked_grant_is_refused_by_an_ear_as_well
    a_bound_token_gets_through_with_a_proof_and_once
    an_api_key_gets_through_until_it_is_revoked_and_from_where_it_may
    who_acts_for_somebody_is_known
}

/// The status with which a guard answers what this request presents.
async fn judged(guard: &Guard, required: &Require, request: &Request<Body>) -> u16 {
    match guard.admit(&Presented::by(request), required).await {
        Ok(_) => 200,
        Err(refusal) => refusal.status().as_u16(),
    }
}

async fn with_bearer(guard: &Guard, token: &str) -> u16 {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    judged(guard, &anybody(), &request.body(Body::empty()).unwrap()).await
}

async fn machine_token(server: &Server) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "orders:read")];
    let (status, tokens) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!(status, 200, "{tokens}");
    access_token(&tokens).to_owned()
}

/// What ada gave `web` for the API.
async fn tokens_of_ada(server: &Server) -> Value {
    let change = ClientChange {
        scope: Some("openid email offline_access orders:read orders:write".parse().unwrap()),
        ..ClientChange::default()
    };
    server.admin().update_client(&"web".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let request = request_with("scope", "openid offline_access orders:read orders:write");
    let code = server.browser().code(&request).await;
    let (status, tokens) = server.redeem(&code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn revoke(server: &Server, (id, secret): &(String, String), token: &str) {
    let request = server.http.post(server.url("/revoke")).basic_auth(id, Some(secret));
    assert_eq!(request.form(&[("token", token)]).send().await.unwrap().status(), StatusCode::OK);
    server.follow().await;
}

async fn who_got_a_token_for_an_api_gets_through_its_guard(server: Server) {
    let guard = server.guard().await;
    let machine = machine_token(&server).await;
    let caller = guard.verify_token(&machine).await.unwrap();
    assert!(caller.is_client() && caller.has_scope("orders:read"));
    let request = Request::get("/").header("authorization", format!("Bearer {machine}"));
    let request = request.body(Body::empty()).unwrap();
    assert_eq!(judged(&guard, &scope("orders:read"), &request).await, 200);
    assert_eq!(judged(&guard, &scope("orders:write"), &request).await, 403);

    let tokens = tokens_of_ada(&server).await;
    let caller = guard.verify_token(access_token(&tokens)).await.unwrap();
    assert_eq!((caller.subject(), caller.client_id()), (&*server.ada.id.to_string(), "web"));
    assert!(!caller.is_client() && caller.signed_in_at().is_some());
    assert!(caller.audience().unwrap().contains(API));
}

async fn a_token_for_another_purpose_does_not(server: Server) {
    let guard = server.guard().await;
    let tokens = tokens_of_ada(&server).await;
    for token in ["id_token", "refresh_token"] {
        assert_eq!(with_bearer(&guard, text(&tokens, token)).await, 401, "{token}");
    }
    let elsewhere = server.tokens(&server.browser()).await;
    assert_eq!(with_bearer(&guard, access_token(&elsewhere)).await, 401);
    let impostor = Guard::discover("https://id.example.com").audience(API).build().unwrap();
    assert_eq!(with_bearer(&impostor, &machine_token(&server).await).await, 401);
}

async fn a_revoked_family_client_and_token_are_refused_by_the_lists_within_five_seconds(
    server: Server,
) {
    let guard = server.guard().await;
    let tokens = tokens_of_ada(&server).await;
    let (family, single) = (access_token(&tokens), machine_token(&server).await);
    assert_eq!((with_bearer(&guard, family).await, with_bearer(&guard, &single).await), (200, 200));

    revoke(&server, &server.web, text(&tokens, "refresh_token")).await;
    revoke(&server, &server.machine, &single).await;
    server.wait(5).await;
    assert_eq!((with_bearer(&guard, family).await, with_bearer(&guard, &single).await), (401, 401));

    let client = machine_token(&server).await;
    assert_eq!(with_bearer(&guard, &client).await, 200);
    server.admin().disable_client(&"machine".parse().unwrap()).await.unwrap();
    server.wait(5).await;
    assert_eq!(with_bearer(&guard, &client).await, 401);
}

async fn a_revoked_grant_is_refused_by_an_ear_as_well(server: Server) {
    let guard = server.guarding().revocation(Revocation::Events).await.unwrap();
    let tokens = tokens_of_ada(&server).await;
    assert_eq!(with_bearer(&guard, access_token(&tokens)).await, 200);
    revoke(&server, &server.web, text(&tokens, "refresh_token")).await;
    // The clock stands, so that no list is fetched again: what is refused has been heard.
    while with_bearer(&guard, access_token(&tokens)).await == 200 {
        tokio::task::yield_now().await;
    }
}

async fn a_bound_token_gets_through_with_a_proof_and_once(server: Server) {
    let guard = server.guard().await;
    let prover = Prover::new(&server);
    let (status, tokens) = server.machine_with(&[&prover.proof()]).await;
    assert_eq!(status, 200, "{tokens}");
    let token = access_token(&tokens);
    assert_eq!(with_bearer(&guard, token).await, 401);

    let mut claims = prover.claims("GET", "/orders", Some(token));
    claims["htu"] = json!(format!("{API}orders"));
    let proof = prover.sign(&claims);
    let request = Request::get("/orders").header("authorization", format!("DPoP {token}"));
    let request = request.header("dpop", proof).body(Body::empty()).unwrap();
    assert_eq!(judged(&guard, &anybody(), &request).await, 200);
    assert_eq!(judged(&guard, &anybody(), &request).await, 401);
}

async fn an_api_key_gets_through_until_it_is_revoked_and_from_where_it_may(server: Server) {
    ready(&server).await;
    let (id, secret) = &server.api;
    let guard = server.guarding().api_keys(id, secret).await.unwrap();
    let request = |key: &str, address: Option<&str>| {
        let mut request = Request::get("/").header("x-api-key", key);
        if let Some(address) = address {
            request = request.extension(CallerAddress(address.parse().unwrap()));
        }
        request.body(Body::empty()).unwrap()
    };
    let key = key_of_ada(&server).await;
    let caller = guard.verify(&Presented::by(&request(&key.expose(), None))).await.unwrap();
    assert_eq!(caller.subject(), server.ada.id.to_string());
    assert_eq!(caller.api_key(), Some(&*key.id().to_string()));
    let (read, write) = (scope("orders:read"), scope("orders:write"));
    assert_eq!(judged(&guard, &read, &request(&key.expose(), None)).await, 200);
    assert_eq!(judged(&guard, &write, &request(&key.expose(), None)).await, 403);

    server.admin().revoke_api_key(key.id()).await.unwrap();
    server.wait(5).await;
    assert_eq!(judged(&guard, &read, &request(&key.expose(), None)).await, 401);

    let new = NewApiKey {
        addresses: vec!["192.0.2.0/24".parse().unwrap()],
        ..new_key(KeyOwner::Person(server.ada.id))
    };
    let (_, key) = server.admin().create_api_key(new).await.unwrap();
    for (address, status) in [(Some("192.0.2.7"), 200), (Some("198.51.100.7"), 401), (None, 401)] {
        assert_eq!(judged(&guard, &read, &request(&key.expose(), address)).await, status);
    }
}

async fn who_acts_for_somebody_is_known(server: Server) {
    ready(&server).await;
    let guard = server.guard().await;
    let tokens = tokens_of_ada(&server).await;
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let subject = (kind, access_token(&tokens));
    let (status, exchanged) = exchange(&server, &server.api, subject, &[("resource", API)]).await;
    assert_eq!(status, 200, "{exchanged}");
    let caller = guard.verify_token(access_token(&exchanged)).await.unwrap();
    assert_eq!(caller.subject(), server.ada.id.to_string());
    assert_eq!(caller.actor().unwrap().sub, "api");
}
