//! Who is shut out is out: at once, everywhere, with everything they had.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{refused, stays};
use crate::support::{
    API, Browser, PASSWORD, Server, VERIFIER, location, request, request_with, text,
};

on_both_engines! {
    somebody_who_was_disabled_has_nothing_left
    somebody_who_was_deleted_has_nothing_left
    a_new_password_ends_what_the_old_one_began
    a_client_that_was_disabled_can_do_nothing
    a_client_that_was_deleted_can_do_nothing
    nothing_survives_being_disabled_while_refreshing
    coming_back_does_not_revive_what_was_ended
}

/// What somebody and their client had.
struct Past {
    browser: Browser,
    /// A page that asks for consent.
    page: String,
    code: String,
    access: String,
    refresh: String,
}

impl Past {
    async fn new(server: &Server) -> Self {
        let browser = server.browser();
        let tokens = server.tokens(&browser).await;
        let member = |name| text(&tokens, name).to_owned();
        let (access, refresh) = (member("access_token"), member("refresh_token"));
        let page = browser.asks(&request_with("prompt", "consent")).await;
        let code = browser.code(&request()).await;
        Self { browser, page, code, access, refresh }
    }

    /// All of it works.
    async fn lives(&self, server: &Server) {
        assert_eq!(server.userinfo(&self.access).await.status(), 200);
        assert_eq!(server.introspect(&server.web, &self.access).await["active"], true);
        assert!(self.browser.is_signed_in().await);
    }

    /// None of what a person had works on this node.
    async fn is_gone(&self, server: &Server) {
        refused(&server.redeem(&self.code).await, 400, "invalid_grant");
        refused(&server.refresh(&self.refresh).await, 400, "invalid_grant");
        assert_eq!(server.userinfo(&self.access).await.status(), 401);
        for token in [&self.access, &self.refresh] {
            let answer = server.introspect(&server.web, token).await;
            assert_eq!(answer, json!({ "active": false }));
        }
    }

    /// Neither the session nor a page that was open leads to a code.
    async fn is_signed_out(&self) {
        assert!(!self.browser.is_signed_in().await);
        let response = self.browser.presses(&self.page, "allow").await;
        assert!(self.browser.page(&response).unwrap().starts_with("/login?"));
    }
}

async fn signs_in(server: &Server, password: &str) -> bool {
    let browser = server.browser();
    let page = browser.asks(&request()).await;
    location(&browser.signs_in(&page, "ada", password).await).is_some()
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn somebody_who_was_disabled_has_nothing_left(server: Server) {
    let (past, node) = (Past::new(&server).await, server.node().await);
    past.lives(&server).await;
    server.admin().disable_user(server.ada.id).await.unwrap();
    for server in [&server, &node] {
        server.follow().await;
        past.is_gone(server).await;
        assert!(!signs_in(server, PASSWORD).await);
    }
    past.is_signed_out().await;
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn somebody_who_was_deleted_has_nothing_left(server: Server) {
    let (past, node) = (Past::new(&server).await, server.node().await);
    past.lives(&server).await;
    server.admin().delete_user(server.ada.id).await.unwrap();
    for server in [&server, &node] {
        server.follow().await;
        past.is_gone(server).await;
        assert!(!signs_in(server, PASSWORD).await);
    }
    past.is_signed_out().await;
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_new_password_ends_what_the_old_one_began(server: Server) {
    let past = Past::new(&server).await;
    past.lives(&server).await;
    let password = "battery staple horse";
    server.admin().set_password(server.ada.id, password.parse().unwrap()).await.unwrap();
    server.follow().await;
    past.is_gone(&server).await;
    past.is_signed_out().await;
    assert!(!signs_in(&server, PASSWORD).await);
    assert!(signs_in(&server, password).await);
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_client_that_was_disabled_can_do_nothing(server: Server) {
    let (past, node) = (Past::new(&server).await, server.node().await);
    past.lives(&node).await;
    let form = [("grant_type", "client_credentials"), ("resource", API)];
    let (_, own) = server.post("/token", Some(&server.machine), &form).await;
    for client in ["web", "machine"] {
        server.admin().disable_client(&client.parse().unwrap()).await.unwrap();
    }
    for server in [&server, &node] {
        server.follow().await;
        refused(&server.redeem(&past.code).await, 401, "invalid_client");
        refused(&server.refresh(&past.refresh).await, 401, "invalid_client");
        let answer = server.post("/token", Some(&server.machine), &form).await;
        refused(&answer, 401, "invalid_client");
        let form = [("token", past.access.as_str())];
        for path in ["/introspect", "/revoke"] {
            refused(&server.post(path, Some(&server.web), &form).await, 401, "invalid_client");
        }
        assert_eq!(server.userinfo(&past.access).await.status(), 401);
        let answer = server.introspect(&server.api, text(&own, "access_token")).await;
        assert_eq!(answer, json!({ "active": false }));
    }
    stays(&past.browser.get("/authorize", &request()).await);
    stays(&past.browser.presses(&past.page, "allow").await);
    // Others go on.
    assert!(!past.browser.code(&request_with("client_id", "other")).await.is_empty());
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_client_that_was_deleted_can_do_nothing(server: Server) {
    let (past, node) = (Past::new(&server).await, server.node().await);
    past.lives(&node).await;
    server.admin().delete_client(&"web".parse().unwrap()).await.unwrap();
    for server in [&server, &node] {
        server.follow().await;
        refused(&server.redeem(&past.code).await, 401, "invalid_client");
        refused(&server.refresh(&past.refresh).await, 401, "invalid_client");
        assert_eq!(server.userinfo(&past.access).await.status(), 401);
    }
    stays(&past.browser.get("/authorize", &request()).await);
    stays(&past.browser.presses(&past.page, "allow").await);
    // Whoever takes the name does not take what was its predecessor's.
    server.wait(1).await;
    let heir = server.client("web", crate::support::with_people()).await;
    server.follow().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", past.refresh.as_str())];
    refused(&server.post("/token", Some(&heir), &form).await, 400, "invalid_grant");
    let form = [("grant_type", "authorization_code"), ("code", past.code.as_str())];
    let form = [&form[..], &[("code_verifier", VERIFIER)]].concat();
    refused(&server.post("/token", Some(&heir), &form).await, 400, "invalid_grant");
    assert_eq!(server.introspect(&heir, &past.access).await, json!({ "active": false }));
    assert_eq!(server.userinfo(&past.access).await.status(), 401);
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn coming_back_does_not_revive_what_was_ended(server: Server) {
    let past = Past::new(&server).await;
    server.admin().disable_user(server.ada.id).await.unwrap();
    server.wait(1).await;
    server.admin().enable_user(server.ada.id).await.unwrap();
    server.follow().await;
    past.is_gone(&server).await;
    past.is_signed_out().await;
    let tokens = server.tokens(&server.browser()).await;
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 200);

    server.admin().disable_client(&"web".parse().unwrap()).await.unwrap();
    server.wait(1).await;
    server.admin().enable_client(&"web".parse().unwrap()).await.unwrap();
    server.follow().await;
    assert_eq!(server.userinfo(text(&tokens, "access_token")).await.status(), 401);
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn nothing_survives_being_disabled_while_refreshing(server: Server) {
    let node = server.node().await;
    let tokens = server.tokens(&server.browser()).await;
    let (id, secret) = &server.web;
    let form = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let request = node.to("/token").basic_auth(id, Some(secret)).form(&form);
        tasks.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
    }
    server.admin().disable_user(server.ada.id).await.unwrap();
    let answers = tasks.join_all().await;
    node.follow().await;
    for answer in answers.iter().filter(|answer| answer.get("error").is_none()) {
        assert_eq!(node.userinfo(text(answer, "access_token")).await.status(), 401);
        let next = node.refresh(text(answer, "refresh_token")).await;
        refused(&next, 400, "invalid_grant");
    }
    refused(&node.refresh(form[1].1).await, 400, "invalid_grant");
}
