//! `signet api-key`.

use serde_json::json;

use crate::support::on_each_database;

const ORDERS: [&str; 6] = [
    "resource",
    "create",
    "--id",
    "https://api.example.com",
    "--scope",
    "orders:read orders:write",
];

const CREATE: [&str; 8] =
    ["api-key", "create", "--user", "alice", "--name", "nightly", "--scope", "orders:read"];

#[test]
fn a_key_is_made_shown_rotated_and_revoked() {
    on_each_database(|signet| {
        signet.json(&ORDERS);
        let alice = signet.json(&["user", "create", "--username", "alice"]);
        let options =
            ["--expires-in", "30d", "--allow-address", "192.0.2.7/24", "--rate-limit", "5"];
        let mut made = signet.json(&[&CREATE[..], &options].concat());
        let key = made["key"].take();
        let key = key.as_str().unwrap();
        assert!(key.starts_with("sgk_") && key.len() == 76, "{key}");
        assert_eq!((&made["owner"], &made["user"]), (&alice["sub"], &alice["sub"]));
        assert_eq!(
            (&made["addresses"], &made["rate_limit"]),
            (&json!(["192.0.2.0/24"]), &json!(5))
        );
        let lifetime = made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap();
        assert_eq!(lifetime, 30 * 86_400);

        let id = made["id"].as_str().unwrap();
        let shown = signet.json(&["api-key", "show", id]);
        assert_eq!((shown.get("key"), &shown["name"]), (None, &json!("nightly")));
        assert_eq!(signet.json(&["api-key", "list"]), json!([shown]));
        let list = signet.runs(&["api-key", "list"]).text();
        assert!(list.contains("nightly") && !list.contains("sgk_"), "{list}");

        let rotated = signet.json(&["api-key", "rotate", id, "--overlap", "1d"]);
        assert_ne!(rotated["key"], key);
        assert_eq!(rotated["expires_at"], shown["expires_at"]);
        let revoked = signet.json(&["api-key", "revoke", id]);
        assert!(revoked["revoked_at"].is_i64());
        assert!(signet.refusal(&["api-key", "rotate", id]).contains("has ended"));
    });
}

#[test]
fn a_key_is_valid_for_ninety_days_unless_something_else_is_said() {
    on_each_database(|signet| {
        signet.json(&ORDERS);
        signet.json(&["user", "create", "--username", "alice"]);
        let lifetime = |options: &[&str]| {
            let made = signet.json(&[&CREATE[..], options].concat());
            made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap()
        };
        assert_eq!(lifetime(&[]), 90 * 86_400);
        assert_eq!(lifetime(&["--api-key-lifetime", "3600"]), 3600);
        assert_eq!(lifetime(&["--expires-in", "12h"]), 12 * 3600);
        let refusal = signet.refusal(&[&CREATE[..], &["--expires-in", "366d"]].concat());
        assert!(refusal.contains("api_key_max_lifetime"), "{refusal}");
        let refusal = signet.refusal(&[&CREATE[..], &["--expires-in", "1"]].concat());
        assert!(refusal.contains("60"), "{refusal}");
    });
}

#[test]
fn a_key_that_would_be_more_than_its_owner_is_refused() {
    on_each_database(|signet| {
        signet.json(&ORDERS);
        let service =
            ["client", "create", "--client-id", "billing", "--grant", "client_credentials"];
        signet.json(&[&service[..], &["--scope", "orders:read"]].concat());
        let create = ["api-key", "create", "--client", "billing", "--name", "ci", "--scope"];
        let made = signet.json(&[&create[..], &["orders:read"]].concat());
        assert_eq!((&made["owner"], &made["client"]), (&json!("billing"), &json!("billing")));
        for (scope, why) in [
            ("orders:write", "may not do"),
            ("openid", "no resource"),
            ("stock:read", "no resource"),
        ] {
            let refusal = signet.refusal(&[&create[..], &[scope]].concat());
            assert!(refusal.contains(why), "{refusal}");
        }
        let nobody =
            ["api-key", "create", "--user", "nobody", "--name", "x", "--scope", "orders:read"];
        assert!(signet.refusal(&nobody).contains("nobody"));
    });
}

#[test]
fn what_cannot_be_a_key_is_a_wrong_usage() {
    on_each_database(|signet| {
        let create = ["api-key", "create", "--name", "x", "--scope", "orders:read"];
        signet.misuse(&create);
        signet.misuse(&[&create[..], &["--user", "a", "--client", "b"]].concat());
        let of_alice = [&create[..], &["--user", "alice"]].concat();
        for wrong in [["--expires-in", "soon"], ["--expires-in", "-1"], ["--allow-address", "home"]]
        {
            signet.misuse(&[&of_alice[..], &wrong].concat());
        }
        signet.misuse(&["api-key", "show", "x"]);
        let unknown = "018f3c2e-7b1a-7000-8000-0123456789ab";
        for deed in ["show", "rotate", "revoke"] {
            assert!(signet.refusal(&["api-key", deed, unknown]).contains("no API key"));
        }
    });
}
