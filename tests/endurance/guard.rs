//! An API that never asks about a token, and how soon it knows what is revoked.

use std::time::{Duration, Instant};

use signet_guard::{Guard, Revocation};
use tokio::time::sleep;

use crate::{
    client::{Client, browser, text},
    program::{API, Program},
};

on_both_engines! {
    what_is_revoked_is_refused_within_five_seconds_by_an_api_that_never_asks
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

/// Under the eyes of callers who come all the time.
async fn refuses(guard: &Guard, token: &str, what: &str, way: Revocation) {
    let begun = Instant::now();
    while guard.verify_token(token).await.is_ok() {
        assert!(begun.elapsed() < REFUSED, "{what} that is revoked is accepted ({way:?})");
        sleep(Duration::from_millis(10)).await;
    }
    println!("{what} was refused after {} ms ({way:?})", begun.elapsed().as_millis());
}
