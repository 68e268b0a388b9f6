//! What clients and people do every day.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    API, CALLBACK, PASSWORD, Server, location, parameter, request, request_with, sealed, text,
};

on_both_engines! {
    a_code_with_pkce_gives_an_id_token_that_a_stranger_can_verify
    userinfo_takes_its_token_in_the_header_or_in_the_body
    a_refresh_token_rotates_and_repeats_its_successor_within_the_grace
    reuse_after_the_grace_kills_the_family_and_its_access_tokens
    client_credentials_are_aimed_at_an_api_and_narrowed
    a_token_is_introspected_by_its_holder_and_its_api_alone
    revocation_answers_nothing_and_kills_what_came_of_a_refresh_token
    logout_with_a_hint_goes_straight_back
    logout_without_a_hint_asks_first
    whoever_chooses_another_account_may_still_be_the_same_person
    prompt_none_answers_without_a_page
    a_posted_password_is_not_sent_on_by_the_redirect
    consent_is_remembered_and_asked_for_when_it_grows
    form_post_sends_the_answer_through_a_page
    metadata_is_found_wherever_clients_look
    rotated_keys_keep_older_tokens_valid
}

async fn a_code_with_pkce_gives_an_id_token_that_a_stranger_can_verify(server: Server) {
    let answer = server.browser().answer(&request()).await;
    assert!(answer.as_str().starts_with(CALLBACK));
    assert_eq!(parameter(&answer, "state").unwrap(), "s t");
    // RFC 9207.
    assert_eq!(parameter(&answer, "iss").unwrap(), server.issuer);

    let (status, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    assert_eq!(status, 200, "{tokens}");
    let claims = verified(&server, text(&tokens, "id_token")).await;
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["sub"], json!(server.ada.id));
    assert!(claims["auth_time"].is_i64() && claims["acr"].is_string());
    assert!(claims["amr"].is_array() && claims["sid"].is_string());
    let hash = Sha256::digest(text(&tokens, "access_token"));
    assert_eq!(claims["at_hash"], BASE64.encode(&hash[..16]));
}

async fn userinfo_takes_its_token_in_the_header_or_in_the_body(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "access_token");
    let url = server.url("/userinfo");
    for request in [
        server.http.get(&url).bearer_auth(token),
        server.http.post(&url).bearer_auth(token),
        server.http.post(&url).form(&[("access_token", token)]),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["sub"], json!(server.ada.id));
        assert_eq!(answer["email"], "ada@example.test");
    }
}

async fn a_refresh_token_rotates_and_repeats_its_successor_within_the_grace(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let first = text(&tokens, "refresh_token");
    let (_, second) = server.refresh(first).await;
    assert_ne!(text(&second, "refresh_token"), first);
    server.wait(29).await;
    let (status, again) = server.refresh(first).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(text(&again, "refresh_token"), text(&second, "refresh_token"));
}

async fn reuse_after_the_grace_kills_the_family_and_its_access_tokens(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let first = text(&tokens, "refresh_token");
    let (_, second) = server.refresh(first).await;
    let access = text(&second, "access_token");
    assert_eq!(server.introspect(&server.web, access).await["active"], true);
    server.wait(31).await;
    let (status, refusal) = server.refresh(first).await;
    assert_eq!((status.as_u16(), text(&refusal, "error")), (400, "invalid_grant"));
    let (status, _) = server.refresh(text(&second, "refresh_token")).await;
    assert_eq!(status, 400);
    assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
    assert_eq!(server.userinfo(access).await.status(), 401);
}

async fn client_credentials_are_aimed_at_an_api_and_narrowed(server: Server) {
    let form = [("grant_type", "client_credentials"), ("resource", API), ("scope", "orders:read")];
    let (status, tokens) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!(status, 200, "{tokens}");
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let answer = server.introspect(&server.machine, text(&tokens, "access_token")).await;
    assert_eq!((text(&answer, "aud"), text(&answer, "scope")), (API, "orders:read"));

    let form = [("grant_type", "client_credentials"), ("scope", "admin")];
    let (status, refusal) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!((status.as_u16(), text(&refusal, "error")), (400, "invalid_scope"));
    let form = [("grant_type", "client_credentials"), ("resource", "https://no.test/")];
    let (status, refusal) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!((status.as_u16(), text(&refusal, "error")), (400, "invalid_target"));
}

async fn a_token_is_introspected_by_its_holder_and_its_api_alone(server: Server) {
    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
    let token = text(&tokens, "access_token");
    for client in [&server.machine, &server.api] {
        assert_eq!(server.introspect(client, token).await["client_id"], "machine");
    }
    assert_eq!(server.introspect(&server.other, token).await, json!({ "active": false }));
    assert_eq!(server.introspect(&server.web, "nonsense").await, json!({ "active": false }));
}

async fn revocation_answers_nothing_and_kills_what_came_of_a_refresh_token(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let form = [("token", text(&tokens, "refresh_token"))];
    let (id, secret) = &server.web;
    let request = server.http.post(server.url("/revoke")).basic_auth(id, Some(secret));
    let response = request.form(&form).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), "");
    let access = text(&tokens, "access_token");
    assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
    assert_eq!(server.refresh(text(&tokens, "refresh_token")).await.0, 400);
}

async fn logout_with_a_hint_goes_straight_back(server: Server) {
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let query = [
        ("id_token_hint", text(&tokens, "id_token")),
        ("post_logout_redirect_uri", "https://app.test/bye"),
        ("state", "x"),
    ];
    let response = browser.get("/logout", &query).await;
    assert_eq!(location(&response).unwrap(), "https://app.test/bye?state=x");
    let answer = browser.answer(&request_with("prompt", "none")).await;
    assert_eq!(parameter(&answer, "error").unwrap(), "login_required");
}

async fn logout_without_a_hint_asks_first(server: Server) {
    let browser = server.browser();
    server.tokens(&browser).await;
    let response = browser.get("/logout", &[]).await;
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"request\" value=\"").unwrap();
    let (sealed, _) = rest.split_once('"').unwrap();
    let answer = browser.answer(&request_with("prompt", "none")).await;
    assert!(parameter(&answer, "code").is_some(), "nothing has happened yet");
    let response = browser.post("/logout", &[("request", sealed), ("action", "logout")]).await;
    assert_eq!(location(&response).unwrap(), "/logged-out");
    let answer = browser.answer(&request_with("prompt", "none")).await;
    assert_eq!(parameter(&answer, "error").unwrap(), "login_required");
}

async fn whoever_chooses_another_account_may_still_be_the_same_person(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    let choice = browser.asks(&request_with("prompt", "select_account")).await;
    let page = browser.page(&browser.presses(&choice, "other").await).unwrap();
    let response = browser.signs_in(&page, "ada", PASSWORD).await;
    assert!(location(&response).unwrap().starts_with(CALLBACK), "she has allowed it before");
}

async fn prompt_none_answers_without_a_page(server: Server) {
    let browser = server.browser();
    let silent = request_with("prompt", "none");
    let answer = browser.answer(&silent).await;
    assert_eq!(parameter(&answer, "error").unwrap(), "login_required");
    assert_eq!(parameter(&answer, "iss").unwrap(), server.issuer);
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let form = [("request", sealed(&page)), ("username", "ada".to_owned())];
    let mut form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.push(("password", PASSWORD));
    let asked = browser.post("/login", &form).await;
    assert!(location(&asked).unwrap().starts_with("/consent?"));
    let answer = browser.answer(&silent).await;
    assert_eq!(parameter(&answer, "error").unwrap(), "consent_required");
    browser.follow(asked).await;
    assert!(parameter(&browser.answer(&silent).await, "code").is_some());
}

/// RFC 9700 §4.12.
async fn a_posted_password_is_not_sent_on_by_the_redirect(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let sealed = sealed(&page);
    let password = PASSWORD;
    let form = [("request", sealed.as_str()), ("username", "ada"), ("password", password)];
    assert_eq!(browser.post("/login", &form).await.status(), 303);
}

async fn consent_is_remembered_and_asked_for_when_it_grows(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    let response = browser.get("/authorize", &request()).await;
    assert!(location(&response).unwrap().starts_with(CALLBACK));
    let more = request_with("scope", "openid email profile");
    let response = browser.get("/authorize", &more).await;
    assert!(location(&response).unwrap().starts_with("/consent?"));
}

async fn form_post_sends_the_answer_through_a_page(server: Server) {
    let browser = server.browser();
    let response = browser.get("/authorize", &request_with("response_mode", "form_post")).await;
    let response = browser.follow(response).await;
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    assert!(page.contains(&format!("<form method=\"post\" action=\"{CALLBACK}\"")), "{page}");
    for name in ["code", "state", "iss"] {
        assert!(page.contains(&format!("name=\"{name}\"")), "{page}");
    }
}

async fn metadata_is_found_wherever_clients_look(server: Server) {
    let mut documents = Vec::new();
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let response = server.http.get(server.url(path)).send().await.unwrap();
        documents.push(response.json::<Value>().await.unwrap());
    }
    assert_eq!(documents[0], documents[1]);
    assert_eq!(text(&documents[0], "issuer"), server.issuer);
    assert_eq!(text(&documents[0], "token_endpoint"), server.url("/token"));
}

async fn rotated_keys_keep_older_tokens_valid(server: Server) {
    let browser = server.browser();
    let before = server.tokens(&browser).await;
    server
        .app
        .keys
        .rotate(signet::values::Algorithm::Rs256, true, server.app.clock.now())
        .await
        .unwrap();
    server.wait(1).await;
    let after = server.tokens(&browser).await;
    let kid = |tokens| jsonwebtoken::decode_header(text(tokens, "id_token")).unwrap().kid;
    assert_ne!(kid(&before), kid(&after));
    verified(&server, text(&before, "id_token")).await;
    verified(&server, text(&after, "id_token")).await;
    for tokens in [&before, &after] {
        assert_eq!(server.userinfo(text(tokens, "access_token")).await.status(), 200);
    }
}

/// The claims of an ID token, as a stranger verifies it.
async fn verified(server: &Server, token: &str) -> Value {
    let response = server.http.get(server.url("/jwks")).send().await.unwrap();
    let keys: JwkSet = response.json().await.unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&server.issuer]);
    validation.set_audience(&["web"]);
    jsonwebtoken::decode(token, &key, &validation).unwrap().claims
}
