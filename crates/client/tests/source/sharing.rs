//! Many callers share one request.

use std::time::Duration;

use signet_client::TokenSource;
use tokio::task::JoinSet;

use crate::support::{LIFETIME, Server};

/// A thousand tasks that start at once: the tokens that they get.
async fn a_thousand(source: &TokenSource) -> Vec<String> {
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let source = source.clone();
        tasks.spawn(async move { source.token().await.unwrap().expose().to_owned() });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_cause_one_request_and_again_at_expiry() {
    let server = Server::start().await;
    let source = server.source();
    assert!(a_thousand(&source).await.iter().all(|token| token == "token-1"));
    assert_eq!((server.count(), server.discovered()), (1, 1));

    server.clock.moves(LIFETIME);
    assert!(a_thousand(&source).await.iter().all(|token| token == "token-2"));
    assert_eq!((server.count(), server.discovered()), (2, 1));

    // Just before the end, the old one is served while one request is made.
    server.clock.moves(LIFETIME - 1);
    let tokens = a_thousand(&source).await;
    assert!(tokens.iter().all(|token| token == "token-2" || token == "token-3"));
    server.was_asked(3).await;
    assert_eq!(server.count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_are_refused_cause_one_request() {
    let server = Server::start().await;
    let source = server.source();
    let token = source.token().await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let (source, token) = (source.clone(), token.clone());
        tasks.spawn(async move {
            source.reject(&token);
            source.token().await.unwrap().expose().to_owned()
        });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|token| token == "token-2"));
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn whoever_stops_waiting_takes_nothing_from_the_others() {
    let server = Server::start().await;
    let source = server.source();
    server.closes_the_gate();
    let first = tokio::spawn({
        let source = source.clone();
        async move { source.token().await }
    });
    server.was_asked(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    server.opens_the_gate();
    assert_eq!(source.token().await.unwrap().expose(), "token-1");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn the_next_token_is_asked_for_in_the_background() {
    let server = Server::start().await;
    let source = server.source();
    source.token().await.unwrap();
    server.clock.moves(LIFETIME * 74 / 100);
    source.token().await.unwrap();
    assert_eq!(server.count(), 1);

    server.clock.moves(LIFETIME * 17 / 100);
    server.closes_the_gate();
    // Nobody waits for the answer, which does not come.
    for _ in 0..10 {
        assert_eq!(source.token().await.unwrap().expose(), "token-1");
    }
    server.was_asked(2).await;
    server.opens_the_gate();
    while source.token().await.unwrap().expose() != "token-2" {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.count(), 2);
}

/// A source that is kept in a static is used by one runtime after the other.
#[test]
fn a_source_outlives_the_runtime_that_began_its_errand() {
    let first = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let second = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = second.block_on(Server::start());
    let source = server.source();
    server.closes_the_gate();
    let asker = source.clone();
    first.spawn(async move { asker.token().await });
    second.block_on(server.was_asked(1));
    first.shutdown_timeout(Duration::from_secs(10));
    server.opens_the_gate();
    assert!(second.block_on(source.token()).unwrap().expose().starts_with("token-"));
}
