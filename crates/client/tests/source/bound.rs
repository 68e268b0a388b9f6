//! Tokens that are bound to a key ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).

use axum::{Json, http::StatusCode};
use serde_json::{Value, json};
use signet_client::{Credentials, DpopKey, TokenKind};

use crate::support::{Asked, Server, gives};

fn claims(asked: &Asked) -> Value {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
    let proof = asked.headers["dpop"].to_str().unwrap();
    serde_json::from_slice(&BASE64.decode(proof.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn wants_nonce(
    nonce: &'static str,
) -> (StatusCode, [(&'static str, &'static str); 1], Json<Value>) {
    let error = Json(json!({"error": "use_dpop_nonce"}));
    (StatusCode::BAD_REQUEST, [("dpop-nonce", nonce)], error)
}

#[tokio::test]
async fn every_request_proves_the_key_and_the_token_is_presented_so() {
    let server = Server::start().await;
    server.answers(gives("token", "DPoP"));
    let source = server.asks(Credentials::secret("billing", "s3cret"));
    let source = source.dpop(DpopKey::generate().unwrap()).build().unwrap();
    let token = source.token().await.unwrap();
    assert_eq!(
        (token.kind(), token.authorization().to_str().unwrap()),
        (TokenKind::Dpop, "DPoP token")
    );
    let claims = claims(&server.asked()[0]);
    assert_eq!((&claims["htm"], &claims["iat"]), (&"POST".into(), &1_800_000_000.into()));
    assert_eq!(claims["htu"], format!("{}/token", server.issuer));
}

/// §8: and the nonce is kept for the next request.
#[tokio::test]
async fn a_nonce_is_taken_up_at_once_and_once() {
    let server = Server::start().await;
    let source = server.asks(Credentials::secret("billing", "s3cret"));
    let source = source.dpop(DpopKey::generate().unwrap()).build().unwrap();
    server.answers(wants_nonce("n-1"));
    server.answers(gives("token", "DPoP"));
    let token = source.token().await.unwrap();
    server.answers(gives("other", "DPoP"));
    source.reject(&token);
    source.token().await.unwrap();
    let nonces: Vec<_> =
        server.asked().iter().map(|asked| claims(asked)["nonce"].clone()).collect();
    assert_eq!(nonces, [Value::Null, "n-1".into(), "n-1".into()]);

    // A server that is never content is not asked for ever.
    server.clock.moves(100);
    source.reject(&source.token().await.unwrap());
    for nonce in ["n-2", "n-3", "n-4"] {
        server.answers(wants_nonce(nonce));
    }
    source.token().await.unwrap_err();
    assert_eq!(server.count(), 5);
}

/// §5: a thief could use it.
#[tokio::test]
async fn a_token_that_is_not_bound_is_not_taken() {
    let server = Server::start().await;
    let source = server.asks(Credentials::secret("billing", "s3cret"));
    let source = source.dpop(DpopKey::generate().unwrap()).build().unwrap();
    let error = source.token().await.unwrap_err();
    assert!(error.to_string().contains("not bound"), "{error}");
}

#[test]
fn a_key_is_not_printed_and_can_be_kept() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    let key = DpopKey::read(jwk).unwrap();
    assert!(!format!("{key:?}").contains("nWGxne"));
    assert_eq!(key.thumbprint(), DpopKey::read(jwk).unwrap().thumbprint());
}
