//! An API that never asks about a token, and how soon it knows what is revoked.

use std::time::{Duration, Instant};

use axum::http::Request;
use signet_guard::{Guard, Presented, Revocation};
use tokio::time::sleep;

use crate::{
    client::{Client, browser, text},
    program::{API, Program, USERNAME},
};

on_both_engines! {
    what_is_revoked_is_refused_within_five_seconds_by_an_api_that_never_asks
    a_revoked_api_key_is_refused_within_five_seconds
    an_api_goes_on_while_its_server_is_away
}

const REFUSED: Duration = Duration::from_secs(5);

async fn guard(program: &Program, revocation: Revocation) -> Guard {
    Guard::discover(&program.issuer).audience(API).revocation(revocation).await.unwrap()
}

async fn what_is_revoked_is_refused_within_five_seconds_by_an_api_that_never_asks(
    program: Program,
) {
    let client = Client::of(&program);
    for way in [Revocation::Lists, Revocation::Events] {
        let guard = guard(&program, way).await;
        let machine = async || text(&client.machine_token().await.unwrap().1, "access_token");

        let token = machine().await;
        accepts(&guard, &token).await;
        assert_eq!(client.revoke(&token).await, Some(200));
        refuses(&guard, &token, "a token", way).await;

        let code = client.code_for(&browser(), "orders:read offline_access").await.unwrap();
        let (_, tokens) = client.redeem(&code).await.unwrap();
        let token = text(&tokens, "access_token");
        accepts(&guard, &token).await;
        client.revoke_grant(&text(&tokens, "refresh_token")).await;
        refuses(&guard, &token, "a grant", way).await;

        let token = machine().await;
        accepts(&guard, &token).await;
        program.run(&["client", "disable", "machine"], "");
        refuses(&guard, &token, "a client", way).await;
        program.run(&["client", "enable", "machine"], "");
        while client.machine_token().await.unwrap().0 != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn a_revoked_api_key_is_refused_within_five_seconds(program: Program) {
    let client = ["client", "create", "--client-id", "orders", "--grant", "client_credentials"];
    let exchange = ["--grant", "urn:ietf:params:oauth:grant-type:token-exchange"];
    let orders = program.run(&[&client[..], &exchange].concat(), "");
    program.run(&["resource", "update", API, "--client", "orders"], "");

    for way in [Revocation::Lists, Revocation::Events] {
        let guard = Guard::discover(&program.issuer).audience(API).revocation(way);
        let guard = guard.api_keys("orders", text(&orders, "client_secret")).await.unwrap();
        let key = ["api-key", "create", "--user", USERNAME, "--name", "nightly"];
        let key = program.run(&[&key[..], &["--scope", "orders:read"]].concat(), "");
        let request = Request::get("/").header("x-api-key", text(&key, "key")).body(()).unwrap();
        let presented = Presented::by(&request);
        // A node hears of its API's new client within two seconds.
        while guard.verify(&presented).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        program.run(&["api-key", "revoke", &text(&key, "id")], "");
        refused(async || guard.verify(&presented).await.is_err(), "an API key", way).await;
    }
}

async fn an_api_goes_on_while_its_server_is_away(mut program: Program) {
    let client = Client::of(&program);
    let token = text(&client.machine_token().await.unwrap().1, "access_token");
    let guards =
        [guard(&program, Revocation::Lists).await, guard(&program, Revocation::Events).await];
    for guard in &guards {
        accepts(guard, &token).await;
    }
    program.node.kill();
    // Longer than a list is fresh, and than an ear waits for a sign of life.
    for _ in 0..12 {
        sleep(Duration::from_millis(500)).await;
        for guard in &guards {
            accepts(guard, &token).await;
        }
    }
}

async fn accepts(guard: &Guard, token: &str) {
    guard.verify_token(token).await.unwrap();
}

async fn refuses(guard: &Guard, token: &str, what: &str, way: Revocation) {
    refused(async || guard.verify_token(token).await.is_err(), what, way).await;
}

/// Until it is so, under the eyes of callers who come all the time.
async fn refused(is_refused: impl AsyncFn() -> bool, what: &str, way: Revocation) {
    let begun = Instant::now();
    while !is_refused().await {
        assert!(begun.elapsed() < REFUSED, "{what} that is revoked is accepted ({way:?})");
        sleep(Duration::from_millis(10)).await;
    }
    println!("{what} was refused after {} ms ({way:?})", begun.elapsed().as_millis());
}
