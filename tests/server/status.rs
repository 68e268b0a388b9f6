//! Status lists: what an API that never asks learns of revocations
//! ([Token Status List](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list)).

use std::io::Read;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use flate2::read::ZlibDecoder;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use signet_jwt::{Algorithm, Expected, Expiry, KeySet, Typ, Unverified};

use crate::support::{Credentials, Server, payload, text};

on_both_engines! {
    every_token_says_where_it_is_found_and_no_two_grants_share_a_place
    a_revoked_grant_is_in_the_list_and_no_other
    a_grant_that_goes_on_is_found_elsewhere
    the_own_tokens_of_a_client_are_revoked_with_it_and_not_for_ever
    a_single_token_of_a_client_is_revoked_without_the_others
    a_list_is_a_document_that_caches_know
    nobody_makes_this_server_sign_lists_that_do_not_exist
    whoever_listens_hears_what_is_revoked
    nobody_takes_all_the_places_of_those_who_listen
    a_revocation_on_one_node_is_in_the_list_of_another
}

/// Whether the list that a token names says that it is revoked. The list is checked as an API does.
pub(crate) async fn is_revoked(server: &Server, token: &str) -> bool {
    let status = &payload(token)["status"]["status_list"];
    let (idx, uri) = (status["idx"].as_u64().unwrap(), text(status, "uri"));
    let path = uri.strip_prefix(&server.issuer).unwrap();
    let response = server.browser().get(path, &[]).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/statuslist+jwt");
    let list = response.text().await.unwrap();

    let keys = server.browser().get("/jwks", &[]).await.bytes().await.unwrap();
    let expected = Expected {
        typ: Typ::Is("statuslist+jwt"),
        issuer: Some(&server.issuer),
        audience: None,
        algorithms: &[Algorithm::Rs256],
        expiry: Expiry::Required,
        now: server.app.clock.now(),
        leeway: 0,
        ahead: 0,
    };
    let list = Unverified::parse(&list).unwrap();
    let list = list.verify::<Value>(&KeySet::parse(&keys).unwrap(), &expected).unwrap();
    assert_eq!(text(list.claims(), "sub"), uri);
    assert_eq!(list.claims()["ttl"], 2);
    let status = &list.claims()["status_list"];
    assert_eq!(status["bits"], 1);
    let compressed = BASE64.decode(text(status, "lst")).unwrap();
    let mut bits = Vec::new();
    ZlibDecoder::new(&compressed[..]).read_to_end(&mut bits).unwrap();
    bits[usize::try_from(idx / 8).unwrap()] >> (idx % 8) & 1 == 1
}

async fn grant(server: &Server) -> Value {
    server.tokens(&server.browser()).await
}

async fn revoke(server: &Server, client: &Credentials, token: &str) {
    let (id, secret) = client;
    let request = server.http.post(server.url("/revoke")).basic_auth(id, Some(secret));
    assert_eq!(request.form(&[("token", token)]).send().await.unwrap().status(), StatusCode::OK);
    server.follow().await;
}

async fn own_token(server: &Server) -> String {
    let form = [("grant_type", "client_credentials")];
    let (status, tokens) = server.post("/token", Some(&server.machine), &form).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    text(&tokens, "access_token").to_owned()
}

async fn every_token_says_where_it_is_found_and_no_two_grants_share_a_place(server: Server) {
    let (one, other) = (grant(&server).await, grant(&server).await);
    let place = |tokens: &Value| payload(text(tokens, "access_token"))["status"].clone();
    assert!(place(&one)["status_list"]["idx"].is_u64());
    assert_ne!(place(&one), place(&other));

    let (_, next) = server.refresh(text(&one, "refresh_token")).await;
    assert_eq!(place(&next), place(&one));
}

async fn a_revoked_grant_is_in_the_list_and_no_other(server: Server) {
    let (one, other) = (grant(&server).await, grant(&server).await);
    let (one, other) = (&one, text(&other, "access_token"));
    assert!(!is_revoked(&server, text(one, "access_token")).await);

    revoke(&server, &server.web, text(one, "refresh_token")).await;
    assert!(is_revoked(&server, text(one, "access_token")).await);
    assert!(!is_revoked(&server, other).await);
}

/// RFC 7009 §2.1: an access token takes with it what its grant has given so far; the grant goes on.
async fn a_grant_that_goes_on_is_found_elsewhere(server: Server) {
    let tokens = grant(&server).await;
    let before = text(&tokens, "access_token");
    revoke(&server, &server.web, before).await;
    server.wait(1).await;

    let (status, next) = server.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(status, StatusCode::OK, "{next}");
    let after = text(&next, "access_token");
    assert!(is_revoked(&server, before).await);
    assert!(!is_revoked(&server, after).await);
    assert_eq!(server.userinfo(before).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.userinfo(after).await.status(), StatusCode::OK);
}

async fn the_own_tokens_of_a_client_are_revoked_with_it_and_not_for_ever(server: Server) {
    let before = own_token(&server).await;
    server.admin().disable_client(&"machine".parse().unwrap()).await.unwrap();
    server.follow().await;
    assert!(is_revoked(&server, &before).await);

    server.wait(1).await;
    server.admin().enable_client(&"machine".parse().unwrap()).await.unwrap();
    server.follow().await;
    let after = own_token(&server).await;
    assert!(!is_revoked(&server, &after).await);
    assert!(is_revoked(&server, &before).await);
}

async fn a_single_token_of_a_client_is_revoked_without_the_others(server: Server) {
    let revoked = own_token(&server).await;
    let place = |token: &str| payload(token)["status"].clone();
    let mut other = own_token(&server).await;
    while place(&other) == place(&revoked) {
        other = own_token(&server).await;
    }
    revoke(&server, &server.machine, &revoked).await;
    assert!(is_revoked(&server, &revoked).await);
    assert!(!is_revoked(&server, &other).await);
}

async fn a_list_is_a_document_that_caches_know(server: Server) {
    let tokens = grant(&server).await;
    let first = server.browser().get("/status/0", &[]).await;
    assert_eq!(first.headers()[header::CACHE_CONTROL], "public, max-age=2");
    assert_eq!(first.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let tag = first.headers()[header::ETAG].clone();
    let again = || async {
        let request = server.http.get(server.url("/status/0"));
        request.header(header::IF_NONE_MATCH, &tag).send().await.unwrap().status()
    };
    assert_eq!(again().await, StatusCode::NOT_MODIFIED);

    revoke(&server, &server.web, text(&tokens, "refresh_token")).await;
    assert_eq!(again().await, StatusCode::OK);

    let lists = server.browser().get("/status", &[]).await.json::<Value>().await.unwrap();
    assert_eq!(lists["status_lists"][0], format!("{}/status/0", server.issuer));
    let metadata = server.browser().get("/.well-known/openid-configuration", &[]).await;
    let metadata = metadata.json::<Value>().await.unwrap();
    assert_eq!(metadata["status_list_aggregation_endpoint"], format!("{}/status", server.issuer));
}

async fn nobody_makes_this_server_sign_lists_that_do_not_exist(server: Server) {
    grant(&server).await;
    for list in ["1", "-1", "00x", "9223372036854775807", "99999999999999999999", "%2e%2e", "1e3"] {
        let response = server.browser().get(&format!("/status/{list}"), &[]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{list}");
    }
}

async fn whoever_listens_hears_what_is_revoked(server: Server) {
    let (before, after) = (grant(&server).await, grant(&server).await);
    revoke(&server, &server.web, text(&before, "refresh_token")).await;
    let mut events = server.browser().get("/status/events", &[]).await;
    assert_eq!(events.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut stream = String::new();
    let place = |tokens: &Value| {
        let status = &payload(text(tokens, "access_token"))["status"]["status_list"];
        json!({ "idx": [status["idx"]], "uri": status["uri"] })
    };
    let mut hears = async |name: &str, data: Value| {
        let event = format!("event: {name}\ndata: {data}\n\n");
        while !stream.contains(&event) {
            let chunk = events.chunk().await.unwrap().unwrap_or_else(|| panic!("{stream}"));
            stream.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    hears("snapshot", place(&before)).await;
    hears("current", json!({})).await;
    revoke(&server, &server.web, text(&after, "refresh_token")).await;
    hears("revoked", place(&after)).await;
}

async fn nobody_takes_all_the_places_of_those_who_listen(server: Server) {
    let mut listening = Vec::new();
    for _ in 0..32 {
        let events = server.browser().get("/status/events", &[]).await;
        assert_eq!(events.status(), StatusCode::OK);
        listening.push(events);
    }
    let refused = server.browser().get("/status/events", &[]).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
}

async fn a_revocation_on_one_node_is_in_the_list_of_another(server: Server) {
    let other = server.node().await;
    let tokens = grant(&server).await;
    revoke(&server, &server.web, text(&tokens, "refresh_token")).await;
    other.follow().await;
    assert!(is_revoked(&other, text(&tokens, "access_token")).await);
}
