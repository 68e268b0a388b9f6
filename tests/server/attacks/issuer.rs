//! Every answer says who gives it, and a client can tell us from others.

use reqwest::Method;
use serde_json::{Value, json};

use super::told;
use crate::support::{Server, location, parameter, payload, request, request_with, text};

on_both_engines! {
    every_answer_names_its_issuer
    an_issuer_with_a_path_is_found_wherever_clients_look
    everything_works_below_a_path
    the_metadata_promises_what_there_is
    the_host_of_a_request_changes_nothing
    one_issuers_tokens_are_worthless_to_another
}

/// [RFC 9207 §2](https://www.rfc-editor.org/rfc/rfc9207#section-2),
/// [RFC 9700 §4.4.2.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2.1).
async fn every_answer_names_its_issuer(server: Server) {
    let browser = server.browser();
    for (name, value, error) in [
        ("response_type", "token", Some("unsupported_response_type")),
        ("scope", "admin", Some("invalid_scope")),
        ("prompt", "none", Some("login_required")),
        ("code_challenge", "x", Some("invalid_request")),
        ("scope", "openid", None),
    ] {
        let answer = browser.answer(&request_with(name, value)).await;
        if let Some(error) = error {
            told(&answer, error);
        }
        let named: Vec<_> = answer.query_pairs().filter(|(name, _)| name == "iss").collect();
        assert_eq!(named.len(), 1, "{answer}");
        assert_eq!(named[0].1, server.issuer.as_str());
        assert_eq!(parameter(&answer, "state").as_deref(), Some("s t"));
    }
}

/// [RFC 8414 §3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1),
/// [OpenID Connect Discovery §4.1](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest).
async fn an_issuer_with_a_path_is_found_wherever_clients_look(server: Server) {
    let server = server.known_as(|address| format!("{address}/t1")).await;
    for path in [
        "/.well-known/oauth-authorization-server/t1",
        "/.well-known/openid-configuration/t1",
        "/t1/.well-known/openid-configuration",
        "/t1/.well-known/oauth-authorization-server",
    ] {
        let url = format!("{}{path}", server.address);
        let response = server.http.get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("max-age="));
        let metadata: Value = response.json().await.unwrap();
        assert_eq!(metadata["issuer"], json!(server.issuer), "{path}");
        let head = server.http.request(Method::HEAD, &url).send().await.unwrap();
        assert_eq!(head.status(), 200, "{path}");
    }
    for path in ["", "/t2"] {
        let url = format!("{}/.well-known/oauth-authorization-server{path}", server.address);
        assert_eq!(server.http.get(url).send().await.unwrap().status(), 404, "{path}");
    }
}

/// [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2).
async fn everything_works_below_a_path(server: Server) {
    let server = server.known_as(|address| format!("{address}/t1")).await;
    let browser = server.browser();
    let answer = browser.answer(&request()).await;
    assert_eq!(parameter(&answer, "iss").as_ref(), Some(&server.issuer));
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    assert_eq!(payload(text(&tokens, "id_token"))["iss"], json!(server.issuer));
    let access = text(&tokens, "access_token");
    assert_eq!(server.userinfo(access).await.status(), 200);
    assert_eq!(server.introspect(&server.web, access).await["iss"], json!(server.issuer));
    let (status, refreshed) = server.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(status, 200);
    let form = [("token", text(&refreshed, "refresh_token"))];
    assert_eq!(server.post("/revoke", Some(&server.web), &form).await.0, 200);
    assert_eq!(server.userinfo(access).await.status(), 401);
    let hint = ("id_token_hint", text(&tokens, "id_token"));
    let done = browser.get("/logout", &[hint]).await;
    assert_eq!(location(&done).as_deref(), Some("/t1/logged-out"));
    // Nothing is beside the path.
    for path in ["/token", "/authorize", "/userinfo", "/jwks", "/login"] {
        let status = server.http.post(format!("{}{path}", server.address)).send().await.unwrap();
        assert_eq!(status.status(), 404, "{path}");
    }
}

/// [RFC 8414 §3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3).
async fn the_metadata_promises_what_there_is(server: Server) {
    for server in [&server, &server.known_as(|address| format!("{address}/t1")).await] {
        let url = format!("{}/.well-known/openid-configuration", server.issuer);
        let metadata = server.http.get(url).send().await.unwrap();
        let metadata: Value = metadata.json().await.unwrap();
        assert_eq!(metadata["issuer"], json!(server.issuer));
        for (name, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("userinfo_endpoint", "/userinfo"),
            ("introspection_endpoint", "/introspect"),
            ("revocation_endpoint", "/revoke"),
            ("end_session_endpoint", "/logout"),
            ("jwks_uri", "/jwks"),
        ] {
            assert_eq!(metadata[name], json!(format!("{}{path}", server.issuer)));
            let answer = server.http.get(text(&metadata, name)).send().await.unwrap();
            assert_ne!(answer.status(), 404, "{name}");
        }
        for (name, value) in [
            ("response_types_supported", json!(["code"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("authorization_response_iss_parameter_supported", json!(true)),
            ("request_uri_parameter_supported", json!(false)),
            ("subject_types_supported", json!(["public"])),
        ] {
            assert_eq!(metadata[name], value);
        }
        let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("none")));
        let algorithms = metadata["id_token_signing_alg_values_supported"].to_string();
        assert!(algorithms.contains("RS256"));
        assert!(!algorithms.contains("none") && !algorithms.contains("HS"), "{algorithms}");
        let scopes = metadata["scopes_supported"].as_array().unwrap();
        assert!(scopes.contains(&json!("openid")) && scopes.contains(&json!("orders:read")));
        assert_eq!(metadata.get("registration_endpoint"), None, "nobody answers there");
    }
}

/// [RFC 8414 §3.3](https://www.rfc-editor.org/rfc/rfc8414#section-3.3).
async fn the_host_of_a_request_changes_nothing(server: Server) {
    let evil = |request: reqwest::RequestBuilder| {
        let forwarded = request.header("x-forwarded-host", "evil.test").header("host", "evil.test");
        forwarded.header("forwarded", "host=evil.test").header("x-forwarded-proto", "https")
    };
    let url = server.url("/.well-known/openid-configuration");
    let answer = evil(server.http.get(url)).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains(&server.issuer) && !answer.contains("evil"), "{answer}");
    let asked = evil(server.http.get(server.url("/authorize"))).query(&request());
    let asked = asked.send().await.unwrap();
    assert!(location(&asked).unwrap().starts_with("/login?"));
    let silent = evil(server.http.get(server.url("/authorize")));
    let silent = silent.query(&request_with("prompt", "none")).send().await.unwrap();
    assert!(!location(&silent).unwrap().contains("evil"));
}

/// [RFC 8725 §3.8](https://www.rfc-editor.org/rfc/rfc8725#section-3.8).
async fn one_issuers_tokens_are_worthless_to_another(server: Server) {
    let other = server.known_as(|address| format!("{address}/t1")).await;
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let access = text(&tokens, "access_token");
    assert_eq!(other.userinfo(access).await.status(), 401);
    assert_eq!(other.introspect(&other.web, access).await, json!({ "active": false }));
    let hint = request_with("id_token_hint", text(&tokens, "id_token"));
    told(&other.browser().answer(&hint).await, "invalid_request");
    assert_eq!(server.userinfo(access).await.status(), 200);
}
