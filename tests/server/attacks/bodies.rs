//! Bodies are forms, small and well encoded.

use reqwest::{RequestBuilder, header};

use crate::support::{Server, code_form, request};

on_both_engines! {
    only_forms_are_read
    a_body_is_at_most_64_kib
    broken_encodings_are_refused
    an_error_repeats_nothing_of_what_was_sent
    what_machines_are_told_is_json_and_kept_by_nobody
}

const FORMS: [&str; 7] =
    ["/token", "/introspect", "/revoke", "/userinfo", "/login", "/consent", "/logout"];

fn with_body(
    server: &Server,
    path: &str,
    kind: &str,
    body: impl Into<reqwest::Body>,
) -> RequestBuilder {
    server.to(path).header(header::CONTENT_TYPE, kind).body(body)
}

/// [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2) and
/// [Appendix B](https://www.rfc-editor.org/rfc/rfc6749#appendix-B).
async fn only_forms_are_read(server: Server) {
    let code = server.browser().code(&request()).await;
    let form = code_form(&code).map(|(name, value)| format!("{name}={value}")).join("&");
    let (id, secret) = &server.web;
    for kind in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded2",
        "text/html; application/x-www-form-urlencoded",
    ] {
        for path in FORMS {
            let request = with_body(&server, path, kind, form.clone());
            assert_eq!(request.send().await.unwrap().status(), 415, "{path} {kind}");
        }
    }
    assert_eq!(server.to("/token").body(form.clone()).send().await.unwrap().status(), 415);
    let kind = "application/x-www-form-urlencoded";
    let compressed =
        with_body(&server, "/token", kind, form.clone()).header("content-encoding", "gzip");
    assert_eq!(compressed.send().await.unwrap().status(), 415);
    let charset = "Application/X-WWW-Form-URLencoded; charset=UTF-8";
    let right = with_body(&server, "/token", charset, form).basic_auth(id, Some(secret));
    assert_eq!(right.send().await.unwrap().status(), 200);
}

/// [RFC 6819 §4.4.1.11](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.1.11).
async fn a_body_is_at_most_64_kib(server: Server) {
    let kind = "application/x-www-form-urlencoded";
    for path in FORMS.into_iter().chain(["/authorize"]) {
        let large = with_body(&server, path, kind, format!("token={}", "x".repeat(64 * 1024)));
        assert_eq!(large.send().await.unwrap().status(), 413, "{path}");
    }
    let most = format!("token={}", "x".repeat(64 * 1024 - 6));
    let (id, secret) = &server.api;
    let most = with_body(&server, "/introspect", kind, most).basic_auth(id, Some(secret));
    assert_eq!(most.send().await.unwrap().status(), 200);
}

/// [RFC 6749 Appendix B](https://www.rfc-editor.org/rfc/rfc6749#appendix-B).
async fn broken_encodings_are_refused(server: Server) {
    let (id, secret) = &server.api;
    let send = async |path, body: &[u8]| {
        let kind = "application/x-www-form-urlencoded";
        let request = with_body(&server, path, kind, body.to_vec()).basic_auth(id, Some(secret));
        let response = request.send().await.unwrap();
        response.status().as_u16()
    };
    for broken in [
        &b"%"[..],
        b"%2",
        b"%zz",
        b"%ff",
        b"%C3%28",
        b"%00",
        b"a%00b",
        b"\x00",
        b"\n",
        b"a\r\nb",
        b"\t",
        b"\x7f",
        b"\xc3\xa4",
        b"\xff",
        b"%ED%A0%80",
        b"%C0%AF",
    ] {
        for name in [&b"token="[..], b"token=x&scope=", b"token=x&"] {
            let body = [name, broken].concat();
            for path in FORMS {
                if path == "/userinfo" {
                    continue;
                }
                assert_eq!(send(path, &body).await, 400, "{path} {}", body.escape_ascii());
            }
        }
    }
    for path in ["/authorize", "/login", "/consent", "/logout"] {
        for broken in ["%", "%zz", "%ff", "%00"] {
            let url = server.url(&format!("{path}?client_id=web&state={broken}"));
            let status = server.http.get(url).send().await.unwrap().status();
            assert_eq!(status, 400, "{path} {broken}");
        }
    }
    assert_eq!(send("/introspect", b"token=%C3%A4+b").await, 200);
}

/// [RFC 6749 §10.14](https://www.rfc-editor.org/rfc/rfc6749#section-10.14).
async fn an_error_repeats_nothing_of_what_was_sent(server: Server) {
    const MARK: &str = "<script>m4rk</script>";

    let names = [
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_id",
        "client_secret",
        "refresh_token",
        "scope",
        "resource",
        "token",
        "client_assertion",
        "client_assertion_type",
    ];
    for path in ["/token", "/introspect", "/revoke", "/userinfo"] {
        for name in names {
            for accept in ["text/html", "application/json"] {
                let form = [("grant_type", "client_credentials"), (name, MARK)];
                let form = if name == "grant_type" { &form[1..] } else { &form[..] };
                let request = server.to(path).header(header::ACCEPT, accept).form(form);
                let response = request.send().await.unwrap();
                assert!(response.status().is_client_error(), "{path} {name}");
                // Whoever brings no access token is told nothing but that one is needed.
                let kind =
                    response.headers().get("content-type").map(|kind| kind.to_str().unwrap());
                assert_eq!(kind, (path != "/userinfo").then_some("application/json"));
                assert!(!format!("{:?}", response.headers()).contains("m4rk"), "{path} {name}");
                let body = response.text().await.unwrap();
                assert!(!body.contains("m4rk") && !body.contains('<'), "{path} {name} {body}");
            }
        }
    }
    let tokens = server.tokens(&server.browser()).await;
    let secret = &server.web.1;
    for (name, value) in [("code", tokens["refresh_token"].as_str().unwrap()), ("scope", secret)] {
        let form = [("grant_type", "authorization_code"), (name, value)];
        let (_, answer) = server.post("/token", Some(&server.web), &form).await;
        assert!(!answer.to_string().contains(value), "{answer}");
    }
}

/// [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1) and
/// [§5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
async fn what_machines_are_told_is_json_and_kept_by_nobody(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let access = tokens["access_token"].as_str().unwrap();
    let (id, secret) = &server.api;
    let credentials = [("grant_type", "client_credentials")];
    for (status, request) in [
        (200, server.to("/token").basic_auth(id, Some(secret)).form(&credentials)),
        (400, server.to("/token").basic_auth(id, Some(secret)).form(&[("grant_type", "x")])),
        (401, server.to("/token").form(&credentials)),
        (415, server.to("/token").body("x")),
        (200, server.to("/introspect").basic_auth(id, Some(secret)).form(&[("token", access)])),
        (401, server.to("/introspect").form(&[("token", access)])),
        (400, server.to("/revoke").basic_auth(id, Some(secret)).form(&credentials)),
        (200, server.to("/userinfo").bearer_auth(access)),
        (401, server.to("/userinfo").bearer_auth("x")),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{}", response.url());
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(response.headers()[name], value, "{} {status}", response.url());
        }
        assert!(response.headers().get("server").is_none());
        assert!(response.headers().get("set-cookie").is_none());
    }
}
