//! What a request says, it says once, within bounds and in words that we know.

use std::net::TcpListener;

use reqwest::Method;

use super::{refused, stays, told};
use crate::support::{
    API, CALLBACK, CHALLENGE, Server, code_form, parameter, request, request_with, request_without,
    text,
};

on_both_engines! {
    a_repeated_parameter_is_refused_at_the_authorization_endpoint
    a_repeated_parameter_is_refused_at_the_endpoints_for_machines
    nothing_but_a_code_is_ever_answered
    an_answer_travels_in_the_ways_that_are_promised_alone
    request_objects_are_refused_and_never_fetched
    the_state_comes_back_as_it_went_and_injects_nothing
    what_is_unknown_is_ignored_and_what_is_empty_is_absent
    a_scope_that_is_not_registered_is_refused
    an_unknown_api_is_refused
    contradictory_wishes_are_refused
    a_flood_of_words_is_refused_without_a_failure
    parameters_in_an_address_are_not_read_by_the_endpoints_for_machines
    unexpected_methods_are_refused
}

/// [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
async fn a_repeated_parameter_is_refused_at_the_authorization_endpoint(server: Server) {
    let browser = server.browser();
    for name in ["client_id", "redirect_uri"] {
        let mut twice = request();
        twice.extend(request().into_iter().filter(|(other, _)| *other == name));
        stays(&browser.get("/authorize", &twice).await);
        stays(&browser.post("/authorize", &twice).await);
    }
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "s t"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        ("response_mode", "query"),
        ("request_uri", "urn:x"),
        ("max_age", "1"),
        ("unknown", "1"),
    ] {
        let mut twice = request_with(name, value);
        twice.push((name, value));
        told(&browser.answer(&twice).await, "invalid_request");
        // Once in the address and once in the body is twice.
        let once = [(name, value)];
        let sent = browser.form("/authorize").query(&once).form(&request_with(name, value));
        let sent = browser.follow(sent.send().await.unwrap()).await;
        told(&crate::support::location(&sent).unwrap().parse().unwrap(), "invalid_request");
    }
    let sent = browser.post("/authorize", &request()).await;
    assert!(browser.page(&sent).is_some(), "once each is well");
}

/// [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).
async fn a_repeated_parameter_is_refused_at_the_endpoints_for_machines(server: Server) {
    let code = server.browser().code(&request()).await;
    for (path, names) in [
        (
            "/token",
            &[
                "grant_type",
                "code",
                "redirect_uri",
                "code_verifier",
                "client_id",
                "client_secret",
                "client_assertion",
                "client_assertion_type",
                "refresh_token",
                "scope",
                "unknown",
            ][..],
        ),
        ("/introspect", &["token", "token_type_hint", "client_id", "client_secret"][..]),
        ("/revoke", &["token", "token_type_hint", "client_id", "client_secret"][..]),
    ] {
        for name in names {
            let mut form = code_form(&code).to_vec();
            let known = form.iter().find(|(other, _)| other == name).copied();
            let repeated = known.unwrap_or((name, "x"));
            form.retain(|(other, _)| other != name);
            form.extend([repeated, repeated]);
            refused(&server.post(path, Some(&server.web), &form).await, 400, "invalid_request");
        }
    }
    assert_eq!(server.redeem(&code).await.0, 200, "none of it has spent the code");
    // RFC 8707 §2: an API may be named beside another.
    let form = [("grant_type", "client_credentials"), ("resource", API), ("resource", API)];
    assert_eq!(server.post("/token", Some(&server.machine), &form).await.0, 200);
}

/// [RFC 9700 §2.1.2](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.2).
async fn nothing_but_a_code_is_ever_answered(server: Server) {
    let browser = server.browser();
    for kind in [
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "code id_token token",
        "none",
        "CODE",
        "code code",
    ] {
        let answer = browser.answer(&request_with("response_type", kind)).await;
        told(&answer, "unsupported_response_type");
        assert_eq!(answer.fragment(), None);
    }
    for request in [request_without("response_type"), request_with("response_type", "")] {
        told(&browser.answer(&request).await, "invalid_request");
    }
    let metadata = server.http.get(server.url("/.well-known/openid-configuration"));
    let metadata: serde_json::Value = metadata.send().await.unwrap().json().await.unwrap();
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["code"]));
}

/// [OAuth 2.0 Multiple Response Types
/// §2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes).
async fn an_answer_travels_in_the_ways_that_are_promised_alone(server: Server) {
    let browser = server.browser();
    for mode in ["fragment", "form_post.jwt", "query.jwt", "jwt", "web_message", "QUERY"] {
        let answer = browser.answer(&request_with("response_mode", mode)).await;
        told(&answer, "invalid_request");
        assert_eq!(answer.fragment(), None, "{mode}");
    }
}

/// [OpenID Connect Core §6](https://openid.net/specs/openid-connect-core-1_0.html#JWTRequests).
async fn request_objects_are_refused_and_never_fetched(server: Server) {
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    hook.set_nonblocking(true).unwrap();
    let here = format!("http://{}/request", hook.local_addr().unwrap());
    for (name, value, error) in [
        ("request", "e30.e30.", "request_not_supported"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", here.as_str(), "request_uri_not_supported"),
        ("request_uri", "http://169.254.169.254/", "request_uri_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "request_uri_not_supported"),
        (
            "registration",
            "{\"jwks_uri\":\"http://169.254.169.254/\"}",
            "registration_not_supported",
        ),
    ] {
        told(&server.browser().answer(&request_with(name, value)).await, error);
    }
    assert!(hook.accept().is_err(), "nobody came");
}

/// [RFC 6749 Appendix A.5](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.5).
async fn the_state_comes_back_as_it_went_and_injects_nothing(server: Server) {
    let browser = server.browser();
    let long = "s".repeat(1000);
    for state in [
        "&code=x&iss=https://evil.test",
        "a#b",
        "\r\nset-cookie: a=b\r\n\r\n<script>",
        "\u{fc}\u{1f511}",
        "%26code%3Dx",
        "+ +",
        long.as_str(),
    ] {
        let answer = browser.answer(&request_with("state", state)).await;
        assert_eq!(parameter(&answer, "state").as_deref(), Some(state));
        assert_eq!(parameter(&answer, "iss").as_deref(), Some(server.issuer.as_str()));
        let mut names: Vec<_> = answer.query_pairs().map(|(name, _)| name.into_owned()).collect();
        names.sort();
        assert_eq!(names, ["code", "iss", "state"]);
        assert!(answer.as_str().starts_with(CALLBACK) && answer.fragment().is_none());
    }
    let endless = "s".repeat(5000);
    told(&browser.answer(&request_with("state", &endless)).await, "invalid_request");
}

/// [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
async fn what_is_unknown_is_ignored_and_what_is_empty_is_absent(server: Server) {
    let mut request = request_with("state", "");
    request.extend([("foo", "bar"), ("display", "")]);
    let answer = server.browser().answer(&request).await;
    assert!(parameter(&answer, "code").is_some(), "{answer}");
    assert_eq!(parameter(&answer, "state"), None);
}

/// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).
async fn a_scope_that_is_not_registered_is_refused(server: Server) {
    let browser = server.browser();
    for scope in ["openid admin", "openid orders:write", "OPENID", "openid  email", "\"", "*"] {
        told(&browser.answer(&request_with("scope", scope)).await, "invalid_scope");
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        refused(&server.post("/token", Some(&server.machine), &form).await, 400, "invalid_scope");
    }
    let answer = browser.answer(&request_with("scope", "openid orders:read")).await;
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    assert_eq!(text(&tokens, "scope"), "openid orders:read");
}

/// [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2).
async fn an_unknown_api_is_refused(server: Server) {
    for api in [
        "https://no.test/",
        "https://api.test/x",
        "https://api.test:8443/",
        "https://api.test/?x=1",
        "https://api.test/#x",
        "https://api.test.evil.test/",
        "api",
        "*",
    ] {
        told(&server.browser().answer(&request_with("resource", api)).await, "invalid_target");
        let form = [("grant_type", "client_credentials"), ("resource", api)];
        refused(&server.post("/token", Some(&server.machine), &form).await, 400, "invalid_target");
    }
    for spelling in [API, "https://api.test", "HTTPS://API.test/"] {
        let form = [("grant_type", "client_credentials"), ("resource", spelling)];
        let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
        let claims = crate::support::payload(text(&tokens, "access_token"));
        assert_eq!(claims["aud"], API, "{spelling}");
    }
}

/// [OpenID Connect Core §3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError).
async fn contradictory_wishes_are_refused(server: Server) {
    let deep = format!("{{\"userinfo\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
    for (name, value) in [
        ("prompt", "none login"),
        ("prompt", "create"),
        ("prompt", "NONE"),
        ("max_age", "-1"),
        ("max_age", "1.5"),
        ("max_age", "99999999999999999999"),
        ("claims", "{"),
        ("claims", "[]"),
        ("claims", deep.as_str()),
        ("id_token_hint", "nonsense"),
    ] {
        told(&server.browser().answer(&request_with(name, value)).await, "invalid_request");
    }
}

/// [RFC 6819 §4.4.1.11](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.1.11).
async fn a_flood_of_words_is_refused_without_a_failure(server: Server) {
    let url = server.url("/token");
    for body in ["a=1&".repeat(2000), "resource=https://no.test/&".repeat(1000)] {
        let request = server.http.post(&url).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.send().await.unwrap().status(), 400);
    }
    let scope = "x ".repeat(10_000) + "x";
    let form = [("grant_type", "client_credentials"), ("scope", &scope)];
    refused(&server.post("/token", Some(&server.machine), &form).await, 400, "invalid_scope");
    // A long request is still a request: a client's description, its APIs and its hints add up.
    let hint = "h".repeat(8000);
    assert!(server.browser().asks(&request_with("login_hint", &hint)).await.starts_with("/login?"));
}

/// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1),
/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
async fn parameters_in_an_address_are_not_read_by_the_endpoints_for_machines(server: Server) {
    let code = server.browser().code(&request()).await;
    let (id, secret) = &server.web;
    let send = async |path, query: &[(&str, &str)], form: &[(&str, &str)], basic: bool| {
        let request = server.to(path).query(query).form(form);
        let request = if basic { request.basic_auth(id, Some(secret)) } else { request };
        request.send().await.unwrap().status()
    };
    let form = code_form(&code);
    assert_eq!(send("/token", &form, &[], true).await, 400);
    let credentials = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    assert_eq!(send("/token", &credentials, &form, false).await, 401);
    for path in ["/introspect", "/revoke"] {
        assert_eq!(send(path, &[("token", "x")], &[], true).await, 400, "{path}");
        assert_eq!(send(path, &[], &[("token", "x")], true).await, 200, "{path}");
    }
    assert_eq!(send("/token", &[], &form, true).await, 200);
}

/// [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2).
async fn unexpected_methods_are_refused(server: Server) {
    for path in ["/token", "/introspect", "/revoke"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::TRACE] {
            let request = server.http.request(method.clone(), server.url(path));
            let request = request.query(&[("token", "x"), ("grant_type", "client_credentials")]);
            assert_eq!(request.send().await.unwrap().status(), 405, "{method} {path}");
        }
    }
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::TRACE, Method::PATCH] {
        let asked = server.http.request(method.clone(), server.url("/authorize"));
        assert_eq!(asked.query(&request()).send().await.unwrap().status(), 405, "{method}");
    }
}
