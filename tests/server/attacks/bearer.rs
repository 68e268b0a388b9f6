//! An access token opens what it was made for, for whoever brings it in the right place, for a while.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{API, Server, parameter, payload, request_with, text};

on_both_engines! {
    a_token_comes_once_and_not_in_an_address
    a_token_opens_what_it_was_meant_for
    a_token_expires
    an_access_token_says_what_it_must_and_no_more
}

/// [RFC 6750 §2](https://www.rfc-editor.org/rfc/rfc6750#section-2),
/// [RFC 9700 §4.3.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.3.2).
async fn a_token_comes_once_and_not_in_an_address(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let (token, url) = (text(&tokens, "access_token"), server.url("/userinfo"));
    let named = [("access_token", token)];
    let send = async |request: reqwest::RequestBuilder| request.send().await.unwrap().status();
    assert_eq!(send(server.http.get(&url).query(&named)).await, 401);
    assert_eq!(send(server.http.post(&url).query(&named)).await, 401);
    assert_eq!(send(server.http.post(&url).bearer_auth(token).form(&named)).await, 400);
    assert_eq!(send(server.http.post(&url).form(&[named[0], named[0]])).await, 400);
    assert_eq!(send(server.http.get(&url).bearer_auth(token).bearer_auth(token)).await, 401);
    assert_eq!(send(server.http.get(&url).bearer_auth(token).bearer_auth("x")).await, 401);
    assert_eq!(send(server.http.get(&url).bearer_auth("x").bearer_auth(token)).await, 401);
    assert_eq!(send(server.http.get(&url).basic_auth(token, Some(""))).await, 401);
    assert_eq!(send(server.http.get(&url).bearer_auth(format!("{token},{token}"))).await, 401);
    assert_eq!(
        send(server.http.get(&url).header("cookie", format!("access_token={token}"))).await,
        401
    );
    assert_eq!(send(server.http.get(&url).bearer_auth(token)).await, 200);
    assert_eq!(send(server.http.post(&url).form(&named)).await, 200);
}

/// [RFC 9700 §4.10.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.10.2),
/// [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1).
async fn a_token_opens_what_it_was_meant_for(server: Server) {
    let browser = server.browser();
    let mut for_api = request_with("scope", "openid orders:read");
    for_api.push(("resource", API));
    for (request, status) in [
        (for_api, 401),
        (request_with("scope", "orders:read"), 401),
        (request_with("scope", "email"), 403),
        (request_with("scope", "openid orders:read"), 200),
    ] {
        let answer = browser.answer(&request).await;
        let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
        let response = server.userinfo(text(&tokens, "access_token")).await;
        assert_eq!(response.status(), status, "{}", text(&tokens, "scope"));
    }
    let answer = browser.answer(&request_with("scope", "openid")).await;
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    let answer: Value = server.userinfo(text(&tokens, "access_token")).await.json().await.unwrap();
    assert_eq!(answer, json!({ "sub": server.ada.id }), "nothing that was not allowed");
}

/// [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1).
async fn a_token_expires(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "access_token");
    for (seconds, active) in [(899, true), (1, false)] {
        server.wait(seconds).await;
        let status = if active { 200 } else { 401 };
        assert_eq!(server.userinfo(token).await.status(), status);
        assert_eq!(server.introspect(&server.web, token).await["active"], active);
    }
}

/// [RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2).
async fn an_access_token_says_what_it_must_and_no_more(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let claims = payload(text(&tokens, "access_token"));
    for name in ["iss", "sub", "jti", "client_id", "scope"] {
        assert!(!text(&claims, name).is_empty());
    }
    assert_eq!(claims["aud"], json!(server.issuer));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(900), &json!("Bearer")));
    let names: BTreeSet<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "acr",
        "amr",
        "aud",
        "auth_time",
        "client_id",
        "exp",
        "family",
        "iat",
        "iss",
        "jti",
        "scope",
        "sid",
        "status",
        "sub",
    ];
    assert_eq!(names, expected.into(), "neither a name nor an address");
}
