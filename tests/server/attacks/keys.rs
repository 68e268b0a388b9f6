//! Keys change without anybody noticing, and stop at once when they must.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use signet::values::Algorithm;

use super::told;
use crate::support::{Server, request_with, text};

on_both_engines! {
    a_key_is_published_before_it_signs_and_until_its_tokens_have_expired
    a_rotation_waits_for_every_copy_of_the_key_set
    a_key_that_was_revoked_is_believed_no_more
    the_key_set_holds_no_secret
}

const DAY: i64 = 24 * 60 * 60;

async fn published(server: &Server) -> (BTreeSet<String>, i64) {
    let response = server.http.get(server.url("/jwks")).send().await.unwrap();
    let caching = response.headers()["cache-control"].to_str().unwrap().to_owned();
    let age = caching.split_once("max-age=").unwrap().1.parse().unwrap();
    let set: Value = response.json().await.unwrap();
    let keys = set["keys"].as_array().unwrap();
    (keys.iter().map(|key| text(key, "kid").to_owned()).collect(), age)
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

/// [OpenID Connect Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys).
async fn a_key_is_published_before_it_signs_and_until_its_tokens_have_expired(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    let before = server.tokens(&browser).await;
    let (known, _) = published(&server).await;
    assert!(known.contains(&kid(text(&before, "access_token"))));

    // The last token of the old key, and a copy of the key set from then.
    server.wait(30 * DAY - 1).await;
    server.app.keys.tend(server.app.clock.now()).await.unwrap();
    let last = server.tokens(&server.browser()).await;
    let (copy, age) = published(&server).await;
    assert_eq!(age, 1, "nobody keeps the set beyond the beginning of another key");
    server.wait(1).await;
    let first = node.tokens(&node.browser()).await;
    let (old, new) = (kid(text(&last, "access_token")), kid(text(&first, "access_token")));
    assert_ne!(old, new);
    assert!(copy.contains(&new) && known.contains(&new), "published in advance");

    for tokens in [&last, &first] {
        let access = text(tokens, "access_token");
        for server in [&server, &node] {
            assert_eq!(server.userinfo(access).await.status(), 200);
            assert!(published(server).await.0.contains(&kid(access)));
        }
    }
    server.wait(898).await;
    assert_eq!(server.userinfo(text(&last, "access_token")).await.status(), 200);
    server.wait(DAY).await;
    assert!(!published(&server).await.0.contains(&old), "the old key is forgotten");
}

/// [OpenID Connect Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys).
async fn a_rotation_waits_for_every_copy_of_the_key_set(server: Server) {
    let browser = server.browser();
    server.wait(600).await;
    let rotate = async || {
        let now = server.app.clock.now();
        server.app.keys.rotate(Algorithm::Rs256, false, now).await.unwrap()
    };
    rotate().await;
    server.wait(1).await;
    let second = rotate().await;
    let (copy, age) = published(&server).await;
    assert!(copy.contains(second.kid.as_str()));
    server.wait(age - 1).await;
    let within = server.tokens(&browser).await;
    assert!(copy.contains(&kid(text(&within, "id_token"))), "whoever kept the set can verify");
    server.wait(600).await;
    let later = server.tokens(&browser).await;
    assert_eq!(kid(text(&later, "id_token")), second.kid.as_str());
}

/// [RFC 7517 §9.1](https://www.rfc-editor.org/rfc/rfc7517#section-9.1).
async fn a_key_that_was_revoked_is_believed_no_more(server: Server) {
    let (browser, node) = (server.browser(), server.node().await);
    let before = node.tokens(&browser).await;
    let access = text(&before, "access_token");
    let hint = text(&before, "id_token");
    let stolen = kid(access);
    assert_eq!(node.userinfo(access).await.status(), 200);

    let now = server.app.clock.now();
    assert!(server.app.keys.revoke(&stolen.parse().unwrap(), now).await.unwrap());
    node.follow().await;
    for server in [&server, &node] {
        assert!(!published(server).await.0.contains(&stolen));
        assert_eq!(server.userinfo(access).await.status(), 401);
        let answer = server.introspect(&server.web, access).await;
        assert_eq!(answer, json!({ "active": false }));
        let browser = server.browser();
        told(&browser.answer(&request_with("id_token_hint", hint)).await, "invalid_request");
        let (status, after) = server.refresh(text(&before, "refresh_token")).await;
        assert_eq!(status, 200);
        assert_ne!(kid(text(&after, "access_token")), stolen);
        assert_eq!(server.userinfo(text(&after, "access_token")).await.status(), 200);
    }
}

/// [RFC 7517 §9.2](https://www.rfc-editor.org/rfc/rfc7517#section-9.2).
async fn the_key_set_holds_no_secret(server: Server) {
    let response = server.http.get(server.url("/jwks")).send().await.unwrap();
    let set: Value = response.json().await.unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert!(keys.len() >= 2, "one signs and one is announced");
    for key in keys {
        let members: BTreeSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["alg", "e", "kid", "kty", "n", "use"]));
        assert_eq!((text(key, "use"), text(key, "alg")), ("sig", "RS256"));
        assert!(text(key, "n").len() >= 342, "2048 bits");
    }
}
