//! What must not work with devices, whoever tries it.

use reqwest::Method;
use signet::{
    flows::admin::{ClientChange, NewClient},
    model::GrantType,
};

use super::{is_foreign, refused};
use crate::support::{
    DEVICE_GRANT, PASSWORD, Server, for_televisions, hidden, location, poll_form, text, with_people,
};

on_both_engines! {
    the_grant_is_off_unless_it_was_registered
    a_confidential_client_asks_with_its_secret_alone
    a_device_asks_within_its_registration
    a_code_works_once
    a_code_is_its_clients
    a_code_that_is_no_code_is_refused
    a_code_expires_though_it_was_allowed
    an_answer_needs_a_page_that_was_shown_to_this_session
    an_answer_from_another_site_is_none
    a_code_is_answered_once
    wrong_codes_are_counted_on_every_node
    a_stranger_learns_nothing_by_typing_codes
    a_code_that_is_no_text_of_ours_costs_no_attempt
    who_was_shut_out_lets_no_device_in
    a_client_that_may_no_longer_ask_gets_nothing
    strangers_cannot_ask_without_end
    scripts_of_other_sites_may_ask_and_may_not_answer
    nobody_frames_the_pages_of_a_device
}

/// [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
async fn the_grant_is_off_unless_it_was_registered(server: Server) {
    let answer = server.post("/device_authorization", Some(&server.web), &[]).await;
    refused(&answer, 400, "unauthorized_client");
    let form = [("grant_type", DEVICE_GRANT), ("device_code", "x")];
    refused(&server.post("/token", Some(&server.web), &form).await, 400, "unauthorized_client");
    server.television().await;
    server.asks_for_device("openid").await;
}

/// [RFC 8628 §3.1](https://www.rfc-editor.org/rfc/rfc8628#section-3.1).
async fn a_confidential_client_asks_with_its_secret_alone(server: Server) {
    let kiosk = server.client("kiosk", NewClient { public: false, ..for_televisions() }).await;
    let wrong = ("kiosk".to_owned(), "sgc_wrong".to_owned());
    for (client, form) in [
        (None, &[("client_id", "kiosk")][..]),
        (None, &[("client_id", "kiosk"), ("client_secret", "")]),
        (None, &[]),
        (None, &[("client_id", "nobody")]),
        (Some(&wrong), &[]),
    ] {
        let answer = server.post("/device_authorization", client, form).await;
        refused(&answer, 401, "invalid_client");
    }
    let twice = [("scope", "openid"), ("scope", "openid")];
    let answer = server.post("/device_authorization", Some(&kiosk), &twice).await;
    refused(&answer, 400, "invalid_request");
    assert_eq!(server.post("/device_authorization", Some(&kiosk), &[]).await.0, 200);
}

/// [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3).
async fn a_device_asks_within_its_registration(server: Server) {
    server.television().await;
    for (name, value, error) in [
        ("scope", "openid orders:write", "invalid_scope"),
        ("scope", "openid  email", "invalid_scope"),
        ("resource", "https://unknown.test", "invalid_target"),
    ] {
        let form = [("client_id", "tv"), (name, value)];
        refused(&server.post("/device_authorization", None, &form).await, 400, error);
    }
}

/// [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
async fn a_code_works_once(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid offline_access").await;
    server.browser().lets_in(&begun).await;
    let (_, tokens) = server.polls(&begun).await;
    for _ in 0..2 {
        refused(&server.polls(&begun).await, 400, "invalid_grant");
    }
    // Two polls of one device may cross: what it got lives on.
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 200);
}

/// [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4).
async fn a_code_is_its_clients(server: Server) {
    server.television().await;
    server.client("radio", for_televisions()).await;
    server.follow().await;
    let begun = server.asks_for_device("openid").await;
    let form = [
        ("grant_type", DEVICE_GRANT),
        ("client_id", "radio"),
        ("device_code", text(&begun, "device_code")),
    ];
    for _ in 0..2 {
        refused(&server.post("/token", None, &form).await, 400, "invalid_grant");
        server.browser().looks_at(text(&begun, "user_code")).await;
    }
    server.browser().lets_in(&begun).await;
    refused(&server.post("/token", None, &form).await, 400, "invalid_grant");
    assert_eq!(server.polls(&begun).await.0, 200);
}

/// [RFC 8628 §5.2](https://www.rfc-editor.org/rfc/rfc8628#section-5.2).
async fn a_code_that_is_no_code_is_refused(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let code = text(&begun, "device_code");
    let other = if code.starts_with('A') { "B" } else { "A" };
    let guessed = format!("{other}{}", &code[1..]);
    for wrong in [&guessed, &code[1..], text(&begun, "user_code"), "' or 1=1"] {
        let form = [("grant_type", DEVICE_GRANT), ("client_id", "tv"), ("device_code", wrong)];
        refused(&server.post("/token", None, &form).await, 400, "invalid_grant");
    }
    let form = [("grant_type", DEVICE_GRANT), ("client_id", "tv")];
    refused(&server.post("/token", None, &form).await, 400, "invalid_request");
    refused(&server.polls(&begun).await, 400, "authorization_pending");
}

/// [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
async fn a_code_expires_though_it_was_allowed(server: Server) {
    server.television().await;
    let (allowed, late) =
        (server.asks_for_device("openid").await, server.asks_for_device("openid").await);
    let browser = server.browser();
    browser.lets_in(&allowed).await;
    let page = browser.looks_at(text(&late, "user_code")).await;
    server.wait(600).await;
    refused(&server.polls(&allowed).await, 400, "expired_token");
    let response = browser.answers(&page, "allow").await;
    assert!(location(&response).unwrap().starts_with("/device?"));
    refused(&server.polls(&late).await, 400, "expired_token");
}

/// [RFC 8628 §5.4](https://www.rfc-editor.org/rfc/rfc8628#section-5.4).
async fn an_answer_needs_a_page_that_was_shown_to_this_session(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let (browser, other) = (server.browser(), server.browser());
    let page = browser.looks_at(text(&begun, "user_code")).await;
    let link = location(&browser.types(text(&begun, "user_code")).await).unwrap();
    let sealed = crate::support::sealed(&link);

    // No page, a page of another browser, one that asks for a code, and the address of the right one.
    for request in ["", "x", hidden(&page)] {
        is_foreign(&other.post("/device", &[("request", request), ("action", "allow")]).await);
    }
    is_foreign(&browser.post("/device", &[("action", "allow")]).await);
    let empty = browser.get("/device", &[]).await.text().await.unwrap();
    assert_eq!(browser.answers(&empty, "allow").await.status(), 400);
    let response = browser.post("/device", &[("request", &sealed), ("action", "allow")]).await;
    assert!(location(&response).unwrap().starts_with("/device?"), "it is shown first");
    refused(&server.polls(&begun).await, 400, "authorization_pending");

    // Whoever signs in since is asked anew.
    server.person("eve").await;
    let typed = server.browser();
    let login = location(&typed.types(text(&begun, "user_code")).await).unwrap();
    let response = browser.asks(&crate::support::request_with("prompt", "login")).await;
    browser.signs_in(&response, "eve", PASSWORD).await;
    let response = browser.answers(&page, "allow").await;
    assert!(location(&response).unwrap().starts_with("/device?"));
    server.wait(5).await;
    refused(&server.polls(&begun).await, 400, "authorization_pending");

    // A page that waits for somebody to sign in belongs to its browser too.
    is_foreign(&browser.get(&login, &[]).await);
    let sealed = crate::support::sealed(&login);
    is_foreign(&typed.get(&format!("/device?request={sealed}"), &[]).await);
}

/// [RFC 6819 §4.4.1.8](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.1.8).
async fn an_answer_from_another_site_is_none(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let browser = server.browser();
    let page = browser.looks_at(text(&begun, "user_code")).await;
    for (action, name, value) in [
        ("allow", "sec-fetch-site", "cross-site"),
        ("allow", "sec-fetch-site", "same-site"),
        ("deny", "origin", "https://evil.test"),
        ("continue", "origin", "null"),
    ] {
        let form = [
            ("request", hidden(&page)),
            ("action", action),
            ("user_code", text(&begun, "user_code")),
        ];
        let response = browser.form("/device").header(name, value).form(&form).send().await;
        is_foreign(&response.unwrap());
    }
    refused(&server.polls(&begun).await, 400, "authorization_pending");
    assert_eq!(location(&browser.answers(&page, "allow").await).unwrap(), "/device/allowed");
}

/// [RFC 8628 §5.5](https://www.rfc-editor.org/rfc/rfc8628#section-5.5).
async fn a_code_is_answered_once(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let code = text(&begun, "user_code");
    let (first, second) = (server.browser(), server.browser());
    let pages = (first.looks_at(code).await, second.looks_at(code).await);
    assert_eq!(location(&first.answers(&pages.0, "deny").await).unwrap(), "/device/denied");
    for action in ["allow", "deny"] {
        let response = second.answers(&pages.1, action).await;
        let page = second.get(&location(&response).unwrap(), &[]).await.text().await.unwrap();
        assert!(page.contains("This device has been answered"), "{page}");
    }
    assert!(second.looks_at(code).await.contains("No device waits under this code"));
    refused(&server.polls(&begun).await, 400, "access_denied");
}

/// [RFC 8628 §5.1](https://www.rfc-editor.org/rfc/rfc8628#section-5.1).
async fn wrong_codes_are_counted_on_every_node(server: Server) {
    server.television().await;
    let node = server.node().await;
    let begun = server.asks_for_device("openid").await;
    let (one, other) = (server.browser(), node.browser());
    for round in 0..10 {
        let browser = if round % 2 == 0 { &one } else { &other };
        let page = browser.looks_at("BBBB-BBBB").await;
        assert!(page.contains("No device waits under this code"), "{page}");
        // What is right is not counted.
        if round == 5 {
            assert!(browser.looks_at(text(&begun, "user_code")).await.contains("id=\"allow\""));
        }
    }
    // Now not even the right one is looked for: on no node, and in no browser.
    for browser in [&one, &other, &server.browser()] {
        let page = browser.looks_at(text(&begun, "user_code")).await;
        assert!(page.contains("Too many wrong codes"), "{page}");
    }
    server.wait(599).await;
    assert!(one.looks_at("BBBB-BBBB").await.contains("Too many wrong codes"));
    server.wait(1).await;
    let begun = server.asks_for_device("openid").await;
    one.lets_in(&begun).await;
}

/// [RFC 8628 §5.1](https://www.rfc-editor.org/rfc/rfc8628#section-5.1).
async fn a_stranger_learns_nothing_by_typing_codes(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let browser = server.browser();
    for code in ["BBBB-BBBB", text(&begun, "user_code")] {
        for _ in 0..20 {
            let response = browser.types(code).await;
            assert!(location(&response).unwrap().starts_with("/login?"), "{code}");
        }
    }
    // A wrong password leads nowhere, and the right one to where the person wanted.
    let login = location(&browser.types(text(&begun, "user_code")).await).unwrap();
    let response = browser.signs_in(&login, "ada", "wrong").await;
    assert_eq!((response.status().as_u16(), location(&response)), (200, None));
    browser.lets_in(&begun).await;
}

/// [RFC 8628 §6.1](https://www.rfc-editor.org/rfc/rfc8628#section-6.1).
async fn a_code_that_is_no_text_of_ours_costs_no_attempt(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let browser = server.browser();
    browser.looks_at(text(&begun, "user_code")).await;
    for typed in ["", "BBBB", "12345678", "<script>", "\u{202e}BBBB", &"B".repeat(9000)] {
        for _ in 0..3 {
            let page = browser.looks_at(typed).await;
            assert!(page.contains("A code has eight letters"), "{page}");
            assert!(!page.contains("<script>") && page.len() < 8000, "{page}");
        }
    }
    browser.lets_in(&begun).await;
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn who_was_shut_out_lets_no_device_in(server: Server) {
    server.television().await;
    let browser = server.browser();
    // Signed out.
    let begun = server.asks_for_device("openid offline_access").await;
    browser.lets_in(&begun).await;
    let page = browser.get("/logout", &[]).await.text().await.unwrap();
    browser.post("/logout", &[("request", hidden(&page)), ("action", "logout")]).await;
    refused(&server.polls(&begun).await, 400, "invalid_grant");
    // A new password.
    let begun = server.asks_for_device("openid").await;
    browser.lets_in(&begun).await;
    server.admin().set_password(server.ada.id, PASSWORD.parse().unwrap()).await.unwrap();
    refused(&server.polls(&begun).await, 400, "invalid_grant");
    // Disabled, with a page still open.
    let (begun, open) =
        (server.asks_for_device("openid").await, server.asks_for_device("openid").await);
    browser.lets_in(&begun).await;
    let page = browser.looks_at(text(&open, "user_code")).await;
    server.admin().disable_user(server.ada.id).await.unwrap();
    refused(&server.polls(&begun).await, 400, "invalid_grant");
    let response = browser.answers(&page, "allow").await;
    assert!(location(&response).unwrap().starts_with("/login?"));
    refused(&server.polls(&open).await, 400, "authorization_pending");
    // Deleted.
    server.person("eve").await;
    let page = location(&browser.types(text(&open, "user_code")).await).unwrap();
    let response = browser.signs_in(&page, "eve", PASSWORD).await;
    let page = browser.get(&location(&response).unwrap(), &[]).await.text().await.unwrap();
    assert_eq!(location(&browser.answers(&page, "allow").await).unwrap(), "/device/allowed");
    let eve = server.admin().user("eve").await.unwrap();
    server.admin().delete_user(eve.id).await.unwrap();
    refused(&server.polls(&open).await, 400, "invalid_grant");
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_client_that_may_no_longer_ask_gets_nothing(server: Server) {
    server.television().await;
    let (id, browser) = ("tv".parse().unwrap(), server.browser());
    let (allowed, open) =
        (server.asks_for_device("openid email").await, server.asks_for_device("openid").await);
    browser.lets_in(&allowed).await;
    let page = browser.looks_at(text(&open, "user_code")).await;

    let with = async |grants: &[GrantType]| {
        let grants = Some(grants.iter().copied().collect());
        let redirect_uris = Some(with_people().redirect_uris);
        let change = ClientChange { grants, redirect_uris, ..ClientChange::default() };
        server.admin().update_client(&id, change).await.unwrap();
        server.follow().await;
    };
    with(&[GrantType::AuthorizationCode]).await;
    refused(&server.polls(&allowed).await, 400, "unauthorized_client");
    let response = browser.answers(&page, "allow").await;
    assert!(location(&response).unwrap().starts_with("/device?"), "nobody is asked any more");

    with(&[GrantType::AuthorizationCode, GrantType::DeviceCode]).await;
    server.admin().disable_client(&id).await.unwrap();
    server.follow().await;
    refused(&server.polls(&allowed).await, 401, "invalid_client");
    let page = browser.get("/device", &[]).await.text().await.unwrap();
    let form = [("request", hidden(&page)), ("user_code", text(&open, "user_code"))];
    let response = browser.post("/device", &form).await;
    let page = browser.get(&location(&response).unwrap(), &[]).await.text().await.unwrap();
    assert!(page.contains("This device has been answered"), "{page}");

    // Whoever takes the name does not take what was its predecessor's.
    server.admin().delete_client(&id).await.unwrap();
    server.television().await;
    refused(&server.polls(&allowed).await, 400, "invalid_grant");
}

/// [RFC 6585 §4](https://www.rfc-editor.org/rfc/rfc6585#section-4).
async fn strangers_cannot_ask_without_end(server: Server) {
    server.television().await;
    let form = [("client_id", "tv")];
    for _ in 0..120 {
        assert_eq!(server.post("/device_authorization", None, &form).await.0, 200);
    }
    let response = server.to("/device_authorization").form(&form).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"60".parse().unwrap())
    );
    let answer = server.post("/device_authorization", None, &form).await;
    refused(&answer, 429, "temporarily_unavailable");
    server.wait(60).await;
    assert_eq!(server.post("/device_authorization", None, &form).await.0, 200);
}

/// [RFC 9700 §2.6](https://www.rfc-editor.org/rfc/rfc9700#section-2.6).
async fn scripts_of_other_sites_may_ask_and_may_not_answer(server: Server) {
    let ask = async |path: &str| {
        let request = server.http.request(Method::OPTIONS, server.url(path));
        let request = request
            .header("origin", "https://evil.test")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,dpop");
        request.send().await.unwrap().headers().clone()
    };
    let headers = ask("/device_authorization").await;
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert!(headers.get("access-control-allow-credentials").is_none());
    for path in ["/device", "/device/allowed"] {
        assert!(ask(path).await.get("access-control-allow-origin").is_none(), "{path}");
    }
}

/// [RFC 9700 §4.16](https://www.rfc-editor.org/rfc/rfc9700#section-4.16).
async fn nobody_frames_the_pages_of_a_device(server: Server) {
    let browser = server.browser();
    for path in ["/device", "/device?user_code=BBBB-BBBB", "/device/allowed", "/device/denied"] {
        let response = browser.get(path, &[]).await;
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        for directive in [
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self';",
        ] {
            assert!(format!("{policy};").contains(directive), "{path}: {policy}");
        }
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
    // Nobody who looks at a page acts.
    let begun = server.television().await;
    assert_eq!(begun.0, "tv");
    let begun = server.asks_for_device("openid").await;
    for action in ["allow", "deny"] {
        browser
            .get("/device", &[("user_code", text(&begun, "user_code")), ("action", action)])
            .await;
    }
    let form = poll_form(&begun);
    refused(&server.post("/token", None, &form).await, 400, "authorization_pending");
}
