//! Attacks on token exchange and API keys
//! ([RFC 8693 §5](https://www.rfc-editor.org/rfc/rfc8693#section-5)).

use serde_json::json;
use signet::{
    flows::admin::{ClientChange, NewClient},
    model::{GrantType, KeyOwner},
    values::ApiKey,
};

use super::refused;
use crate::{
    exchange::{another_api, exchange, key_of_ada, new_key, ready},
    support::{API, Prover, Server, hs256, text, unsigned},
};

const API_KEY: &str = "urn:signet:params:oauth:token-type:api-key";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

on_both_engines! {
    a_client_without_the_grant_exchanges_nothing
    a_public_client_is_never_given_the_grant
    a_key_that_was_guessed_or_changed_is_worth_nothing
    a_key_of_somebody_who_was_stopped_is_worth_nothing
    an_expired_key_is_worth_nothing
    no_other_token_passes_for_an_access_token
    a_token_is_exchanged_by_its_holder_or_its_api_alone
    a_client_does_not_reach_an_api_that_it_is_not_registered_for
    nobody_acts_with_the_token_of_somebody_else
    a_bound_token_is_exchanged_by_its_holder_with_its_key_alone
    a_key_is_no_bearer_token_here
    a_report_of_leaked_keys_is_read_strictly
    no_secret_of_a_key_is_kept
}

async fn machine_token(server: &Server) -> String {
    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
    text(&tokens, "access_token").to_owned()
}

/// RFC 6749 §5.2.
async fn a_client_without_the_grant_exchanges_nothing(server: Server) {
    let key = key_of_ada(&server).await.expose();
    refused(
        &exchange(&server, &server.api, (API_KEY, &key), &[]).await,
        400,
        "unauthorized_client",
    );
}

/// RFC 8693 §5: whoever exchanges must be known.
async fn a_public_client_is_never_given_the_grant(server: Server) {
    let new = NewClient {
        id: Some("agent".parse().unwrap()),
        public: true,
        grants: [GrantType::TokenExchange].into(),
        ..NewClient::default()
    };
    let refusal = server.admin().create_client(new).await.unwrap_err().to_string();
    assert!(refusal.contains("token exchange"), "{refusal}");
}

/// RFC 8693 §2.2.2: an invalid subject token is an invalid request.
async fn a_key_that_was_guessed_or_changed_is_worth_nothing(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await;
    let real = key.expose();
    let mut changed = real.clone();
    changed.replace_range(10..11, if &real[10..11] == "A" { "B" } else { "A" });
    let longer = format!("{real}A");
    for wrong in [
        ApiKey::new(key.id(), [7; 32]).expose(),
        ApiKey::new(signet::values::ApiKeyId::from_bytes([9; 16]), [7; 32]).expose(),
        changed,
        real.to_lowercase(),
        real[..75].to_owned(),
        longer,
        "sgk_".to_owned(),
        real.replace("sgk_", "sgr_"),
    ] {
        let answer = exchange(&server, &server.api, (API_KEY, &wrong), &[("resource", API)]).await;
        refused(&answer, 400, "invalid_request");
    }
    let answer = exchange(&server, &server.api, (ACCESS_TOKEN, &real), &[("resource", API)]).await;
    refused(&answer, 400, "invalid_request");
}

/// CVE-2025-14559: a stopped account gets nothing, by whatever grant.
async fn a_key_of_somebody_who_was_stopped_is_worth_nothing(server: Server) {
    ready(&server).await;
    let ada = key_of_ada(&server).await.expose();
    let new = new_key(KeyOwner::Client("machine".parse().unwrap()));
    let machine = server.admin().create_api_key(new).await.unwrap().1.expose();
    server.admin().disable_user(server.ada.id).await.unwrap();
    server.admin().disable_client(&"machine".parse().unwrap()).await.unwrap();
    server.follow().await;
    for key in [&ada, &machine] {
        let answer = exchange(&server, &server.api, (API_KEY, key), &[("resource", API)]).await;
        refused(&answer, 400, "invalid_request");
        assert_eq!(server.introspect(&server.api, key).await, json!({ "active": false }));
    }
}

/// RFC 8693 §2.2.2.
async fn an_expired_key_is_worth_nothing(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await.expose();
    server.wait(86_400 - 100).await;
    let (_, tokens) = exchange(&server, &server.api, (API_KEY, &key), &[("resource", API)]).await;
    assert_eq!(tokens["expires_in"], 100, "no longer than the key");
    server.wait(100).await;
    let answer = exchange(&server, &server.api, (API_KEY, &key), &[("resource", API)]).await;
    refused(&answer, 400, "invalid_request");
}

/// RFC 8725 §3.11: what a token is, its type says.
async fn no_other_token_passes_for_an_access_token(server: Server) {
    ready(&server).await;
    let tokens = server.tokens(&server.browser()).await;
    let claims =
        json!({ "iss": server.issuer, "sub": "ada", "aud": API, "exp": 9_999_999_999_i64 });
    let header = json!({ "typ": "at+jwt", "alg": "HS256" });
    let none = json!({ "typ": "at+jwt", "alg": "none" });
    for token in [
        text(&tokens, "id_token").to_owned(),
        text(&tokens, "refresh_token").to_owned(),
        hs256(&header, &claims, b"secret"),
        unsigned(&none, &claims),
        "nonsense".to_owned(),
    ] {
        for kind in [ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"] {
            let answer = exchange(&server, &server.api, (kind, &token), &[("resource", API)]).await;
            refused(&answer, 400, "invalid_request");
        }
    }
    for kind in ["id_token", "refresh_token", "saml2"] {
        let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
        let token = text(&tokens, "id_token");
        let answer = exchange(&server, &server.api, (&kind, token), &[("resource", API)]).await;
        refused(&answer, 400, "invalid_request");
    }
}

/// RFC 8693 §5: a token that was stolen from one API must not be traded by another.
async fn a_token_is_exchanged_by_its_holder_or_its_api_alone(server: Server) {
    ready(&server).await;
    let stock = another_api(&server).await;
    let token = machine_token(&server).await;
    let answer = exchange(&server, &stock, (ACCESS_TOKEN, &token), &[]).await;
    refused(&answer, 400, "invalid_request");
    let (status, _) =
        exchange(&server, &server.api, (ACCESS_TOKEN, &token), &[("resource", API)]).await;
    assert_eq!(status, 200);
}

/// RFC 8693 §2.1: narrowing only.
async fn a_client_does_not_reach_an_api_that_it_is_not_registered_for(server: Server) {
    ready(&server).await;
    another_api(&server).await;
    let token = machine_token(&server).await;
    let more = [("resource", "https://stock.test")];
    let answer = exchange(&server, &server.api, (ACCESS_TOKEN, &token), &more).await;
    refused(&answer, 400, "invalid_target");

    let change =
        ClientChange { scope: Some("stock:read".parse().unwrap()), ..ClientChange::default() };
    server.admin().update_client(&"api".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let answer = exchange(&server, &server.api, (ACCESS_TOKEN, &token), &more).await;
    refused(&answer, 400, "invalid_scope");
}

/// RFC 8693 §4.4.
async fn nobody_acts_with_the_token_of_somebody_else(server: Server) {
    ready(&server).await;
    let token = machine_token(&server).await;
    let more =
        [("actor_token", token.as_str()), ("actor_token_type", ACCESS_TOKEN), ("resource", API)];
    let answer = exchange(&server, &server.api, (ACCESS_TOKEN, &token), &more).await;
    refused(&answer, 400, "invalid_request");
    for lacking in [&more[..1], &more[1..2]] {
        let answer = exchange(&server, &server.api, (ACCESS_TOKEN, &token), lacking).await;
        refused(&answer, 400, "invalid_request");
    }
}

/// RFC 9449 §7.1: without the key, a bound token is worth nothing to those who hold it.
async fn a_bound_token_is_exchanged_by_its_holder_with_its_key_alone(server: Server) {
    let change = ClientChange {
        grants: Some([GrantType::ClientCredentials, GrantType::TokenExchange].into()),
        ..ClientChange::default()
    };
    server.admin().update_client(&"machine".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let (holder, thief) = (Prover::new(&server), Prover::new(&server));
    let (_, tokens) = server.machine_with(&[&holder.proof()]).await;
    let token = text(&tokens, "access_token").to_owned();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", ACCESS_TOKEN),
        ("subject_token", &token),
        ("resource", API),
    ];
    let with =
        async |proofs: &[&str]| server.token_with(Some(&server.machine), &form, proofs).await;
    refused(&with(&[]).await, 400, "invalid_request");
    refused(&with(&[&thief.proof()]).await, 400, "invalid_request");
    let (status, tokens) = with(&[&holder.proof()]).await;
    assert_eq!((status.as_u16(), text(&tokens, "token_type")), (200, "DPoP"), "{tokens}");
}

/// RFC 6750 §2: a key is not an access token.
async fn a_key_is_no_bearer_token_here(server: Server) {
    let key = key_of_ada(&server).await.expose();
    assert_eq!(server.userinfo(&key).await.status(), 401);
}

/// Whoever reports is a stranger.
async fn a_report_of_leaked_keys_is_read_strictly(server: Server) {
    let report = |body: String, kind: &'static str| {
        server.to("/api-keys/leaked").header("content-type", kind).body(body).send()
    };
    let many = json!(vec![json!({ "token": "x" }); 101]).to_string();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["", "{}", "[1]", "[{}]", "[{\"token\":1}]", "null", &many, &deep] {
        let response = report(body.to_owned(), "application/json").await.unwrap();
        assert_eq!(response.status(), 400, "{body:.40}");
    }
    let large = report("[".repeat(70_000), "application/json").await.unwrap();
    assert_eq!(large.status(), 413);
    assert_eq!(report("[]".to_owned(), "text/plain").await.unwrap().status(), 415);
    assert_eq!(report("[]".to_owned(), "application/json").await.unwrap().status(), 200);
}

/// RFC 6819 §5.1.4.1.3.
async fn no_secret_of_a_key_is_kept(server: Server) {
    let key = key_of_ada(&server).await;
    let kept = format!("{:?}", server.app.store.api_key(key.id()).await.unwrap());
    assert!(!kept.contains(&key.expose()[4..40]));
    assert!(!format!("{key:?}").contains(&key.expose()[4..40]));
}
