//! `signet user`.

use serde_json::{Value, json};

use crate::support::{Signet, on_each_database};

const ALICE: [&str; 11] = [
    "user",
    "create",
    "--username",
    "Alice",
    "--email",
    "Alice@example.com",
    "--email-verified",
    "--name",
    "Alice Example",
    "--role",
    "admin",
];

fn make_alice(signet: &Signet) -> Value {
    let arguments = [&ALICE[..], &["--password-stdin", "--json"]].concat();
    signet.runs_reading(&arguments, "correct horse").json()
}

#[test]
fn a_user_is_made_with_everything_that_is_known() {
    on_each_database(|signet| {
        let mut user = signet
            .runs_reading(
                &[
                    &ALICE[..],
                    &["--given-name", "Alice", "--family-name", "Example", "--middle-name", "B."],
                    &["--nickname", "Al", "--preferred-username", "ally", "--gender", "female"],
                    &["--profile", "https://a.example/p", "--picture", "https://a.example/i"],
                    &["--website", "https://a.example", "--birthdate", "0000-12-31"],
                    &["--zoneinfo", "Europe/Zurich", "--locale", "de-CH"],
                    &["--phone-number", "+41441234567", "--phone-number-verified"],
                    &["--street-address", "Gasse 1", "--locality", "Zürich", "--region", "ZH"],
                    &["--postal-code", "8001", "--country", "CH"],
                    &["--formatted-address", "Gasse 1\n8001 Zürich", "--role", "editor"],
                    &["--password-stdin", "--json"],
                ]
                .concat(),
                "correct horse\n",
            )
            .json();
        let subject = user["sub"].take();
        assert_eq!(subject.as_str().unwrap().len(), 36);
        let made_at = user["created_at"].take();
        assert_eq!(user["updated_at"].take(), made_at);
        let expected = json!({
            "sub": null,
            "username": "alice",
            "email": "alice@example.com",
            "email_verified": true,
            "name": "Alice Example",
            "given_name": "Alice",
            "family_name": "Example",
            "middle_name": "B.",
            "nickname": "Al",
            "preferred_username": "ally",
            "gender": "female",
            "profile": "https://a.example/p",
            "picture": "https://a.example/i",
            "website": "https://a.example",
            "birthdate": "0000-12-31",
            "zoneinfo": "Europe/Zurich",
            "locale": "de-CH",
            "phone_number": "+41441234567",
            "phone_number_verified": true,
            "address": {
                "formatted": "Gasse 1\n8001 Zürich",
                "street_address": "Gasse 1",
                "locality": "Zürich",
                "region": "ZH",
                "postal_code": "8001",
                "country": "CH",
            },
            "roles": ["admin", "editor"],
            "disabled": false,
            "created_at": null,
            "updated_at": null,
        });
        assert_eq!(user, expected);
    });
}

#[test]
fn a_user_is_found_by_username_address_and_subject() {
    on_each_database(|signet| {
        let alice = make_alice(signet);
        for name in ["alice", "ALICE", "alice@example.com", alice["sub"].as_str().unwrap()] {
            assert_eq!(signet.json(&["user", "show", name]), alice, "{name}");
        }
    });
}

#[test]
fn a_password_never_shows() {
    on_each_database(|signet| {
        make_alice(signet);
        for command in [["user", "list"].as_slice(), &["user", "show", "alice"]] {
            let output = format!("{:?}{:?}", signet.runs(command), signet.json(command));
            assert!(!output.contains("argon2") && !output.contains("password"), "{output}");
        }
    });
}

#[test]
fn a_password_is_one_line_of_at_least_eight_characters() {
    on_each_database(|signet| {
        let create = ["user", "create", "--username", "bob", "--password-stdin"];
        for (password, remedy) in [
            ("", "no password on standard input"),
            ("\n", "no password on standard input"),
            ("seven77", "at least 8 characters"),
            ("correct\nhorse", "more than one line"),
            (&"x".repeat(1025), "longer than 1024 bytes"),
        ] {
            let reason = signet.runs_reading(&create, password).refusal();
            assert!(reason.contains(remedy), "{reason}");
        }
        assert_eq!(signet.json(&["user", "list"]), json!([]));
        for (name, password) in [("a", "correct horse"), ("b", "correct horse\r\n")] {
            let create = ["user", "create", "--username", name, "--password-stdin"];
            assert_eq!(signet.runs_reading(&create, password).stderr, "");
        }
    });
}

#[test]
fn a_user_without_a_password_is_pointed_out() {
    on_each_database(|signet| {
        let made = signet.runs(&["user", "create", "--username", "bob"]);
        assert!(made.stderr.contains("bob has no password yet"), "{}", made.stderr);

        let set = ["user", "set-password", "bob"];
        let done = signet.runs_reading(&set, "correct horse").text();
        assert!(done.starts_with("user bob has a new password"), "{done}");
        let set = ["user", "set-password", "bob", "--password-stdin", "--json"];
        let done = signet.runs_reading(&set, "battery staple").json();
        assert_eq!((&done["username"], &done["password_set"]), (&json!("bob"), &json!(true)));
        assert!(signet.runs_reading(&set, "short").refusal().contains("at least 8"));
    });
}

#[test]
fn a_user_is_changed_stopped_and_deleted() {
    on_each_database(|signet| {
        let alice = make_alice(signet);
        let changed = signet.json(&["user", "update", "alice", "--nickname", "Al"]);
        assert_eq!((&changed["nickname"], &changed["name"]), (&json!("Al"), &alice["name"]));
        assert_eq!(changed["roles"], json!(["admin"]));
        assert_eq!(changed["email_verified"], true);

        let changed = signet.json(&["user", "update", "alice", "--email", "alice@new.example"]);
        assert_eq!(changed["email_verified"], false, "a new address is not verified");
        let changed = signet.json(&[
            "user",
            "update",
            "alice",
            "--email-verified",
            "--role",
            "",
            "--nickname",
            "",
        ]);
        assert_eq!(changed["email_verified"], true);
        assert_eq!((&changed["roles"], changed.get("nickname")), (&json!([]), None));
        let changed = signet.json(&["user", "update", "alice", "--username", "alice2"]);
        assert_eq!((&changed["username"], &changed["sub"]), (&json!("alice2"), &alice["sub"]));
        assert_eq!(signet.json(&["user", "show", "alice2"]), changed);
        let update = ["user", "update", "alice2", "--password-stdin", "--json"];
        assert_eq!(signet.runs_reading(&update, "battery staple").json()["sub"], alice["sub"]);

        assert_eq!(signet.json(&["user", "disable", "alice2"])["disabled"], true);
        assert_eq!(signet.json(&["user", "show", "alice2"])["disabled"], true);
        assert_eq!(signet.json(&["user", "enable", "alice2"])["disabled"], false);
        let list = signet.runs(&["user", "list"]).text();
        assert!(list.contains("alice2") && list.lines().count() == 2, "{list}");

        let deleted = signet.json(&["user", "delete", "alice2"]);
        assert_eq!(deleted, json!({"sub": alice["sub"], "username": "alice2", "deleted": true}));
        assert_eq!(signet.json(&["user", "list"]), json!([]));
    });
}

#[test]
fn a_name_or_address_belongs_to_one_person() {
    on_each_database(|signet| {
        make_alice(signet);
        let reason = signet.refusal(&["user", "create", "--username", "ALICE"]);
        assert!(reason.contains("there is a user called alice already"), "{reason}");
        let create = ["user", "create", "--username", "bob", "--email"];
        let reason = signet.refusal(&[&create[..], &["alice@example.com"]].concat());
        assert!(reason.contains("belongs to somebody else"), "{reason}");

        signet.json(&[&create[..], &["bob@example.com"]].concat());
        let reason = signet.refusal(&["user", "update", "bob", "--email", "ALICE@example.com"]);
        assert!(reason.contains("belongs to somebody else"), "{reason}");
        let reason = signet.refusal(&["user", "update", "bob", "--username", "alice"]);
        assert!(reason.contains("there is a user called alice already"), "{reason}");
    });
}

#[test]
fn what_does_not_fit_is_refused_with_the_remedy() {
    on_each_database(|signet| {
        for (options, remedy) in [
            (&["--email-verified"][..], "give --email"),
            (&["--phone-number-verified"], "give --phone-number"),
            (&["--birthdate", "31.12.1990"], "YYYY-MM-DD"),
        ] {
            let create = ["user", "create", "--username", "bob"];
            let reason = signet.refusal(&[&create[..], options].concat());
            assert!(reason.contains(remedy), "{reason}");
        }
        for command in ["show", "delete", "disable", "enable", "set-password", "update"] {
            let reason = signet.refusal(&["user", command, "nobody"]);
            assert!(reason.starts_with("signet: there is no user called nobody: "), "{reason}");
        }
    });
}

#[test]
fn wrong_usage_says_what_is_right() {
    let signet = Signet::on_sqlite();
    for (options, remedy) in [
        (&["--username", "a@b"][..], "without @"),
        (&["--username", "a", "--email", "b"], "such as alice@example.com"),
        (&["--username", "a", "--role", "a b"], "letters, digits"),
        (&["--username", "a", "--picture", "javascript:x"], "give a whole web address"),
        (&["--username", "a", "--name", "a\nb"], "one line of text"),
        (&["--username", "a", "--email-verified=maybe"], "true, false"),
        (&["--email", "a@example.com"], "--username"),
        (&["--username", "a", "--password", "secret12"], "--password-stdin"),
    ] {
        let text = signet.misuse(&[&["user", "create"], options].concat());
        assert!(text.contains(remedy), "{text}");
    }
}
