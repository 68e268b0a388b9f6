//! What must not work, whoever tries it.

use reqwest::{Response, StatusCode, header};
use serde_json::Value;

use crate::support::{
    Browser, Credentials, PASSWORD, Server, VERIFIER, code_form, location, parameter, request,
    request_with, sealed, text,
};

on_both_engines! {
    a_code_that_is_used_again_takes_its_tokens_with_it
    a_code_is_worthless_without_its_verifier
    a_code_is_worthless_to_another_client
    a_code_expires
    an_address_that_is_not_registered_is_never_redirected_to
    repeated_parameters_and_request_objects_are_refused
    an_access_token_without_a_signature_is_refused
    bodies_and_methods_that_are_not_expected_are_refused
    an_unknown_client_is_told_nothing_more
    the_disabled_can_do_nothing
    only_an_access_token_in_its_place_opens_userinfo
    forms_from_other_sites_are_refused
    a_session_changes_its_name_when_somebody_signs_in
    the_consent_page_of_another_browser_is_worthless
    machines_may_call_from_anywhere_and_pages_may_not_be_read
    pages_cannot_be_framed_kept_or_injected
}

/// RFC 6749 §4.1.2.
async fn a_code_that_is_used_again_takes_its_tokens_with_it(server: Server) {
    let code = server.browser().code(&request()).await;
    let (_, tokens) = server.redeem(&code).await;
    refused(&server.redeem(&code).await, 400, "invalid_grant");
    refused(&server.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
    let access = text(&tokens, "access_token");
    assert_eq!(server.introspect(&server.web, access).await["active"], false);
}

/// RFC 7636 §4.6.
async fn a_code_is_worthless_without_its_verifier(server: Server) {
    let browser = server.browser();
    let wrong = VERIFIER.to_lowercase();
    for verifier in [Some(wrong.as_str()), None] {
        let code = browser.code(&request()).await;
        let mut form = code_form(&code).to_vec();
        form.pop();
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let (status, answer) = server.post("/token", Some(&server.web), &form).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.get("access_token").is_none(), "{answer}");
    }
}

/// RFC 6749 §4.1.3.
async fn a_code_is_worthless_to_another_client(server: Server) {
    let code = server.browser().code(&request()).await;
    let answer = server.post("/token", Some(&server.other), &code_form(&code)).await;
    refused(&answer, 400, "invalid_grant");
}

/// RFC 6749 §4.1.2.
async fn a_code_expires(server: Server) {
    let code = server.browser().code(&request()).await;
    server.wait(61).await;
    refused(&server.redeem(&code).await, 400, "invalid_grant");
}

/// RFC 9700 §4.1.3.
async fn an_address_that_is_not_registered_is_never_redirected_to(server: Server) {
    for address in [
        "https://app.test/cb/",
        "https://app.test/cb?x=1",
        "https://app.test/cb#f",
        "https://app.test/CB",
        "https://app.test:444/cb",
        "http://app.test/cb",
        "https://app.test.evil.test/cb",
        "https://app.test@evil.test/cb",
        "https://app.test/cb/../x",
        "//app.test/cb",
        "",
    ] {
        let response =
            server.browser().get("/authorize", &request_with("redirect_uri", address)).await;
        assert_eq!((response.status().as_u16(), location(&response)), (400, None), "{address}");
    }
}

/// RFC 6749 §3.1, OpenID Connect Core §6.
async fn repeated_parameters_and_request_objects_are_refused(server: Server) {
    let browser = server.browser();
    for (name, value, error) in [
        ("nonce", "n-2", "invalid_request"),
        ("request", "e30.e30.", "request_not_supported"),
        ("request_uri", "http://169.254.169.254/", "request_uri_not_supported"),
    ] {
        let mut request = request();
        request.push((name, value));
        let answer = browser.answer(&request).await;
        assert_eq!(parameter(&answer, "error").unwrap(), error);
    }
    let form = [("grant_type", "client_credentials"), ("grant_type", "client_credentials")];
    let answer = server.post("/token", Some(&server.machine), &form).await;
    refused(&answer, 400, "invalid_request");
}

/// RFC 8725 §3.1.
async fn an_access_token_without_a_signature_is_refused(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let payload = text(&tokens, "access_token").split('.').nth(1).unwrap();
    // {"alg":"none","typ":"at+jwt"} and {"alg":"HS256","typ":"at+jwt"}
    for head in
        ["eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0", "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9"]
    {
        for signature in ["", "AAAA"] {
            let token = format!("{head}.{payload}.{signature}");
            assert_eq!(server.userinfo(&token).await.status(), 401);
            assert_eq!(server.introspect(&server.web, &token).await["active"], false);
        }
    }
}

/// RFC 6749 §3.2.
async fn bodies_and_methods_that_are_not_expected_are_refused(server: Server) {
    let url = server.url("/token");
    let json = server.http.post(&url).json(&Value::Null).send().await.unwrap();
    assert_eq!(json.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let long = "x".repeat(65 * 1024);
    let large = server.http.post(&url).form(&[("scope", long)]).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let get = server.http.get(&url).send().await.unwrap();
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
}

/// RFC 6749 §5.2.
async fn an_unknown_client_is_told_nothing_more(server: Server) {
    let form = [("grant_type", "client_credentials")];
    let unknown: Credentials = ("nobody".to_owned(), "x".to_owned());
    let wrong = ("machine".to_owned(), "x".to_owned());
    let unknown = server.post("/token", Some(&unknown), &form).await;
    refused(&unknown, 401, "invalid_client");
    assert_eq!(server.post("/token", Some(&wrong), &form).await, unknown);
}

/// RFC 9700 §4.14.
async fn the_disabled_can_do_nothing(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    server.admin().disable_user(server.ada.id).await.unwrap();
    server.wait(1).await;
    refused(&server.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 401);

    server.admin().disable_client(&"machine".parse().unwrap()).await.unwrap();
    server.wait(1).await;
    let form = [("grant_type", "client_credentials")];
    let answer = server.post("/token", Some(&server.machine), &form).await;
    refused(&answer, 401, "invalid_client");
}

/// RFC 6750 §2, RFC 9700 §4.3.2, RFC 9068 §4.
async fn only_an_access_token_in_its_place_opens_userinfo(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    for name in ["id_token", "refresh_token"] {
        assert_eq!(server.userinfo(text(&tokens, name)).await.status(), 401, "{name}");
    }
    let query = [("access_token", text(&tokens, "access_token"))];
    let response = server.http.get(server.url("/userinfo")).query(&query).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

/// RFC 6749 §10.12.
async fn forms_from_other_sites_are_refused(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let sealed = sealed(&page);
    for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")] {
        for path in ["/login", "/consent", "/logout"] {
            let form = browser.http.post(server.url(path)).header(name, value);
            let response = form.form(&[("request", &sealed)]).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {name}");
        }
    }
}

/// RFC 9700 §4.7.
async fn a_session_changes_its_name_when_somebody_signs_in(server: Server) {
    let browser = server.browser();
    let again = request_with("prompt", "login");
    let first = session(&sign_in(&browser, &again).await);
    let second = session(&sign_in(&browser, &again).await);
    assert_ne!(first, second);
}

/// RFC 6749 §10.2.
async fn the_consent_page_of_another_browser_is_worthless(server: Server) {
    let (victim, attacker) = (server.browser(), server.browser());
    sign_in(&victim, &request()).await;
    let page = location(&sign_in(&attacker, &request()).await).unwrap();
    assert!(page.starts_with("/consent?"));
    let form = [("request", sealed(&page)), ("action", "allow".to_owned())];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let response = victim.post("/consent", &form).await;
    assert_eq!((response.status().as_u16(), location(&response)), (400, None));
}

/// RFC 9700 §2.6.
async fn machines_may_call_from_anywhere_and_pages_may_not_be_read(server: Server) {
    for (path, open) in [
        ("/jwks", true),
        ("/userinfo", true),
        ("/.well-known/openid-configuration", true),
        ("/authorize", false),
        ("/login", false),
        ("/logout", false),
    ] {
        let request = server.http.get(server.url(path)).header("origin", "https://app.test");
        let response = request.send().await.unwrap();
        let allowed = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed.map(|value| value.to_str().unwrap()), open.then_some("*"), "{path}");
    }
}

/// RFC 9700 §4.16.
async fn pages_cannot_be_framed_kept_or_injected(server: Server) {
    let browser = server.browser();
    let page = location(&browser.get("/authorize", &request()).await).unwrap();
    let response = browser.get(&page, &[]).await;
    assert_eq!(response.status(), 200);
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}

#[track_caller]
fn refused((status, answer): &(StatusCode, Value), expected: u16, error: &str) {
    assert_eq!((status.as_u16(), text(answer, "error")), (expected, error), "{answer}");
}

/// Sign in, and go no further.
async fn sign_in(browser: &Browser, request: &[(&str, &str)]) -> Response {
    let page = location(&browser.get("/authorize", request).await).unwrap();
    let sealed = sealed(&page);
    let form = [("request", sealed.as_str()), ("username", "ada"), ("password", PASSWORD)];
    browser.post("/login", &form).await
}

/// The session that an answer begins.
fn session(response: &Response) -> String {
    let mut cookies =
        response.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    cookies.find(|cookie| cookie.starts_with("signet_session=")).unwrap().to_owned()
}
