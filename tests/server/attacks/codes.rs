//! A code works once, soon, for its client, at its address.

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use super::refused;
use crate::support::{Server, code_form, request, session_of, text};

on_both_engines! {
    a_code_that_is_used_again_takes_its_tokens_with_it
    a_code_is_worthless_to_another_client
    a_code_expires
    a_code_is_bound_to_the_address_that_it_was_sent_to
    nothing_but_a_code_is_one
    a_code_is_compared_whole
    codes_have_nothing_in_common
    of_many_that_redeem_a_code_on_two_nodes_one_succeeds
}

/// [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2).
async fn a_code_that_is_used_again_takes_its_tokens_with_it(server: Server) {
    let code = server.browser().code(&request()).await;
    let (_, tokens) = server.redeem(&code).await;
    let access = text(&tokens, "access_token");
    let (_, refreshed) = server.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(server.userinfo(access).await.status(), 200);
    refused(&server.redeem(&code).await, 400, "invalid_grant");
    for tokens in [&tokens, &refreshed] {
        refused(&server.refresh(text(tokens, "refresh_token")).await, 400, "invalid_grant");
        let access = text(tokens, "access_token");
        assert_eq!(server.introspect(&server.web, access).await["active"], false);
        assert_eq!(server.userinfo(access).await.status(), 401);
    }
}

/// [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).
async fn a_code_is_worthless_to_another_client(server: Server) {
    let code = server.browser().code(&request()).await;
    let answer = server.post("/token", Some(&server.other), &code_form(&code)).await;
    refused(&answer, 400, "invalid_grant");
    let public = [&code_form(&code)[..], &[("client_id", "spa")]].concat();
    refused(&server.post("/token", None, &public).await, 400, "invalid_grant");
    assert_eq!(server.redeem(&code).await.0, 200);
}

/// [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2).
async fn a_code_expires(server: Server) {
    let browser = server.browser();
    for (seconds, status) in [(59, 200), (60, 400)] {
        let code = browser.code(&request()).await;
        server.wait(seconds).await;
        assert_eq!(server.redeem(&code).await.0, status, "after {seconds} seconds");
    }
}

/// [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3).
async fn a_code_is_bound_to_the_address_that_it_was_sent_to(server: Server) {
    let code = server.browser().code(&request()).await;
    for address in [
        "https://app.test/cb/",
        "https://app.test/CB",
        "https://app.test/other",
        "https://evil.test/cb",
        "https%3A%2F%2Fapp.test%2Fcb",
    ] {
        let mut form = code_form(&code);
        form[2].1 = address;
        let answer = server.post("/token", Some(&server.web), &form).await;
        refused(&answer, 400, "invalid_grant");
    }
    assert_eq!(server.redeem(&code).await.0, 200);
}

/// [RFC 6819 §4.4.1.3](https://www.rfc-editor.org/rfc/rfc6819#section-4.4.1.3).
async fn nothing_but_a_code_is_one(server: Server) {
    let browser = server.browser();
    let session = session_of(&browser.begins(&request()).await);
    let tokens = server.tokens(&browser).await;
    let family = text(&tokens, "refresh_token");
    for other in [
        &session,
        family,
        family.strip_prefix("sgr_").unwrap(),
        text(&tokens, "access_token"),
        text(&tokens, "id_token"),
        "x",
        &"A".repeat(64),
        "' or 1=1 --",
    ] {
        refused(&server.redeem(other).await, 400, "invalid_grant");
    }
    let empty = server.redeem("").await;
    refused(&empty, 400, "invalid_request");
}

/// [RFC 6749 §10.10](https://www.rfc-editor.org/rfc/rfc6749#section-10.10).
async fn a_code_is_compared_whole(server: Server) {
    let code = server.browser().code(&request()).await;
    let changed = |at: usize| {
        let mut text = code.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    let flipped = code.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c });
    let mut others: Vec<String> = (0..code.len()).step_by(9).map(changed).collect();
    others.extend([changed(code.len() - 1), flipped.collect(), format!("{code}A")]);
    others.extend([format!("{code}="), format!(" {code}"), code[..code.len() - 1].to_owned()]);
    for other in others {
        refused(&server.redeem(&other).await, 400, "invalid_grant");
    }
    assert_eq!(server.redeem(&code).await.0, 200);
}

/// [RFC 6749 §10.10](https://www.rfc-editor.org/rfc/rfc6749#section-10.10).
async fn codes_have_nothing_in_common(server: Server) {
    let browser = server.browser();
    let mut beginnings = BTreeSet::new();
    for _ in 0..50 {
        let code = browser.code(&request()).await;
        assert_eq!(code.len(), 64);
        beginnings.insert(code[..8].to_owned());
    }
    assert_eq!(beginnings.len(), 50);
}

/// [RFC 9700 §4.5](https://www.rfc-editor.org/rfc/rfc9700#section-4.5).
async fn of_many_that_redeem_a_code_on_two_nodes_one_succeeds(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    for _ in 0..10 {
        let code = browser.code(&request()).await;
        let mut tasks = JoinSet::new();
        for node in [&server, &node].repeat(4) {
            let (id, secret) = &server.web;
            let request = node.to("/token").basic_auth(id, Some(secret));
            let request = request.form(&code_form(&code));
            tasks.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
    }
}
