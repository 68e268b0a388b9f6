//! A session is its browser's alone, changes its name, and ends.

use serde_json::json;

use super::refused;
use crate::support::{
    PASSWORD, Server, location, request, request_with, sealed, session_of, set_cookie, text,
};

on_both_engines! {
    a_session_changes_its_name_when_somebody_signs_in
    a_session_that_was_planted_is_not_adopted
    cookies_are_hidden_from_scripts_and_other_sites
    a_cookie_that_a_sibling_planted_is_not_read
    half_a_cookie_is_none
    a_session_ends_when_it_is_not_used
    a_session_ends_though_it_is_used
    what_a_session_gave_dies_with_it
    what_was_begun_before_a_new_sign_in_goes_on_and_dies_at_sign_out
    whoever_was_there_is_signed_out_when_somebody_else_signs_in
}

/// Whether a browser with this cookie line is signed in.
async fn signed_in(server: &Server, cookie: &str) -> bool {
    let silent = request_with("prompt", "none");
    let asked = server.http.get(server.url("/authorize")).query(&silent).header("cookie", cookie);
    let answer = location(&asked.send().await.unwrap()).unwrap();
    assert!(answer.contains("code=") || answer.contains("error="), "{answer}");
    !answer.contains("login_required")
}

/// [RFC 6265 §8.4](https://www.rfc-editor.org/rfc/rfc6265#section-8.4).
async fn a_session_changes_its_name_when_somebody_signs_in(server: Server) {
    let browser = server.browser();
    let again = request_with("prompt", "login");
    let first = session_of(&browser.begins(&again).await);
    assert!(signed_in(&server, &format!("signet_session={first}")).await);
    let second = session_of(&browser.begins(&again).await);
    assert_ne!(first, second);
    assert!(!signed_in(&server, &format!("signet_session={first}")).await, "the old name is dead");
    assert!(signed_in(&server, &format!("signet_session={second}")).await);
}

/// [RFC 6265 §8.4](https://www.rfc-editor.org/rfc/rfc6265#section-8.4).
async fn a_session_that_was_planted_is_not_adopted(server: Server) {
    let own = session_of(&server.browser().begins(&request()).await);
    for planted in ["A".repeat(64), own.replace(&own[..8], "AAAAAAAA")] {
        let cookie = format!("signet_session={planted}");
        let page = server.http.get(server.url("/authorize")).query(&request());
        let response = page.header("cookie", &cookie).send().await.unwrap();
        let page = location(&response).unwrap();
        let browser = set_cookie(&response, "signet_browser").unwrap();
        let sealed = sealed(&page);
        let form = [("request", sealed.as_str()), ("username", "ada"), ("password", PASSWORD)];
        let cookies = format!("{cookie}; signet_browser={browser}");
        let response = server.to("/login").header("cookie", cookies).form(&form);
        let made = session_of(&response.send().await.unwrap());
        assert_ne!(made, planted);
        assert!(!signed_in(&server, &cookie).await);
        assert!(signed_in(&server, &format!("signet_session={made}")).await);
    }
}

/// [RFC 6265 §4.1.2](https://www.rfc-editor.org/rfc/rfc6265#section-4.1.2).
async fn cookies_are_hidden_from_scripts_and_other_sites(server: Server) {
    let server = server.known_as(|_| "https://id.test".to_owned()).await;
    let asked = server.http.get(server.url("/authorize")).query(&request()).send().await.unwrap();
    let browser = set_cookie(&asked, "__Host-signet_browser").unwrap();
    let sealed = sealed(&location(&asked).unwrap());
    let form = [("request", sealed.as_str()), ("username", "ada"), ("password", PASSWORD)];
    let cookie = format!("__Host-signet_browser={browser}");
    let begun = server.to("/login").header("cookie", cookie).form(&form).send().await.unwrap();
    let session = set_cookie(&begun, "__Host-signet_session").unwrap();
    assert_eq!((browser.len(), session.len()), (43, 64), "256 bits and more");
    for response in [&asked, &begun] {
        for cookie in response.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
            for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
                assert!(attributes.contains(&attribute), "{cookie}");
            }
            assert!(cookie.starts_with("__Host-") && !cookie.contains("Domain"), "{cookie}");
            assert!(cookie.len() < 4096);
        }
        assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    }
}

/// [RFC 6265 §8.6](https://www.rfc-editor.org/rfc/rfc6265#section-8.6).
async fn a_cookie_that_a_sibling_planted_is_not_read(server: Server) {
    let session = session_of(&server.browser().begins(&request()).await);
    let server = server.known_as(|_| "https://id.test".to_owned()).await;
    assert!(!signed_in(&server, &format!("signet_session={session}")).await);
    assert!(!signed_in(&server, &format!("__host-signet_session={session}")).await);
    assert!(!signed_in(&server, &format!("__Secure-signet_session={session}")).await);
    assert!(signed_in(&server, &format!("__Host-signet_session={session}")).await);
}

/// [RFC 6749 §10.10](https://www.rfc-editor.org/rfc/rfc6749#section-10.10).
async fn half_a_cookie_is_none(server: Server) {
    let session = session_of(&server.browser().begins(&request()).await);
    let other = session_of(&server.browser().begins(&request()).await);
    // The secret of one with the name of another; either alone; and too much.
    for wrong in [
        format!("{}{}", &session[..43], &other[43..]),
        session[..63].to_owned(),
        format!("{session}A"),
        format!("\"{session}\""),
        "' or 1=1 --".to_owned(),
        String::new(),
    ] {
        assert!(!signed_in(&server, &format!("signet_session={wrong}")).await, "{wrong}");
    }
    assert!(signed_in(&server, &format!("a=b; signet_session={session}; c=d")).await);
}

/// [OpenID Connect Core §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates).
async fn a_session_ends_when_it_is_not_used(server: Server) {
    let browser = server.browser();
    browser.begins(&request()).await;
    server.wait(12 * 3600 - 1).await;
    assert!(browser.is_signed_in().await);
    server.wait(12 * 3600).await;
    assert!(!browser.is_signed_in().await);
}

/// [OpenID Connect Core §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates).
async fn a_session_ends_though_it_is_used(server: Server) {
    let browser = server.browser();
    let session = session_of(&browser.begins(&request()).await);
    for _ in 0..20 {
        server.wait(8 * 3600).await;
        assert!(signed_in(&server, &format!("signet_session={session}")).await);
    }
    server.wait(8 * 3600).await;
    assert!(!signed_in(&server, &format!("signet_session={session}")).await);
}

/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
async fn what_a_session_gave_dies_with_it(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    let tokens = server.tokens(&browser).await;
    let code = browser.code(&request()).await;
    let session = session_of(&browser.begins(&request_with("prompt", "login")).await);
    let newer = server.tokens(&browser).await;
    browser.get("/logout", &[("id_token_hint", text(&newer, "id_token"))]).await;
    node.follow().await;
    for server in [&server, &node] {
        assert!(!signed_in(server, &format!("signet_session={session}")).await);
        let access = text(&newer, "access_token");
        assert_eq!(server.userinfo(access).await.status(), 401);
        assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
    }
    // A code that nobody had redeemed.
    refused(&node.redeem(&code).await, 400, "invalid_grant");
    // Access while nobody is there was asked for and allowed.
    assert_eq!(server.refresh(text(&tokens, "refresh_token")).await.0, 200);
}

/// [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
async fn what_was_begun_before_a_new_sign_in_goes_on_and_dies_at_sign_out(server: Server) {
    let browser = server.browser();
    let passing = request_with("scope", "email");
    let tokens = server.redeem(&browser.code(&passing).await).await.1;
    let code = browser.code(&passing).await;
    browser.follow(browser.begins(&request_with("prompt", "login")).await).await;
    let (status, refreshed) = server.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(status, 200, "{refreshed}");
    let (status, others) = server.redeem(&code).await;
    assert_eq!(status, 200, "{others}");

    let newer = server.tokens(&browser).await;
    browser.get("/logout", &[("id_token_hint", text(&newer, "id_token"))]).await;

    assert!(!browser.is_signed_in().await);
    for tokens in [&refreshed, &others] {
        refused(&server.refresh(text(tokens, "refresh_token")).await, 400, "invalid_grant");
        let access = text(tokens, "access_token");
        assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
    }
}

/// [OpenID Connect Core §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates).
async fn whoever_was_there_is_signed_out_when_somebody_else_signs_in(server: Server) {
    server.person("bob").await;
    let browser = server.browser();
    let passing = request_with("scope", "email");
    let tokens = server.redeem(&browser.code(&passing).await).await.1;
    let code = browser.code(&passing).await;
    let page = browser.asks(&request_with("prompt", "login")).await;
    browser.follow(browser.signs_in(&page, "bob", PASSWORD).await).await;

    assert!(browser.is_signed_in().await);
    refused(&server.redeem(&code).await, 400, "invalid_grant");
    refused(&server.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
    let access = text(&tokens, "access_token");
    assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
}
