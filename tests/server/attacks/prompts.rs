//! Who must sign in again does, and nobody is taken for somebody else.

use reqwest::Response;

use super::{is_foreign, told};
use crate::support::{
    Browser, PASSWORD, Server, location, parameter, payload, request, request_with, sealed, text,
};

on_both_engines! {
    an_old_page_does_not_stand_for_a_new_sign_in
    a_sign_in_that_is_too_old_is_done_again
    whoever_signs_in_again_is_the_one_who_is_meant
    somebody_else_is_not_the_one_who_was_asked_for
    a_hint_that_is_not_ours_is_refused
    an_unknown_person_and_a_wrong_password_look_the_same
    nobody_signs_in_without_the_right_password
}

async fn claims(server: &Server, browser: &Browser, response: Response) -> serde_json::Value {
    let answer: url::Url = location(&browser.follow(response).await).unwrap().parse().unwrap();
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    payload(text(&tokens, "id_token"))
}

/// [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
async fn an_old_page_does_not_stand_for_a_new_sign_in(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    // Nor does the sign-in before it, though it was in the same second.
    for (name, value) in [("prompt", "login"), ("max_age", "0")] {
        let asked_at = server.app.clock.now().0;
        let page = browser.asks(&request_with(name, value)).await;
        // Opening it again, leaving the password out, or saying that one goes on, is no sign-in.
        let opened = browser.get(&page, &[]).await;
        assert_eq!((opened.status().as_u16(), location(&opened)), (200, None));
        for action in ["login", "continue", ""] {
            let response = browser.presses(&page, action).await;
            assert!(location(&response).is_none_or(|next| next.starts_with("/login?")), "{action}");
        }
        let sealed = sealed(&page);
        let allowed = [("request", sealed.as_str()), ("action", "allow")];
        is_foreign(&browser.post("/consent", &allowed).await);
        let wrong = browser.signs_in(&page, "ada", "wrong").await;
        assert_eq!((wrong.status().as_u16(), location(&wrong)), (200, None));

        server.wait(10).await;
        let response = browser.signs_in(&page, "ada", PASSWORD).await;
        let claims = claims(&server, &browser, response).await;
        assert!(claims["auth_time"].as_i64().unwrap() > asked_at);
    }
    // A page from before the newest sign-in does not answer a request from after it.
    let silent = [&request_with("prompt", "none")[..], &[("max_age", "0")]].concat();
    told(&browser.answer(&silent).await, "login_required");
}

/// [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
async fn a_sign_in_that_is_too_old_is_done_again(server: Server) {
    let browser = server.browser();
    browser.code(&request()).await;
    server.wait(3).await;
    let silent = |age| [&request_with("prompt", "none")[..], &[("max_age", age)]].concat();
    told(&browser.answer(&silent("2")).await, "login_required");
    assert!(parameter(&browser.answer(&silent("3")).await, "code").is_some());
    let response = browser.get("/authorize", &request_with("max_age", "2")).await;
    let claims = claims(&server, &browser, response).await;
    assert_eq!(claims["auth_time"], server.app.clock.now().0);
}

/// [OpenID Connect Core §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates).
async fn whoever_signs_in_again_is_the_one_who_is_meant(server: Server) {
    let bob = server.person("bob").await;
    let browser = server.browser();
    browser.code(&request()).await;
    let page = browser.asks(&request_with("prompt", "login")).await;
    let response = browser.signs_in(&page, "bob", PASSWORD).await;
    assert!(browser.page(&response).unwrap().starts_with("/consent?"), "bob allowed nothing yet");
    let claims = claims(&server, &browser, response).await;
    assert_eq!(claims["sub"], bob.id.to_string());
    // Giving up gives nobody away.
    let page = browser.asks(&request_with("prompt", "login")).await;
    let cancelled = browser.presses(&page, "cancel").await;
    told(&location(&cancelled).unwrap().parse().unwrap(), "access_denied");
}

/// [OpenID Connect Core §3.1.2.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequestValidation).
async fn somebody_else_is_not_the_one_who_was_asked_for(server: Server) {
    server.person("bob").await;
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let hint = text(&tokens, "id_token");
    let other = server.browser();
    let page = other.asks(&request_with("id_token_hint", hint)).await;
    let response = other.signs_in(&page, "bob", PASSWORD).await;
    told(&location(&response).unwrap().parse().unwrap(), "login_required");
    assert!(!browser.code(&request_with("id_token_hint", hint)).await.is_empty());
}

/// [RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
async fn a_hint_that_is_not_ours_is_refused(server: Server) {
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let hint = text(&tokens, "id_token");
    let unsigned = format!("{}.", hint.rsplit_once('.').unwrap().0);
    for wrong in [text(&tokens, "access_token"), &unsigned, &hint[..hint.len() - 4], "x"] {
        told(&browser.answer(&request_with("id_token_hint", wrong)).await, "invalid_request");
    }
}

/// [RFC 6819 §4.4.3.6](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.3.6).
async fn an_unknown_person_and_a_wrong_password_look_the_same(server: Server) {
    let dave = server.person("dave").await;
    server.admin().disable_user(dave.id).await.unwrap();
    server.person_without_password("erin").await;
    let mut answers = Vec::new();
    for (username, password) in [
        ("ada", "wrong"),
        ("nobody", PASSWORD),
        ("dave", PASSWORD),
        ("dave", "wrong"),
        ("erin", PASSWORD),
        ("ada@example.test", "wrong"),
        ("nobody@example.test", "wrong"),
    ] {
        let browser = server.browser();
        let page = browser.asks(&request()).await;
        let response = browser.signs_in(&page, username, password).await;
        let mut headers = response.headers().clone();
        let request_id = headers.remove("x-request-id").unwrap();
        headers.remove("date");
        headers.remove("content-length");
        let status = response.status().as_u16();
        let page = response.text().await.unwrap();
        let page = page.replace(request_id.to_str().unwrap(), "");
        let page = page.replace(crate::support::hidden(&page), "");
        answers.push((status, headers, page.replace(&format!("\"{username}\""), "")));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert!(answers[0].2.contains("is not right"), "{}", answers[0].2);
}

/// [RFC 6819 §4.4.3.6](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.3.6).
async fn nobody_signs_in_without_the_right_password(server: Server) {
    server.person_without_password("erin").await;
    let browser = server.browser();
    let page = browser.asks(&request()).await;
    let (long, longer) = ("x".repeat(1024), "x".repeat(60_000));
    let (upper, spaced) = (PASSWORD.to_uppercase(), format!(" {PASSWORD}"));
    for (username, password) in [
        ("ada", ""),
        ("ada", "wrong"),
        ("ada", &upper),
        ("ada", &spaced),
        ("ada", &PASSWORD[..PASSWORD.len() - 1]),
        ("ada", &long),
        ("ada", &longer),
        ("ada' or '1'='1", PASSWORD),
        ("ada' --", PASSWORD),
        ("erin", ""),
        ("erin", PASSWORD),
        ("", PASSWORD),
        ("%", PASSWORD),
    ] {
        let response = browser.signs_in(&page, username, password).await;
        assert_eq!(response.status(), 200, "{username}");
        assert!(response.headers().get("set-cookie").is_none(), "{username}");
    }
    assert!(!browser.is_signed_in().await);
    browser.signs_in(&page, "ada", PASSWORD).await;
    assert!(browser.is_signed_in().await);
}
