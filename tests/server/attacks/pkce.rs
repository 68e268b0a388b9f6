//! A code is worth something to whoever began the request, and to nobody else.

use signet::flows::admin::NewClient;

use super::{refused, told};
use crate::support::{
    CHALLENGE, Credentials, Server, VERIFIER, challenge_of, code_form, hidden, request,
    request_with, request_without, with_people,
};

on_both_engines! {
    every_client_must_send_a_challenge
    a_challenge_that_is_no_hash_is_refused
    a_code_is_worthless_without_its_verifier
    a_malformed_verifier_is_refused_though_its_hash_is_right
    a_verifier_without_a_challenge_is_refused
    a_code_injected_into_another_sign_in_is_refused
    a_challenge_holds_however_the_code_travels_and_wherever_it_is_redeemed
}

async fn redeem(
    server: &Server,
    client: &Credentials,
    code: &str,
    verifier: Option<&str>,
) -> (reqwest::StatusCode, serde_json::Value) {
    let mut form = code_form(code).to_vec();
    form.pop();
    form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
    server.post("/token", Some(client), &form).await
}

/// [RFC 7636 §4.4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.4.1),
/// [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1).
async fn every_client_must_send_a_challenge(server: Server) {
    let browser = server.browser();
    for client in ["web", "spa"] {
        let mut request = request_with("client_id", client);
        request.retain(|(name, _)| !name.starts_with("code_challenge"));
        told(&browser.answer(&request).await, "invalid_request");
        request.push(("code_challenge_method", "S256"));
        told(&browser.answer(&request).await, "invalid_request");
        request.push(("code_challenge", ""));
        told(&browser.answer(&request).await, "invalid_request");
        assert!(!browser.code(&request_with("client_id", client)).await.is_empty());
    }
}

/// [RFC 7636 §4.2](https://www.rfc-editor.org/rfc/rfc7636#section-4.2),
/// [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1).
async fn a_challenge_that_is_no_hash_is_refused(server: Server) {
    let browser = server.browser();
    for method in ["plain", "s256", "S512", "none", ""] {
        let request = request_with("code_challenge_method", method);
        told(&browser.answer(&request).await, "invalid_request");
    }
    // Without a method the challenge would be the verifier itself.
    told(&browser.answer(&request_without("code_challenge_method")).await, "invalid_request");
    for challenge in [
        &CHALLENGE[1..],
        &format!("{CHALLENGE}A"),
        &format!("{CHALLENGE}="),
        &CHALLENGE.replace('-', "+"),
        &CHALLENGE.replace('-', "/"),
        &CHALLENGE.replace("cM", "cN"),
    ] {
        let request = request_with("code_challenge", challenge);
        told(&browser.answer(&request).await, "invalid_request");
    }
    let metadata = server.http.get(server.url("/.well-known/oauth-authorization-server"));
    let metadata: serde_json::Value = metadata.send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
}

/// [RFC 7636 §4.6](https://www.rfc-editor.org/rfc/rfc7636#section-4.6).
async fn a_code_is_worthless_without_its_verifier(server: Server) {
    let browser = server.browser();
    let (lower, upper) = (VERIFIER.to_lowercase(), VERIFIER.to_uppercase());
    let longer = format!("{VERIFIER}A");
    for verifier in [None, Some(""), Some(&*lower), Some(&*upper), Some(&*longer), Some(CHALLENGE)]
    {
        let code = browser.code(&request()).await;
        let answer = redeem(&server, &server.web, &code, verifier).await;
        refused(&answer, 400, "invalid_grant");
    }
    let code = browser.code(&request()).await;
    assert_eq!(redeem(&server, &server.web, &code, Some(VERIFIER)).await.0, 200);
}

/// [RFC 7636 §4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.1).
async fn a_malformed_verifier_is_refused_though_its_hash_is_right(server: Server) {
    let browser = server.browser();
    for (verifier, fits) in [
        ("v".repeat(42), false),
        ("v".repeat(43), true),
        ("v".repeat(128), true),
        ("v".repeat(129), false),
        ("-._~".repeat(11), true),
        ("v".repeat(42) + "+", false),
        ("v".repeat(42) + " ", false),
        ("v".repeat(42) + "=", false),
        ("v".repeat(42) + "\u{fc}", false),
    ] {
        let challenge = challenge_of(&verifier);
        let code = browser.code(&request_with("code_challenge", &challenge)).await;
        let answer = redeem(&server, &server.web, &code, Some(&verifier)).await;
        if fits {
            assert_eq!(answer.0, 200, "{verifier}");
        } else {
            refused(&answer, 400, "invalid_grant");
        }
    }
}

/// [RFC 9700 §4.8.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.8.2).
async fn a_verifier_without_a_challenge_is_refused(server: Server) {
    let new = NewClient { without_pkce: true, ..with_people() };
    let old = server.client("old", new).await;
    let browser = server.browser();
    let mut stripped = request_with("client_id", "old");
    stripped.retain(|(name, _)| !name.starts_with("code_challenge"));
    let code = browser.code(&stripped).await;
    let answer = redeem(&server, &old, &code, Some(VERIFIER)).await;
    refused(&answer, 400, "invalid_grant");
    let code = browser.code(&stripped).await;
    assert_eq!(redeem(&server, &old, &code, None).await.0, 200);
    // Who need not send a challenge is held to the one that was sent.
    let code = browser.code(&request_with("client_id", "old")).await;
    refused(&redeem(&server, &old, &code, None).await, 400, "invalid_grant");
}

/// [RFC 9700 §4.5.3.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.5.3.1).
async fn a_code_injected_into_another_sign_in_is_refused(server: Server) {
    let (victim, attacker) = (server.browser(), server.browser());
    let verifier = "a".repeat(43);
    let challenge = challenge_of(&verifier);
    let own = attacker.code(&request_with("code_challenge", &challenge)).await;
    let stolen = victim.code(&request()).await;
    let answer = redeem(&server, &server.web, &stolen, Some(&verifier)).await;
    refused(&answer, 400, "invalid_grant");
    assert_eq!(redeem(&server, &server.web, &own, Some(&verifier)).await.0, 200);
}

/// [RFC 7636 §4.4](https://www.rfc-editor.org/rfc/rfc7636#section-4.4).
async fn a_challenge_holds_however_the_code_travels_and_wherever_it_is_redeemed(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    for (verifier, status) in [(None, 400), (Some(VERIFIER), 200)] {
        let code = browser.code(&request()).await;
        assert_eq!(redeem(&node, &server.web, &code, verifier).await.0, status);

        let posted = request_with("response_mode", "form_post");
        let posted = browser.follow(browser.get("/authorize", &posted).await).await;
        let page = posted.text().await.unwrap().replace("name=\"code\"", "name=\"request\"");
        assert_eq!(redeem(&node, &server.web, hidden(&page), verifier).await.0, status);
    }
}
