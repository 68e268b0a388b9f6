//! A device without a browser is let in on another screen
//! ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use std::collections::BTreeSet;

use signet::flows::admin::{ClientChange, NewClient};
use tokio::task::JoinSet;

use crate::support::{
    API, DEVICE_GRANT, Prover, Server, for_televisions, location, payload, poll_form, request_with,
    text,
};

on_both_engines! {
    a_device_is_let_in_by_its_person
    a_device_is_kept_out_by_its_person
    a_device_is_given_two_codes_and_an_address
    a_device_waits_for_an_answer_and_slows_down_when_told_to
    a_code_may_be_typed_as_people_type
    a_code_in_the_address_is_filled_in_and_no_more
    the_page_says_who_asks_and_from_where
    a_device_gets_tokens_for_the_api_that_it_named
    a_confidential_device_authenticates_like_everywhere
    a_device_keeps_access_until_it_signs_out
    an_answer_for_a_device_is_not_remembered
    codes_live_as_long_as_was_configured
    a_device_that_holds_a_key_gets_tokens_that_are_bound_to_it
    of_64_polls_on_two_nodes_one_gets_the_tokens
}

async fn a_device_is_let_in_by_its_person(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid email offline_access").await;
    assert_eq!(server.polls(&begun).await.1["error"], "authorization_pending");
    let browser = server.browser();
    browser.lets_in(&begun).await;

    let (status, tokens) = server.polls(&begun).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["scope"], "email offline_access openid");
    let id_token = payload(text(&tokens, "id_token"));
    assert_eq!(
        (text(&id_token, "aud"), text(&id_token, "sub")),
        ("tv", &*server.ada.id.to_string())
    );
    for claim in ["sid", "auth_time", "acr", "amr", "at_hash"] {
        assert!(id_token.get(claim).is_some(), "{claim}: {id_token}");
    }
    let access = payload(text(&tokens, "access_token"));
    assert_eq!((&access["sid"], &access["client_id"]), (&id_token["sid"], &"tv".into()));
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 200);

    let response = browser.get("/device/allowed", &[]).await;
    assert!(response.text().await.unwrap().contains("id=\"device-allowed\""));
}

async fn a_device_is_kept_out_by_its_person(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid").await;
    let browser = server.browser();
    let page = browser.looks_at(text(&begun, "user_code")).await;
    let response = browser.answers(&page, "deny").await;
    assert_eq!(location(&response).as_deref(), Some("/device/denied"));
    for _ in 0..2 {
        let (status, answer) = server.polls(&begun).await;
        assert_eq!((status.as_u16(), text(&answer, "error")), (400, "access_denied"));
    }
    let response = browser.get("/device/denied", &[]).await;
    assert!(response.text().await.unwrap().contains("id=\"device-denied\""));
}

/// [RFC 8628 §3.2](https://www.rfc-editor.org/rfc/rfc8628#section-3.2).
async fn a_device_is_given_two_codes_and_an_address(server: Server) {
    server.television().await;
    let response =
        server.to("/device_authorization").form(&[("client_id", "tv")]).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    let begun: serde_json::Value = response.json().await.unwrap();
    let (code, uri) = (text(&begun, "user_code"), text(&begun, "verification_uri"));
    assert_eq!((&begun["expires_in"], &begun["interval"]), (&600.into(), &5.into()));
    assert_eq!(uri, format!("{}/device", server.issuer));
    assert_eq!(text(&begun, "verification_uri_complete"), format!("{uri}?user_code={code}"));
    let letters = |text: &str| text.bytes().all(|byte| b"BCDFGHJKLMNPQRSTVWXZ".contains(&byte));
    let (left, right) = code.split_once('-').unwrap();
    assert!([left, right].iter().all(|half| half.len() == 4 && letters(half)), "{code}");
    assert_eq!(text(&begun, "device_code").len(), 64);

    let metadata = server.http.get(server.url("/.well-known/openid-configuration"));
    let metadata: serde_json::Value = metadata.send().await.unwrap().json().await.unwrap();
    let endpoint = format!("{}/device_authorization", server.issuer);
    assert_eq!(text(&metadata, "device_authorization_endpoint"), endpoint);
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&DEVICE_GRANT.into()));
}

/// [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
async fn a_device_waits_for_an_answer_and_slows_down_when_told_to(server: Server) {
    server.television().await;
    let node = server.node().await;
    let begun = server.asks_for_device("openid").await;
    let error = async |server: &Server| {
        let (status, answer) = server.polls(&begun).await;
        assert_eq!(status, 400);
        text(&answer, "error").to_owned()
    };
    assert_eq!(error(&server).await, "authorization_pending");
    server.wait(5).await;
    assert_eq!(error(&node).await, "authorization_pending");
    // From now on ten seconds, whichever node is asked.
    server.wait(4).await;
    assert_eq!(error(&server).await, "slow_down");
    server.wait(5).await;
    assert_eq!(error(&node).await, "slow_down");
    server.wait(15).await;
    assert_eq!(error(&server).await, "authorization_pending");
    // An answer is given at once.
    server.browser().lets_in(&begun).await;
    assert_eq!(server.polls(&begun).await.0, 200);
}

/// [RFC 8628 §6.1](https://www.rfc-editor.org/rfc/rfc8628#section-6.1).
async fn a_code_may_be_typed_as_people_type(server: Server) {
    server.television().await;
    let browser = server.browser();
    let ways: [fn(&str) -> String; 4] = [
        |code| code.to_lowercase(),
        |code| code.replace('-', ""),
        |code| format!(" {} ", code.replace('-', " ")),
        |code| code.replace('-', "\u{2013}").to_lowercase(),
    ];
    for way in ways {
        let begun = server.asks_for_device("openid").await;
        let code = text(&begun, "user_code");
        let page = browser.looks_at(&way(code)).await;
        assert!(page.contains(&format!(">{code}</p>")), "{page}");
        assert_eq!(location(&browser.answers(&page, "allow").await).unwrap(), "/device/allowed");
        assert_eq!(server.polls(&begun).await.0, 200);
    }
}

/// [RFC 8628 §3.3.1](https://www.rfc-editor.org/rfc/rfc8628#section-3.3.1).
async fn a_code_in_the_address_is_filled_in_and_no_more(server: Server) {
    server.television().await;
    let browser = server.browser();
    browser.begins(&request_with("prompt", "login")).await;
    let begun = server.asks_for_device("openid").await;
    let code = text(&begun, "user_code");
    let page = browser.get("/device", &[("user_code", code)]).await.text().await.unwrap();
    assert!(page.contains(&format!("value=\"{code}\"")), "{page}");
    assert!(!page.contains("id=\"allow\""), "{page}");
    let page = browser.get("/device", &[("user_code", "\"><b>")]).await.text().await.unwrap();
    assert!(!page.contains("<b>"), "{page}");
    assert_eq!(server.polls(&begun).await.1["error"], "authorization_pending");
}

/// [RFC 8628 §5.4](https://www.rfc-editor.org/rfc/rfc8628#section-5.4).
async fn the_page_says_who_asks_and_from_where(server: Server) {
    server.television().await;
    let form = [("client_id", "tv"), ("scope", "openid orders:read")];
    let request = server.to("/device_authorization").header("user-agent", "tv/1 <b>");
    let begun = request.form(&form).send().await.unwrap().json().await.unwrap();
    let page = server.browser().looks_at(text(&begun, "user_code")).await;
    for words in [
        "<h1>Connect <bdi>Television</bdi>?</h1>",
        "You are signed in as <bdi>ada</bdi>.",
        "<bdi>127.0.0.1</bdi>",
        "<bdi>tv/1 &#60;b&#62;</bdi>",
        "<li>Know who you are</li>",
        "<li>Act for you at <bdi>https://api.test/</bdi>: <bdi>orders:read</bdi></li>",
        "<li><bdi>https://api.test/</bdi></li>",
        "id=\"allow\"",
        "id=\"deny\"",
        text(&begun, "user_code"),
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

/// [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2).
async fn a_device_gets_tokens_for_the_api_that_it_named(server: Server) {
    server.television().await;
    let form = [("client_id", "tv"), ("scope", "orders:read"), ("resource", API)];
    let (_, begun) = server.post("/device_authorization", None, &form).await;
    server.browser().lets_in(&begun).await;
    let (_, tokens) = server.polls(&begun).await;
    assert_eq!(payload(text(&tokens, "access_token"))["aud"], API);
    assert!(tokens.get("id_token").is_none() && tokens.get("refresh_token").is_some());

    let form = [("client_id", "tv"), ("resource", "https://unknown.test")];
    let (status, answer) = server.post("/device_authorization", None, &form).await;
    assert_eq!((status.as_u16(), text(&answer, "error")), (400, "invalid_target"));
}

/// [RFC 8628 §3.4](https://www.rfc-editor.org/rfc/rfc8628#section-3.4).
async fn a_confidential_device_authenticates_like_everywhere(server: Server) {
    let kiosk = NewClient { public: false, ..for_televisions() };
    let kiosk = server.client("kiosk", kiosk).await;
    let (status, begun) = server.post("/device_authorization", Some(&kiosk), &[]).await;
    assert_eq!(status, 200, "{begun}");
    server.browser().lets_in(&begun).await;
    let form = [("grant_type", DEVICE_GRANT), ("device_code", text(&begun, "device_code"))];
    let (status, tokens) = server.post("/token", Some(&kiosk), &form).await;
    assert_eq!(status, 200, "{tokens}");
}

async fn a_device_keeps_access_until_it_signs_out(server: Server) {
    server.television().await;
    let begun = server.asks_for_device("openid offline_access").await;
    server.browser().lets_in(&begun).await;
    let (_, tokens) = server.polls(&begun).await;
    let refresh = async |token: &str| {
        let form = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", token)];
        server.post("/token", None, &form).await
    };
    let (status, tokens) = refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(status, 200, "{tokens}");
    let token = text(&tokens, "refresh_token");
    let form = [("client_id", "tv"), ("token", token)];
    assert_eq!(server.post("/revoke", None, &form).await.0, 200);
    assert_eq!(refresh(token).await.1["error"], "invalid_grant");
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 401);

    // Without offline_access there is none, once openid is asked for.
    let begun = server.asks_for_device("openid").await;
    server.browser().lets_in(&begun).await;
    assert!(server.polls(&begun).await.1.get("refresh_token").is_none());
}

async fn an_answer_for_a_device_is_not_remembered(server: Server) {
    server.client("both", crate::support::with_people()).await;
    let mut grants: BTreeSet<_> = for_televisions().grants;
    grants.insert(signet::model::GrantType::AuthorizationCode);
    let change = ClientChange { grants: Some(grants), ..ClientChange::default() };
    server.admin().update_client(&"both".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let secret = server.admin().rotate_client_secret(&"both".parse().unwrap(), 0).await.unwrap().1;
    server.follow().await;
    let both = ("both".to_owned(), secret.expose().to_owned());

    let browser = server.browser();
    let (_, begun) = server.post("/device_authorization", Some(&both), &[]).await;
    browser.lets_in(&begun).await;
    // Neither does a code ask less, nor another device.
    let page = browser.asks(&request_with("client_id", "both")).await;
    assert!(page.starts_with("/consent?"), "{page}");
    let (_, begun) = server.post("/device_authorization", Some(&both), &[]).await;
    let page = browser.looks_at(text(&begun, "user_code")).await;
    assert!(page.contains("id=\"allow\""), "{page}");
}

async fn codes_live_as_long_as_was_configured(server: Server) {
    server.television().await;
    let node = server.with("device_code_lifetime", "60").await;
    let begun = node.asks_for_device("openid").await;
    assert_eq!(begun["expires_in"], 60);
    server.wait(60).await;
    assert_eq!(server.polls(&begun).await.1["error"], "expired_token");
    let page = server.browser().looks_at(text(&begun, "user_code")).await;
    assert!(page.contains("No device waits under this code"), "{page}");
}

/// [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5).
async fn a_device_that_holds_a_key_gets_tokens_that_are_bound_to_it(server: Server) {
    server.television().await;
    let prover = Prover::new(&server);
    let begun = server.asks_for_device("openid offline_access").await;
    let poll = async || {
        let request = server.to("/token").header("dpop", prover.proof()).form(&poll_form(&begun));
        request.send().await.unwrap().json::<serde_json::Value>().await.unwrap()
    };
    assert_eq!(poll().await["error"], "authorization_pending");
    assert_eq!(server.proofs().await, 0, "nothing is written for a device that waits");
    server.browser().lets_in(&begun).await;
    let tokens = poll().await;
    assert_eq!(text(&tokens, "token_type"), "DPoP", "{tokens}");
    let cnf = serde_json::json!({ "jkt": prover.jkt() });
    assert_eq!(payload(text(&tokens, "access_token"))["cnf"], cnf);

    let refresh = text(&tokens, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", refresh)];
    let (status, answer) = server.post("/token", None, &form).await;
    assert_eq!((status.as_u16(), text(&answer, "error")), (400, "invalid_dpop_proof"));
    let request = server.to("/token").header("dpop", prover.proof()).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
async fn of_64_polls_on_two_nodes_one_gets_the_tokens(server: Server) {
    server.television().await;
    let (node, browser) = (server.node().await, server.browser());
    for _ in 0..10 {
        let begun = server.asks_for_device("openid offline_access").await;
        browser.lets_in(&begun).await;
        let mut tasks = JoinSet::new();
        for number in 0..64 {
            let server = if number % 2 == 0 { &server } else { &node };
            let request = server.to("/token").form(&poll_form(&begun));
            tasks.spawn(async move {
                let response = request.send().await.unwrap();
                (response.status().as_u16(), response.json::<serde_json::Value>().await.unwrap())
            });
        }
        let answers = tasks.join_all().await;
        let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        let lost = answers.iter().filter(|(_, answer)| answer["error"] == "invalid_grant");
        assert_eq!(lost.count(), 63, "{answers:?}");
        // What was won is worth something.
        assert_eq!(server.userinfo(text(&won[0].1, "access_token")).await.status(), 200);
    }
}
