//! What happens when the server does not answer as it should.

use axum::http::StatusCode;
use signet_client::{Credentials, Error, TokenSource};

use crate::support::{LIFETIME, Server, gives, refuses};

#[tokio::test]
async fn a_token_outlives_an_outage() {
    let server = Server::start().await;
    let source = server.source();
    source.token().await.unwrap();
    server.goes_down(StatusCode::BAD_GATEWAY, &[]);
    server.clock.moves(LIFETIME * 95 / 100);
    for _ in 0..40 {
        assert_eq!(source.token().await.unwrap().expose(), "token-1");
        server.clock.moves(1);
        tokio::task::yield_now().await;
    }
    server.clock.moves(LIFETIME);
    let error = source.token().await.unwrap_err();
    assert!(error.is_temporary(), "{error}");

    server.is_up_again();
    server.clock.moves(60);
    assert!(source.token().await.unwrap().expose().starts_with("token-"));
}

#[tokio::test]
async fn a_failure_is_no_stampede() {
    let server = Server::start().await;
    server.goes_down(StatusCode::INTERNAL_SERVER_ERROR, &[]);
    let source = server.source();
    for _ in 0..100 {
        assert!(matches!(source.token().await, Err(Error::Unavailable { .. })));
    }
    assert_eq!(server.count(), 1);
    server.clock.moves(1);
    source.token().await.unwrap_err();
    assert_eq!(server.count(), 2);
}

/// [RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
#[tokio::test]
async fn a_server_that_asks_to_be_left_alone_is_left_alone() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let server = Server::start().await;
        server.goes_down(status, &[("retry-after", "120")]);
        let source = server.source();
        let error = source.token().await.unwrap_err();
        assert_eq!(error.retry_after().unwrap().as_secs(), 120);
        server.is_up_again();
        server.clock.moves(119);
        source.token().await.unwrap_err();
        assert_eq!(server.count(), 1);
        server.clock.moves(1);
        source.token().await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_says_what_helps() {
    let server = Server::start().await;
    server.answers(refuses("invalid_scope"));
    let error = server.source().token().await.unwrap_err();
    assert!(!error.is_temporary());
    assert_eq!(
        error.to_string(),
        "the authorization server refuses: invalid_scope (be cause); ask for scopes that the client \
         may have"
    );
}

#[tokio::test]
async fn what_is_not_an_answer_is_not_taken_for_one() {
    for (answer, reason) in [
        (gives("token", "mac"), "unknown type"),
        (gives("to ken", "Bearer"), "RFC 6749 §5.1"),
        (gives("", "Bearer"), "RFC 6749 §5.1"),
        (serde_json::json!({"error": "invalid_grant"}).into(), "RFC 6749 §5.1"),
        (
            serde_json::json!({"access_token": "a", "token_type": "bearer", "expires_in": -1})
                .into(),
            "5.1",
        ),
    ] {
        let server = Server::start().await;
        server.answers(answer);
        let error = server.source().token().await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_has_moved_is_looked_for() {
    let server = Server::start().await;
    let source = server.source();
    server.answers((StatusCode::NOT_FOUND, "nothing here"));
    assert!(matches!(source.token().await, Err(Error::Unreadable { .. })));
    server.clock.moves(1);
    source.token().await.unwrap();
    assert_eq!(server.discovered(), 2);
}

/// A redirect would carry the secret to wherever it leads.
#[tokio::test]
async fn a_secret_follows_no_redirect() {
    let (server, other) = (Server::start().await, Server::start().await);
    let elsewhere = format!("{}/token", other.issuer);
    server.answers((StatusCode::TEMPORARY_REDIRECT, [("location", elsewhere)]));
    server.source().token().await.unwrap_err();
    assert_eq!(other.count(), 0);
}

/// [RFC 8414 §3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3).
#[tokio::test]
async fn another_issuer_gets_no_secret() {
    let server = Server::start().await;
    let other = server.issuer.replace("127.0.0.1", "localhost");
    let source = TokenSource::client_credentials(&other, Credentials::secret("billing", "s3cret"));
    let error = source.build().unwrap().token().await.unwrap_err();
    assert!(error.to_string().contains("another issuer"), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let nobody = "http://127.0.0.1:1";
    let source = TokenSource::client_credentials(nobody, Credentials::public("x")).build().unwrap();
    let error = source.token().await.unwrap_err();
    assert!(error.is_temporary() && error.to_string().contains(nobody), "{error}");
    for issuer in ["", "http://id.example.com", "https://id.example.com/"] {
        let source = TokenSource::client_credentials(issuer, Credentials::public("x")).build();
        assert!(matches!(source, Err(Error::NoIssuer { .. })), "{issuer}");
    }
}
