//! Who may ask about a token, who may end one, and what they learn.

use serde_json::json;
use signet::{
    flows::admin::{NewClient, NewResource},
    model::GrantType,
};

use super::refused;
use crate::support::{API, Server, VERIFIER, request_with, text};

on_both_engines! {
    nobody_introspects_without_authentication
    an_api_learns_nothing_of_a_token_for_another
    whatever_is_not_active_gets_the_same_answer
    a_revoked_access_token_opens_nothing_anywhere
    a_client_ends_nobody_elses_tokens
    whatever_the_hint_says_a_token_is_revoked
    a_public_client_can_end_what_it_was_given
    a_token_that_is_known_already_ends_like_any_other
}

/// [RFC 7662 §2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1).
async fn nobody_introspects_without_authentication(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let access = text(&tokens, "access_token");
    for form in [
        &[("token", access)][..],
        &[("token", access), ("client_id", "web")],
        &[("token", access), ("client_id", "spa")],
    ] {
        refused(&server.post("/introspect", None, form).await, 401, "invalid_client");
    }
    let with_the_token = server.to("/introspect").bearer_auth(access).form(&[("token", access)]);
    assert_eq!(with_the_token.send().await.unwrap().status(), 401);
    assert_eq!(server.introspect(&server.web, access).await["active"], true);
}

/// [RFC 7662 §4](https://www.rfc-editor.org/rfc/rfc7662#section-4).
async fn an_api_learns_nothing_of_a_token_for_another(server: Server) {
    let grants = [GrantType::ClientCredentials].into();
    let mail = server.client("mail", NewClient { grants, ..NewClient::default() }).await;
    let resource = NewResource {
        id: "https://mail.test/".parse().unwrap(),
        name: None,
        scope: "mail:send".parse().unwrap(),
        client: Some("mail".parse().unwrap()),
        algorithm: None,
    };
    server.admin().create_resource(resource).await.unwrap();
    server.follow().await;
    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
    let access = text(&tokens, "access_token");
    assert_eq!(server.introspect(&mail, access).await, json!({ "active": false }));
    assert_eq!(server.introspect(&server.api, access).await["aud"], API);
    // A refresh token is nobody's business but its client's.
    let tokens = server.tokens(&server.browser()).await;
    let refresh = text(&tokens, "refresh_token");
    assert_eq!(server.introspect(&server.api, refresh).await, json!({ "active": false }));
    assert_eq!(server.introspect(&server.web, refresh).await["active"], true);
}

/// [RFC 7662 §2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2).
async fn whatever_is_not_active_gets_the_same_answer(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    let (_, next) = server.refresh(refresh).await;
    let inactive = json!({ "active": false });
    for token in [refresh, text(&tokens, "id_token"), "x", "a.b.c", "sgr_x", "' or 1=1 --"] {
        assert_eq!(server.introspect(&server.web, token).await, inactive, "{token}");
    }
    assert_eq!(server.introspect(&server.other, access).await, inactive);
    assert_eq!(server.introspect(&server.other, text(&next, "refresh_token")).await, inactive);
    assert_eq!(server.introspect(&server.web, text(&next, "refresh_token")).await["active"], true);
    server.wait(900).await;
    assert_eq!(server.introspect(&server.web, access).await, inactive);
}

/// [RFC 7009 §2](https://www.rfc-editor.org/rfc/rfc7009#section-2).
async fn a_revoked_access_token_opens_nothing_anywhere(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    let tokens = server.tokens(&browser).await;
    let access = text(&tokens, "access_token");
    assert_eq!(node.userinfo(access).await.status(), 200);
    server.post("/revoke", Some(&server.web), &[("token", access)]).await;
    node.follow().await;
    for server in [&server, &node] {
        assert_eq!(server.userinfo(access).await.status(), 401);
        let answer = server.introspect(&server.web, access).await;
        assert_eq!(answer, json!({ "active": false }));
    }
}

/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
async fn a_client_ends_nobody_elses_tokens(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    for token in [access, refresh, text(&tokens, "id_token")] {
        for client in [&server.other, &server.api, &server.machine] {
            let (status, _) = server.post("/revoke", Some(client), &[("token", token)]).await;
            assert!(status == 200 || status == 400, "{status}");
        }
        let form = [("token", token), ("client_id", "spa")];
        let (status, _) = server.post("/revoke", None, &form).await;
        assert!(status == 200 || status == 400, "{status}");
        let form = [("token", token), ("client_id", "web")];
        refused(&server.post("/revoke", None, &form).await, 401, "invalid_client");
    }
    assert_eq!(server.userinfo(access).await.status(), 200);
    assert_eq!(server.refresh(refresh).await.0, 200);
}

/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1) and
/// [§2.2](https://www.rfc-editor.org/rfc/rfc7009#section-2.2).
async fn whatever_the_hint_says_a_token_is_revoked(server: Server) {
    let browser = server.browser();
    for (name, hint) in [
        ("refresh_token", "access_token"),
        ("refresh_token", "nonsense"),
        ("access_token", "refresh_token"),
    ] {
        let tokens = server.tokens(&browser).await;
        let form = [("token", text(&tokens, name)), ("token_type_hint", hint)];
        for _ in 0..2 {
            assert_eq!(server.post("/revoke", Some(&server.web), &form).await.0, 200);
        }
        assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 401);
    }
    for unknown in ["x", "sgr_x", "a.b.c"] {
        let form = [("token", unknown)];
        assert_eq!(server.post("/revoke", Some(&server.web), &form).await.0, 200);
    }
    refused(&server.post("/revoke", Some(&server.web), &[]).await, 400, "invalid_request");
}

/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1).
async fn a_public_client_can_end_what_it_was_given(server: Server) {
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let form = [("grant_type", "authorization_code"), ("client_id", "spa"), ("code", &code)];
    let form = [&form[..], &[("code_verifier", VERIFIER)]].concat();
    let (_, tokens) = server.post("/token", None, &form).await;
    let refresh = text(&tokens, "refresh_token");
    let form = [("token", refresh), ("client_id", "spa")];
    assert_eq!(server.post("/revoke", None, &form).await.0, 200);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("client_id", "spa")];
    refused(&server.post("/token", None, &form).await, 400, "invalid_grant");
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 401);
}

/// A token is verified once and remembered ([RFC 7662 §4](https://www.rfc-editor.org/rfc/rfc7662#section-4)):
/// its time, its key and its revocation are looked at every time.
async fn a_token_that_is_known_already_ends_like_any_other(server: Server) {
    let fresh = async || {
        let form = [("grant_type", "client_credentials"), ("resource", API)];
        let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
        let token = text(&tokens, "access_token").to_owned();
        for _ in 0..2 {
            assert_eq!(server.introspect(&server.api, &token).await["active"], true);
        }
        token
    };
    let inactive = json!({ "active": false });

    let revoked = fresh().await;
    server.post("/revoke", Some(&server.machine), &[("token", &revoked)]).await;
    assert_eq!(server.introspect(&server.api, &revoked).await, inactive);

    let expired = fresh().await;
    server.wait(900).await;
    assert_eq!(server.introspect(&server.api, &expired).await, inactive);

    let orphan = fresh().await;
    let kid = jsonwebtoken::decode_header(&orphan).unwrap().kid.unwrap().parse().unwrap();
    server.app.keys.revoke(&kid, server.app.clock.now()).await.unwrap();
    assert_eq!(server.introspect(&server.api, &orphan).await, inactive);
}
