//! A refresh token is its client's, is used once, and gives no more than was granted.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use signet::{
    flows::admin::{ClientChange, UserChange},
    model::GrantType,
};
use tokio::task::JoinSet;

use super::refused;
use crate::support::{API, Server, VERIFIER, parameter, payload, request, request_with, text};

on_both_engines! {
    a_public_client_gets_a_new_refresh_token_each_time
    only_the_token_before_the_newest_has_a_grace
    without_a_grace_of_many_refreshes_one_succeeds
    reuse_is_noticed_on_every_node
    a_refresh_token_is_worthless_to_another_client
    a_forged_refresh_token_is_refused_and_harms_nobody
    a_refresh_narrows_the_scope_but_never_widens_it
    a_refresh_reaches_no_other_api
    a_family_ends_though_it_is_used
    a_family_ends_when_it_is_not_used
    nothing_but_a_refresh_token_is_one
    what_a_client_may_no_longer_do_is_refused
    a_role_that_was_taken_away_is_gone
    no_offline_access_without_asking_for_it
    nothing_survives_a_revocation_that_races_with_refreshes
}

async fn refresh(
    server: &Server,
    token: &str,
    extra: &[(&str, &str)],
) -> (reqwest::StatusCode, Value) {
    let form = [&[("grant_type", "refresh_token"), ("refresh_token", token)][..], extra].concat();
    server.post("/token", Some(&server.web), &form).await
}

/// [RFC 9700 §2.2.2](https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2).
async fn a_public_client_gets_a_new_refresh_token_each_time(server: Server) {
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let form = [("grant_type", "authorization_code"), ("client_id", "spa"), ("code", &code)];
    let form = [&form[..], &[("code_verifier", VERIFIER)]].concat();
    let (_, tokens) = server.post("/token", None, &form).await;
    let refresh = async |token: &str| {
        let form =
            [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", token)];
        server.post("/token", None, &form).await
    };
    let first = text(&tokens, "refresh_token");
    let (_, next) = refresh(first).await;
    assert_ne!(text(&next, "refresh_token"), first);
    server.wait(31).await;
    refused(&refresh(first).await, 400, "invalid_grant");
    refused(&refresh(text(&next, "refresh_token")).await, 400, "invalid_grant");
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn only_the_token_before_the_newest_has_a_grace(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let first = text(&tokens, "refresh_token");
    let (_, second) = server.refresh(first).await;
    let (_, third) = server.refresh(text(&second, "refresh_token")).await;
    assert_eq!(server.refresh(text(&second, "refresh_token")).await.0, 200);
    refused(&server.refresh(first).await, 400, "invalid_grant");
    refused(&server.refresh(text(&third, "refresh_token")).await, 400, "invalid_grant");
    let access = text(&third, "access_token");
    assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn without_a_grace_of_many_refreshes_one_succeeds(server: Server) {
    let strict = server.with("refresh_grace", "0").await;
    for _ in 0..5 {
        let tokens = strict.tokens(&strict.browser()).await;
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
        let mut tasks = JoinSet::new();
        for _ in 0..10 {
            let (id, secret) = &strict.web;
            let request = strict.to("/token").basic_auth(id, Some(secret)).form(&form);
            tasks
                .spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
        }
        let answers = tasks.join_all().await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.get("error").is_none()).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        // Nobody knows who of them was the thief.
        refused(&strict.refresh(text(won[0], "refresh_token")).await, 400, "invalid_grant");
    }
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn reuse_is_noticed_on_every_node(server: Server) {
    let node = server.node().await;
    let tokens = server.tokens(&server.browser()).await;
    let first = text(&tokens, "refresh_token");
    let (_, second) = server.refresh(first).await;
    let (_, again) = node.refresh(first).await;
    assert_eq!(text(&again, "refresh_token"), text(&second, "refresh_token"));
    server.wait(31).await;
    refused(&node.refresh(first).await, 400, "invalid_grant");
    server.follow().await;
    refused(&server.refresh(text(&second, "refresh_token")).await, 400, "invalid_grant");
    let access = text(&again, "access_token");
    assert_eq!(server.introspect(&server.web, access).await, json!({ "active": false }));
}

/// [RFC 6749 §10.4](https://www.rfc-editor.org/rfc/rfc6749#section-10.4).
async fn a_refresh_token_is_worthless_to_another_client(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    refused(&server.post("/token", Some(&server.other), &form).await, 400, "invalid_grant");
    let public = [&form[..], &[("client_id", "spa")]].concat();
    refused(&server.post("/token", None, &public).await, 400, "invalid_grant");
    assert_eq!(server.refresh(token).await.0, 200, "the attempt harmed nobody");
}

/// [RFC 6749 §10.4](https://www.rfc-editor.org/rfc/rfc6749#section-10.4).
async fn a_forged_refresh_token_is_refused_and_harms_nobody(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    let bytes = BASE64.decode(token.strip_prefix("sgr_").unwrap()).unwrap();
    // The family, its generation (both of its ends), and the code over them (both of its ends).
    for at in [0, 15, 16, 23, 24, 47] {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let forged = format!("sgr_{}", BASE64.encode(forged));
        refused(&server.refresh(&forged).await, 400, "invalid_grant");
    }
    for forged in [&token[..token.len() - 1], &format!("{token}A"), &token[4..], "sgr_", "sgr_AAAA"]
    {
        refused(&server.refresh(forged).await, 400, "invalid_grant");
    }
    assert_eq!(server.refresh(token).await.0, 200);
}

/// [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6).
async fn a_refresh_narrows_the_scope_but_never_widens_it(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    for wider in ["openid profile", "openid email offline_access orders:read", "admin"] {
        refused(&refresh(&server, token, &[("scope", wider)]).await, 400, "invalid_scope");
    }
    let (_, narrow) = refresh(&server, token, &[("scope", "openid")]).await;
    assert_eq!(text(&narrow, "scope"), "openid");
    assert_eq!(payload(text(&narrow, "access_token"))["scope"], "openid");
    let (_, full) = server.refresh(text(&narrow, "refresh_token")).await;
    assert_eq!(text(&full, "scope"), text(&tokens, "scope"));
}

/// [RFC 8707 §2.2](https://www.rfc-editor.org/rfc/rfc8707#section-2.2).
async fn a_refresh_reaches_no_other_api(server: Server) {
    let mut request = request_with("scope", "openid offline_access orders:read");
    request.push(("resource", API));
    let answer = server.browser().answer(&request).await;
    let (_, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    let token = text(&tokens, "refresh_token");
    for other in [server.issuer.as_str(), "https://no.test/"] {
        refused(&refresh(&server, token, &[("resource", other)]).await, 400, "invalid_target");
    }
    for extra in [&[][..], &[("resource", API)]] {
        let (_, next) = refresh(&server, token, extra).await;
        assert_eq!(payload(text(&next, "access_token"))["aud"], API);
    }
    // What was granted without an API's scope does not reach that API.
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    refused(&refresh(&server, token, &[("resource", API)]).await, 400, "invalid_target");
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_family_ends_though_it_is_used(server: Server) {
    const DAY: i64 = 24 * 60 * 60;

    let mut tokens = server.tokens(&server.browser()).await;
    for _ in 0..4 {
        server.wait(22 * DAY).await;
        let (status, next) = server.refresh(text(&tokens, "refresh_token")).await;
        assert_eq!(status, 200, "{next}");
        tokens = next;
    }
    server.wait(2 * DAY).await;
    refused(&server.refresh(text(&tokens, "refresh_token")).await, 400, "invalid_grant");
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_family_ends_when_it_is_not_used(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    server.wait(30 * 24 * 60 * 60 - 1).await;
    let (_, next) = server.refresh(text(&tokens, "refresh_token")).await;
    server.wait(30 * 24 * 60 * 60).await;
    refused(&server.refresh(text(&next, "refresh_token")).await, 400, "invalid_grant");
}

/// [RFC 8725 §3.12](https://www.rfc-editor.org/rfc/rfc8725#section-3.12).
async fn nothing_but_a_refresh_token_is_one(server: Server) {
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    let code = browser.code(&request()).await;
    for other in [text(&tokens, "access_token"), text(&tokens, "id_token"), &code, "x"] {
        refused(&server.refresh(other).await, 400, "invalid_grant");
    }
    assert_eq!(server.redeem(&code).await.0, 200);
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn what_a_client_may_no_longer_do_is_refused(server: Server) {
    let web = "web".parse().unwrap();
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    let scope =
        |text: &str| ClientChange { scope: Some(text.parse().unwrap()), ..ClientChange::default() };

    server.admin().update_client(&web, scope("openid offline_access")).await.unwrap();
    server.follow().await;
    let (_, narrower) = server.refresh(token).await;
    assert_eq!(text(&narrower, "scope"), "offline_access openid");
    let token = text(&narrower, "refresh_token");

    server.admin().update_client(&web, scope("openid email")).await.unwrap();
    server.follow().await;
    refused(&server.refresh(token).await, 400, "invalid_grant");

    let grants = Some([GrantType::AuthorizationCode].into());
    let change = ClientChange { grants, ..scope("openid email offline_access") };
    server.admin().update_client(&web, change).await.unwrap();
    server.follow().await;
    refused(&server.refresh(token).await, 400, "unauthorized_client");
}

/// [RFC 9068 §2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1).
async fn a_role_that_was_taken_away_is_gone(server: Server) {
    let roles = |roles: &[&str]| UserChange {
        roles: Some(roles.iter().map(|role| role.parse().unwrap()).collect()),
        ..UserChange::default()
    };
    server.admin().update_user(server.ada.id, roles(&["admin"])).await.unwrap();
    let tokens = server.tokens(&server.browser()).await;
    assert_eq!(payload(text(&tokens, "access_token"))["roles"], json!(["admin"]));
    server.admin().update_user(server.ada.id, roles(&[])).await.unwrap();
    let (_, next) = server.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(payload(text(&next, "access_token")).get("roles"), None);
}

/// [OpenID Connect Core §11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess).
async fn no_offline_access_without_asking_for_it(server: Server) {
    let answer = server.browser().answer(&request_with("scope", "openid email")).await;
    let (status, tokens) = server.redeem(&parameter(&answer, "code").unwrap()).await;
    assert_eq!((status.as_u16(), tokens.get("refresh_token")), (200, None));
}

/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
async fn nothing_survives_a_revocation_that_races_with_refreshes(server: Server) {
    for _ in 0..5 {
        let tokens = server.tokens(&server.browser()).await;
        let token = text(&tokens, "refresh_token");
        let (id, secret) = &server.web;
        let mut tasks = JoinSet::new();
        for index in 0..21 {
            let form =
                [("grant_type", "refresh_token"), ("refresh_token", token), ("token", token)];
            let (path, form) =
                if index == 10 { ("/revoke", &form[2..]) } else { ("/token", &form[..2]) };
            let request = server.to(path).basic_auth(id, Some(secret)).form(form);
            tasks.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
        }
        for answer in tasks.join_all().await {
            let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
            if let Some(access) = answer["access_token"].as_str() {
                assert_eq!(server.introspect(&server.web, access).await["active"], false);
                let next = text(&answer, "refresh_token");
                refused(&server.refresh(next).await, 400, "invalid_grant");
            }
        }
    }
}
