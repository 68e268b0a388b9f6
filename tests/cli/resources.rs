//! `signet resource`.

use serde_json::json;

use crate::support::on_each_database;

const ORDERS: [&str; 8] = [
    "resource",
    "create",
    "--id",
    "https://api.example.com",
    "--scope",
    "orders:read",
    "--scope",
    "orders:write",
];

#[test]
fn a_resource_is_made_found_changed_and_deleted() {
    on_each_database(|signet| {
        let mut made = signet.json(&ORDERS);
        let shown = signet.json(&["resource", "show", "HTTPS://api.example.com/"]);
        assert_eq!(shown, made, "in any of its spellings");
        let made_at = made["created_at"].take();
        assert_eq!(made["updated_at"].take(), made_at);
        assert!(made_at.is_i64());
        let expected = json!({
            "id": "https://api.example.com",
            "name": "https://api.example.com",
            "scope": "orders:read orders:write",
            "signing_alg": "RS256",
            "created_at": null,
            "updated_at": null,
        });
        assert_eq!(made, expected);

        let service = ["client", "create", "--client-id", "orders", "--grant"];
        signet.json(&[&service[..], &["client_credentials"]].concat());
        let update = ["resource", "update", "https://api.example.com"];
        let options = ["--name", "Orders", "--scope", "orders:refund", "--client", "orders"];
        let algorithm = ["--signing-alg", "EdDSA"];
        let changed = signet.json(&[&update[..], &options, &algorithm].concat());
        assert_eq!(
            (&changed["name"], &changed["scope"]),
            (&json!("Orders"), &json!("orders:refund"))
        );
        assert_eq!(
            (&changed["client"], &changed["signing_alg"]),
            (&json!("orders"), &json!("EdDSA"))
        );
        assert_eq!(signet.json(&["resource", "list"]), json!([changed]));
        let list = signet.runs(&["resource", "list"]).text();
        assert!(list.contains("Orders") && list.lines().count() == 2, "{list}");
        let changed = signet.json(&[&update[..], &["--client", ""]].concat());
        assert_eq!(changed.get("client"), None);

        let deleted = signet.json(&["resource", "delete", "https://api.example.com"]);
        assert_eq!(deleted, json!({"id": "https://api.example.com", "deleted": true}));
        assert_eq!(signet.json(&["resource", "list"]), json!([]));
    });
}

#[test]
fn a_resource_that_does_not_fit_is_refused_with_the_remedy() {
    on_each_database(|signet| {
        let create = ["resource", "create", "--id", "https://api.example.com"];
        let public = ["client", "create", "--client-id", "spa", "--public", "--redirect-uri"];
        signet.json(&[&public[..], &["https://spa.example/cb"]].concat());
        for (options, remedy) in [
            (&[][..], "at least one scope"),
            (&["--scope", "orders:read", "--scope", "email"], "belongs to OpenID Connect"),
            (&["--scope", "orders:read", "--client", "nope"], "there is no client called nope"),
            (&["--scope", "orders:read", "--client", "spa"], "name a confidential client"),
        ] {
            let reason = signet.refusal(&[&create[..], options].concat());
            assert!(reason.contains(remedy), "{reason}");
        }

        signet.json(&ORDERS);
        let again =
            ["resource", "create", "--id", "https://API.example.com/", "--scope", "orders:read"];
        let reason = signet.refusal(&again);
        assert!(reason.contains("already"), "{reason}");
        let update = ["resource", "update", "https://api.example.com", "--scope", ""];
        assert!(signet.refusal(&update).contains("at least one scope"));
        for command in ["show", "delete", "update"] {
            let reason = signet.refusal(&["resource", command, "https://nope.example"]);
            let text = "signet: there is no resource called https://nope.example: ";
            assert!(reason.starts_with(text), "{reason}");
        }
        let text = signet.misuse(&["resource", "create", "--id", "http://api.example.com"]);
        assert!(text.contains("http on a loopback host"), "{text}");
    });
}
