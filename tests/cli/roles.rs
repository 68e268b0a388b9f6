//! `signet role` and `signet group`.

use serde_json::{Value, json};

use crate::support::{Signet, on_each_database};

const API: [&str; 6] =
    ["resource", "create", "--id", "https://api.example.com", "--scope", "orders:read"];

const VIEWER: &str = "https://api.example.com#viewer";
const EDITOR: &str = "https://api.example.com#editor";

const CREATE: [&str; 5] = ["role", "create", "--resource", "https://api.example.com", "--name"];

fn furnish(signet: &Signet) {
    signet.json(&API);
    signet.json(&["user", "create", "--username", "alice"]);
    signet.json(&["client", "create", "--client-id", "billing", "--grant", "client_credentials"]);
    signet.json(&["group", "create", "--name", "staff"]);
    create(signet, "viewer", &["--permission", "orders:read"]);
}

fn create(signet: &Signet, name: &str, options: &[&str]) -> Value {
    signet.json(&[&CREATE[..], &[name], options].concat())
}

#[test]
fn a_role_is_made_found_changed_and_deleted() {
    on_each_database(|signet| {
        furnish(signet);
        let options =
            ["--permission", "orders:write", "--permission", "orders:list", "--include", VIEWER];
        let mut made = create(signet, "editor", &options);
        let shown = signet.json(&["role", "show", "HTTPS://api.example.com/#editor"]);
        assert_eq!(shown, made, "in any spelling of its API");
        assert_eq!(made["created_at"].take(), made["updated_at"].take());
        let expected = json!({
            "role": EDITOR,
            "resource": "https://api.example.com",
            "name": "editor",
            "description": "",
            "permissions": ["orders:list", "orders:write"],
            "includes": [VIEWER],
            "users": [],
            "clients": [],
            "groups": [],
            "created_at": null,
            "updated_at": null,
        });
        assert_eq!(made, expected);

        let update = ["role", "update", EDITOR, "--description", "Writes orders"];
        let changed = signet.json(&[&update[..], &["--permission", "orders:write"]].concat());
        assert_eq!(changed["description"], "Writes orders");
        assert_eq!(changed["permissions"], json!(["orders:write"]));
        assert_eq!(changed["includes"], json!([VIEWER]), "what is not named stays");
        let changed = signet.json(&["role", "update", EDITOR, "--include", "", "--permission", ""]);
        assert_eq!((&changed["includes"], &changed["permissions"]), (&json!([]), &json!([])));

        let list = signet.runs(&["role", "list"]).text();
        assert!(list.starts_with("ROLE ") && list.contains(VIEWER) && list.contains(EDITOR));
        let deleted = signet.json(&["role", "delete", EDITOR]);
        assert_eq!((&deleted["role"], &deleted["deleted"]), (&json!(EDITOR), &json!(true)));
        assert!(signet.refusal(&["role", "show", EDITOR]).contains("signet role list"));
    });
}

#[test]
fn a_role_is_given_and_taken() {
    on_each_database(|signet| {
        furnish(signet);
        create(signet, "editor", &["--include", VIEWER]);
        for holder in [["--user", "alice"], ["--client", "billing"], ["--group", "staff"]] {
            for _ in 0..2 {
                let granted = signet.json(&[&["role", "grant", EDITOR][..], &holder].concat());
                assert_eq!((&granted["role"], &granted["granted"]), (&json!(EDITOR), &json!(true)));
            }
            let mine = signet.json(&[&["role", "list"][..], &holder].concat());
            let names: Vec<_> = mine.as_array().unwrap().iter().map(|role| &role["name"]).collect();
            assert_eq!(names, ["editor", "viewer"], "with what it includes");
        }
        let shown = signet.json(&["role", "show", EDITOR]);
        assert_eq!(
            (&shown["users"], &shown["clients"], &shown["groups"]),
            (&json!(["alice"]), &json!(["billing"]), &json!(["staff"]))
        );

        let text = signet.runs(&["role", "revoke", EDITOR, "--user", "alice"]).text();
        assert_eq!(text, format!("alice no longer has the role {EDITOR}\n"));
        let again = signet.refusal(&["role", "revoke", EDITOR, "--user", "alice"]);
        assert!(again.contains("signet role show"), "{again}");
        assert_eq!(signet.json(&["role", "list", "--user", "alice"]), json!([]));
    });
}

#[test]
fn a_group_is_made_filled_and_deleted() {
    on_each_database(|signet| {
        furnish(signet);
        let made = signet.json(&["group", "create", "--name", "admins", "--description", "Few"]);
        assert_eq!((&made["name"], &made["description"]), (&json!("admins"), &json!("Few")));
        let taken = signet.refusal(&["group", "create", "--name", "admins"]);
        assert!(taken.contains("signet group show admins"), "{taken}");

        signet.json(&["role", "grant", VIEWER, "--group", "staff"]);
        for _ in 0..2 {
            assert_eq!(signet.json(&["group", "add", "staff", "alice"])["member"], true);
        }
        let shown = signet.json(&["group", "show", "staff"]);
        assert_eq!((&shown["members"], &shown["roles"]), (&json!(["alice"]), &json!([VIEWER])));
        let hers = signet.json(&["role", "list", "--user", "alice"]);
        assert_eq!(hers[0]["role"], VIEWER);

        assert_eq!(signet.json(&["group", "remove", "staff", "alice"])["member"], false);
        assert!(
            signet.refusal(&["group", "remove", "staff", "alice"]).contains("group show staff")
        );
        let list = signet.runs(&["group", "list"]).text();
        assert!(list.contains("admins") && list.contains("staff"), "{list}");
        assert_eq!(signet.json(&["group", "delete", "staff"])["deleted"], true);
        assert!(signet.refusal(&["group", "add", "staff", "alice"]).contains("signet group list"));
    });
}

#[test]
fn what_must_not_be_is_refused_with_a_remedy() {
    on_each_database(|signet| {
        furnish(signet);
        create(signet, "editor", &["--include", VIEWER]);
        let circle = ["role", "update", VIEWER, "--include", EDITOR];
        for (line, remedy) in [
            (&[&CREATE[..], &["viewer"]].concat()[..], "signet role update"),
            (&circle, "would include itself"),
            (&["role", "update", VIEWER, "--include", "https://api.example.com#x"], "role list"),
            (&["role", "create", "--resource", "urn:x", "--name", "a"], "signet resource list"),
            (&["role", "grant", VIEWER, "--user", "bob"], "signet user list"),
            (&["role", "grant", VIEWER, "--client", "bob"], "signet client list"),
            (&["role", "grant", VIEWER, "--group", "bob"], "signet group list"),
            (&["group", "add", "staff", "bob"], "signet user list"),
        ] {
            let refusal = signet.refusal(line);
            assert!(refusal.contains(remedy), "{refusal}");
        }
        for (line, hint) in [
            (&["role", "grant", VIEWER][..], "--user"),
            (&["role", "grant", VIEWER, "--user", "alice", "--group", "staff"], "--group"),
            (&["role", "show", "viewer"], "https://api.example.com#editor"),
            (&[&CREATE[..], &["a b"]].concat(), "letters, digits"),
            (&[&CREATE[..], &["a", "--permission", "a b"]].concat(), "letters, digits"),
            (&["group", "create", "--name", "a/b"], "letters, digits"),
        ] {
            let text = signet.misuse(line);
            assert!(text.contains(hint), "{text}");
        }
    });
}

#[test]
fn tokens_end_with_the_change_where_that_is_asked_for() {
    on_each_database(|signet| {
        furnish(signet);
        create(signet, "editor", &["--include", VIEWER]);
        signet.json(&["group", "add", "staff", "alice"]);
        let revocations = || {
            let report = signet.json(&["db", "report"]);
            let tables = report.as_array().unwrap();
            tables.iter().find(|table| table["table"] == "revocations").unwrap()["rows"].clone()
        };
        signet.json(&["role", "grant", EDITOR, "--group", "staff"]);
        signet.json(&["role", "grant", VIEWER, "--client", "billing"]);
        signet.json(&["role", "revoke", EDITOR, "--group", "staff"]);
        assert_eq!(revocations(), 0);

        signet.json(&["role", "grant", EDITOR, "--group", "staff"]);
        signet.json(&["role", "revoke", EDITOR, "--group", "staff", "--revoke-tokens"]);
        assert_eq!(revocations(), 1, "of alice");
        signet.json(&["role", "update", VIEWER, "--permission", "", "--revoke-tokens"]);
        assert_eq!(revocations(), 2, "of the client, too");
        signet.json(&["group", "delete", "staff", "--revoke-tokens"]);
        signet.json(&["role", "delete", VIEWER, "--revoke-tokens"]);
        assert_eq!(revocations(), 2, "one for each, however often");
    });
}
