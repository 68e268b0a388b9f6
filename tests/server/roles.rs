//! Roles and permissions, as APIs see them in tokens
//! ([RFC 9068 §2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1)).

use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use signet::{
    flows::admin::{ClientChange, NewResource, NewRole, RoleEdit, UserChange},
    model::{Holder, RoleRecord},
    values::RoleAddress,
};

use crate::{
    exchange::{exchange, key_of_ada, ready},
    status::is_revoked,
    support::{Server, payload, request_with, text},
};

const VIEWER: &str = "https://api.test/#viewer";
const EDITOR: &str = "https://api.test/#editor";
const SENDER: &str = "https://mail.test/#sender";
const MAIL: &str = "https://mail.test/";

on_both_engines! {
    a_token_tells_of_the_roles_at_its_audience_and_of_no_others
    roles_come_through_groups_and_through_roles_that_include_them
    a_change_is_in_force_at_the_next_token
    what_is_deleted_is_in_no_token_any_more
    a_client_has_its_roles_as_soon_as_nodes_have_followed
    a_role_of_no_api_is_not_told_to_an_api_that_has_roles_of_its_own
    tokens_end_at_once_where_that_is_wanted_and_the_grant_goes_on
    the_tokens_of_a_client_end_at_once_where_that_is_wanted
    a_role_never_includes_itself
    a_key_gives_the_permissions_that_it_has_scopes_for_and_no_role
    who_acts_for_somebody_shows_their_roles_at_the_api
    an_api_that_asks_learns_of_roles_and_permissions
}

fn address(text: &str) -> RoleAddress {
    text.parse().unwrap()
}

async fn role(server: &Server, at: &str, permissions: &str, includes: &[&str]) -> RoleRecord {
    let new = NewRole {
        address: address(at),
        description: String::new(),
        permissions: permissions.split(' ').map(|word| word.parse().unwrap()).collect(),
        includes: includes.iter().map(|at| address(at)).collect(),
    };
    server.admin().create_role(new).await.unwrap()
}

fn ada(server: &Server) -> Holder {
    Holder::Person(server.ada.id)
}

async fn grant(server: &Server, at: &str, to: &Holder) {
    server.admin().grant_role(&address(at), to).await.unwrap();
}

/// An API for e-mail beside the one for orders, which `web` may use for people and `machine` by itself; an
/// editor of orders is a viewer, and a sender of e-mail.
async fn furnish(server: &Server) {
    let admin = server.admin();
    let mail = NewResource {
        id: MAIL.parse().unwrap(),
        name: None,
        scope: "mail:send".parse().unwrap(),
        client: None,
        algorithm: None,
    };
    admin.create_resource(mail).await.unwrap();
    for (client, scope) in [
        ("web", "openid email offline_access orders:read mail:send"),
        ("machine", "orders:read mail:send"),
    ] {
        let change =
            ClientChange { scope: Some(scope.parse().unwrap()), ..ClientChange::default() };
        admin.update_client(&client.parse().unwrap(), change).await.unwrap();
    }
    server.follow().await;
    role(server, SENDER, "mail:send", &[]).await;
    role(server, VIEWER, "orders:read", &[]).await;
    role(server, EDITOR, "orders:write orders:read", &[VIEWER, SENDER]).await;
}

/// The tokens of ada, who has just signed in to `web` for this scope.
async fn tokens(server: &Server, scope: &str) -> Value {
    let code = server.browser().code(&request_with("scope", scope)).await;
    let (status, tokens) = server.redeem(&code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn refreshed(server: &Server, tokens: &Value) -> Value {
    let (status, tokens) = server.refresh(text(tokens, "refresh_token")).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn machine(server: &Server, scope: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let (status, tokens) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!(status, 200, "{tokens}");
    text(&tokens, "access_token").to_owned()
}

/// The roles and the permissions that a token tells of.
fn told(token: &str) -> (Value, Value) {
    let claims = payload(token);
    let claim = |name: &str| claims.get(name).cloned().unwrap_or_default();
    (claim("roles"), claim("permissions"))
}

fn told_in(tokens: &Value) -> (Value, Value) {
    told(text(tokens, "access_token"))
}

fn nothing() -> (Value, Value) {
    (Value::Null, Value::Null)
}

async fn a_token_tells_of_the_roles_at_its_audience_and_of_no_others(server: Server) {
    furnish(&server).await;
    grant(&server, EDITOR, &ada(&server)).await;
    let orders = (json!(["editor", "viewer"]), json!(["orders:read", "orders:write"]));
    let mail = (json!(["sender"]), json!(["mail:send"]));
    assert_eq!(told_in(&tokens(&server, "orders:read").await), orders);
    assert_eq!(told_in(&tokens(&server, "openid orders:read").await), orders);
    assert_eq!(told_in(&tokens(&server, "mail:send").await), mail);
    assert_eq!(told_in(&tokens(&server, "openid email").await), nothing());

    let other = server.person("bob").await;
    grant(&server, VIEWER, &Holder::Person(other.id)).await;
    assert_eq!(told_in(&tokens(&server, "orders:read").await), orders);
}

async fn roles_come_through_groups_and_through_roles_that_include_them(server: Server) {
    furnish(&server).await;
    let admin = server.admin();
    let staff = admin.create_group("staff".parse().unwrap(), String::new()).await.unwrap();
    grant(&server, EDITOR, &Holder::Group(staff.id)).await;
    assert_eq!(told_in(&tokens(&server, "mail:send").await), nothing());

    admin.add_member(&staff, &server.ada).await.unwrap();
    let found = tokens(&server, "mail:send offline_access").await;
    assert_eq!(told_in(&found), (json!(["sender"]), json!(["mail:send"])));
    admin.remove_member(&staff, &server.ada).await.unwrap();
    assert_eq!(told_in(&refreshed(&server, &found).await), nothing());
}

/// Nothing is followed here: what people were given is read when it is needed.
async fn a_change_is_in_force_at_the_next_token(server: Server) {
    furnish(&server).await;
    let mut tokens = tokens(&server, "orders:read offline_access").await;
    assert_eq!(told_in(&tokens), nothing());

    grant(&server, VIEWER, &ada(&server)).await;
    tokens = refreshed(&server, &tokens).await;
    assert_eq!(told_in(&tokens), (json!(["viewer"]), json!(["orders:read"])));

    let permissions = Some(["orders:list".parse().unwrap()].into());
    let edit = RoleEdit { permissions, ..RoleEdit::default() };
    server.admin().update_role(&address(VIEWER), edit).await.unwrap();
    tokens = refreshed(&server, &tokens).await;
    assert_eq!(told_in(&tokens), (json!(["viewer"]), json!(["orders:list"])));

    let admin = role(&server, "https://api.test/#admin", "orders:delete", &[]).await;
    let edit = RoleEdit { includes: Some(vec![admin.address()]), ..RoleEdit::default() };
    server.admin().update_role(&address(VIEWER), edit).await.unwrap();
    tokens = refreshed(&server, &tokens).await;
    assert_eq!(told_in(&tokens).0, json!(["admin", "viewer"]));

    server.admin().revoke_role(&address(VIEWER), &ada(&server)).await.unwrap();
    assert_eq!(told_in(&refreshed(&server, &tokens).await), nothing());
}

async fn what_is_deleted_is_in_no_token_any_more(server: Server) {
    furnish(&server).await;
    grant(&server, EDITOR, &ada(&server)).await;
    let tokens = tokens(&server, "orders:read offline_access").await;
    server.admin().delete_role(&address(VIEWER)).await.unwrap();
    let tokens = refreshed(&server, &tokens).await;
    assert_eq!(told_in(&tokens).0, json!(["editor"]));

    server.admin().delete_resource(&MAIL.parse().unwrap()).await.unwrap();
    let left = server.app.store.roles().await.unwrap().1;
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].includes.is_empty());
    server.admin().delete_user(server.ada.id).await.unwrap();
    assert!(server.app.store.holders_of_role(left[0].id).await.unwrap().is_empty());
}

async fn a_client_has_its_roles_as_soon_as_nodes_have_followed(server: Server) {
    furnish(&server).await;
    let other = server.node().await;
    let client = Holder::Client("machine".parse().unwrap());
    assert_eq!(told(&machine(&other, "orders:read").await), nothing());
    grant(&server, EDITOR, &client).await;
    for node in [&server, &other] {
        node.follow().await;
        let orders = (json!(["editor", "viewer"]), json!(["orders:read", "orders:write"]));
        assert_eq!(told(&machine(node, "orders:read").await), orders);
        assert_eq!(told(&machine(node, "mail:send").await).0, json!(["sender"]));
    }

    server.admin().revoke_role(&address(EDITOR), &client).await.unwrap();
    for node in [&server, &other] {
        node.follow().await;
        assert_eq!(told(&machine(node, "orders:read").await), nothing());
    }
}

async fn a_role_of_no_api_is_not_told_to_an_api_that_has_roles_of_its_own(server: Server) {
    let roles = Some(["admin".parse().unwrap()].into());
    let change = UserChange { roles, ..UserChange::default() };
    server.admin().update_user(server.ada.id, change).await.unwrap();
    assert_eq!(told_in(&tokens(&server, "orders:read").await).0, json!(["admin"]));
    assert_eq!(told_in(&tokens(&server, "openid").await).0, json!(["admin"]));

    furnish(&server).await;
    assert_eq!(told_in(&tokens(&server, "orders:read").await), nothing());
    assert_eq!(told_in(&tokens(&server, "openid orders:read").await), nothing());
    assert_eq!(told_in(&tokens(&server, "openid").await).0, json!(["admin"]));
}

async fn tokens_end_at_once_where_that_is_wanted_and_the_grant_goes_on(server: Server) {
    furnish(&server).await;
    let admin = server.admin();
    let other = server.node().await;
    let staff = admin.create_group("staff".parse().unwrap(), String::new()).await.unwrap();
    admin.add_member(&staff, &server.ada).await.unwrap();
    grant(&server, EDITOR, &Holder::Group(staff.id)).await;
    let tokens = tokens(&server, "orders:read offline_access").await;
    let before = text(&tokens, "access_token");
    assert_eq!(server.introspect(&server.api, before).await["active"], true);

    // Whoever has a role that includes it is concerned, through whichever group.
    let viewer = admin.role(&address(VIEWER)).await.unwrap();
    let bearers = admin.bearers_of_role(viewer.id).await.unwrap();
    assert_eq!(bearers.people, [server.ada.id].into());
    admin.delete_role(&address(VIEWER)).await.unwrap();
    admin.end_tokens(&bearers).await.unwrap();
    for node in [&server, &other] {
        node.follow().await;
        assert_eq!(node.introspect(&server.api, before).await, json!({ "active": false }));
        assert!(is_revoked(node, before).await);
    }

    server.wait(1).await;
    let next = refreshed(&server, &tokens).await;
    assert_eq!(told_in(&next).0, json!(["editor"]));
    let after = text(&next, "access_token");
    assert_eq!(server.introspect(&server.api, after).await["active"], true);
    assert!(!is_revoked(&server, after).await);
}

async fn the_tokens_of_a_client_end_at_once_where_that_is_wanted(server: Server) {
    furnish(&server).await;
    let admin = server.admin();
    let client = Holder::Client("machine".parse().unwrap());
    grant(&server, VIEWER, &client).await;
    server.follow().await;
    let before = machine(&server, "orders:read").await;
    assert_eq!(told(&before).0, json!(["viewer"]));

    admin.revoke_role(&address(VIEWER), &client).await.unwrap();
    admin.end_tokens(&admin.bearers(&client).await.unwrap()).await.unwrap();
    server.follow().await;
    assert_eq!(server.introspect(&server.api, &before).await, json!({ "active": false }));
    assert!(is_revoked(&server, &before).await);

    server.wait(1).await;
    let after = machine(&server, "orders:read").await;
    assert_eq!(told(&after), nothing());
    assert_eq!(server.introspect(&server.api, &after).await["active"], true);
    assert!(!is_revoked(&server, &after).await);
}

async fn a_role_never_includes_itself(server: Server) {
    furnish(&server).await;
    let include = async |at: &str, included: &str| {
        let edit = RoleEdit { includes: Some(vec![address(included)]), ..RoleEdit::default() };
        server.admin().update_role(&address(at), edit).await
    };
    for (at, included) in [(VIEWER, VIEWER), (VIEWER, EDITOR), (SENDER, EDITOR)] {
        let refusal = include(at, included).await.unwrap_err().to_string();
        assert!(refusal.contains("include itself"), "{refusal}");
    }
    assert!(include(SENDER, VIEWER).await.is_ok());
    let refusal = include(VIEWER, SENDER).await.unwrap_err().to_string();
    assert!(refusal.contains("include itself"), "{refusal}");
}

async fn a_key_gives_the_permissions_that_it_has_scopes_for_and_no_role(server: Server) {
    ready(&server).await;
    furnish(&server).await;
    let key = key_of_ada(&server).await.expose();
    let exchanged = async || {
        let kind = "urn:signet:params:oauth:token-type:api-key";
        let (status, tokens) = exchange(&server, &server.api, (kind, &key), &[]).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    };
    assert_eq!(told_in(&exchanged().await), nothing(), "never more than its owner");
    grant(&server, EDITOR, &ada(&server)).await;
    assert_eq!(told_in(&exchanged().await), (Value::Null, json!(["orders:read"])));

    // Not by another exchange either.
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let token = exchanged().await;
    let subject = (kind, text(&token, "access_token"));
    let (status, again) = exchange(&server, &server.api, subject, &[]).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(told_in(&again), (Value::Null, json!(["orders:read"])));
}

async fn who_acts_for_somebody_shows_their_roles_at_the_api(server: Server) {
    ready(&server).await;
    furnish(&server).await;
    grant(&server, SENDER, &ada(&server)).await;
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let token = tokens(&server, "orders:read").await;
    let subject = (kind, text(&token, "access_token"));
    let acting = async || {
        let (status, tokens) = exchange(&server, &server.api, subject, &[]).await;
        assert_eq!(status, 200, "{tokens}");
        told_in(&tokens)
    };
    assert_eq!(acting().await, nothing());
    grant(&server, VIEWER, &ada(&server)).await;
    assert_eq!(acting().await, (json!(["viewer"]), json!(["orders:read"])));

    let machine = machine(&server, "orders:read").await;
    let (status, tokens) = exchange(&server, &server.api, (kind, &machine), &[]).await;
    assert_eq!((status.as_u16(), told_in(&tokens)), (200, nothing()));
    grant(&server, VIEWER, &Holder::Client("machine".parse().unwrap())).await;
    server.follow().await;
    let (_, tokens) = exchange(&server, &server.api, (kind, &machine), &[]).await;
    assert_eq!(told_in(&tokens).0, json!(["viewer"]));
}

async fn an_api_that_asks_learns_of_roles_and_permissions(server: Server) {
    furnish(&server).await;
    grant(&server, VIEWER, &ada(&server)).await;
    let tokens = tokens(&server, "orders:read").await;
    let answer = server.introspect(&server.api, text(&tokens, "access_token")).await;
    assert_eq!(
        (&answer["roles"], &answer["permissions"]),
        (&json!(["viewer"]), &json!(["orders:read"]))
    );
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// On one thread, so that everything is written into the log of this test.
#[tokio::test]
async fn a_token_of_more_than_four_kilobytes_is_told_of() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::on_sqlite().await;
    furnish(&server).await;
    grant(&server, EDITOR, &ada(&server)).await;
    tokens(&server, "orders:read").await;
    assert!(!log.text().contains("large_token"), "{}", log.text());

    let words = (0..200).map(|number| format!("orders:something-quite-long:{number}"));
    let permissions = Some(words.map(|word| word.parse().unwrap()).collect());
    let edit = RoleEdit { permissions, ..RoleEdit::default() };
    server.admin().update_role(&address(VIEWER), edit).await.unwrap();
    let tokens = tokens(&server, "orders:read").await;
    let bytes = text(&tokens, "access_token").len();
    assert!(bytes > 4096);
    let told = log.text();
    let line =
        told.lines().find(|line| line.contains("large_token")).unwrap_or_else(|| panic!("{told}"));
    assert!(line.contains("WARN") && line.contains("client=web"), "{line}");
    assert!(line.contains(&format!("bytes={bytes}")), "{line}");
    assert_eq!(told.matches("large_token").count(), 1);
}
