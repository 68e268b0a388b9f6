//! `signet client`.

use std::fs;

use serde_json::json;

use crate::support::on_each_database;

const SHOP: [&str; 12] = [
    "client",
    "create",
    "--client-id",
    "web",
    "--name",
    "Web shop",
    "--public",
    "--redirect-uri",
    "https://shop.example/callback",
    "--post-logout-redirect-uri",
    "https://shop.example/",
    "--first-party",
];

const SERVICE: [&str; 8] = [
    "client",
    "create",
    "--client-id",
    "billing",
    "--grant",
    "client_credentials",
    "--scope",
    "orders:read",
];

const PUBLIC_KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[test]
fn a_public_client_is_made_from_a_name_and_an_address() {
    on_each_database(|signet| {
        let mut client = signet.json(&SHOP);
        let made_at = client["created_at"].take();
        assert!(made_at.as_i64().is_some_and(|at| at > 1_700_000_000));
        assert_eq!(client["updated_at"].take(), made_at);
        let expected = json!({
            "client_id": "web",
            "client_name": "Web shop",
            "token_endpoint_auth_method": "none",
            "redirect_uris": ["https://shop.example/callback"],
            "post_logout_redirect_uris": ["https://shop.example/"],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": "email offline_access openid profile",
            "first_party": true,
            "require_pkce": true,
            "dpop_bound_access_tokens": false,
            "id_token_signed_response_alg": "RS256",
            "disabled": false,
            "created_at": null,
            "updated_at": null,
        });
        assert_eq!(client, expected);
    });
}

#[test]
fn a_secret_is_printed_once_and_never_again() {
    on_each_database(|signet| {
        let client = signet.json(&SERVICE);
        let secret = client["client_secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("sgc_") && secret.len() == 47);
        assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(client["scope"], "orders:read");

        for command in [
            ["client", "show", "billing"].as_slice(),
            &["client", "list"],
            &["client", "update", "billing", "--name", "Billing"],
            &["client", "disable", "billing"],
            &["client", "enable", "billing"],
        ] {
            for json in [true, false] {
                let output = signet.runs(&[command, &["--json"][..usize::from(json)]].concat());
                assert!(!format!("{output:?}").contains(&secret));
                assert!(!output.text().contains("sgc_"));
            }
        }
    });
}

#[test]
fn a_client_without_an_id_gets_one_that_is_safe_everywhere() {
    on_each_database(|signet| {
        let client = signet.json(&["client", "create", "--redirect-uri", "https://a.example/cb"]);
        let id = client["client_id"].as_str().unwrap();
        assert!(id.len() == 22 && id.starts_with(|c: char| c.is_ascii_alphabetic()), "{id}");
        assert_eq!(client["client_name"], id);
        assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(signet.json(&["client", "show", id])["client_id"], id);
    });
}

#[test]
fn people_read_a_list_and_are_told_to_keep_the_secret() {
    on_each_database(|signet| {
        let made = signet.runs(&SERVICE);
        assert!(made.stdout.contains("client_secret "), "{}", made.stdout);
        let notes: Vec<_> = made.stderr.lines().collect();
        assert_eq!(notes[0], "keep the client secret now: it is not shown again");
        assert!(notes[1].starts_with("no API has the scope "), "{notes:?}");

        let list = signet.runs(&["client", "list"]).text();
        let rows: Vec<Vec<_>> =
            list.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), 2, "{list}");
        assert_eq!(rows[0][..2], ["CLIENT", "ID"]);
        assert_eq!(
            rows[1],
            ["billing", "billing", "client_secret_basic", "client_credentials", "no"]
        );
        let shown = signet.runs(&["client", "show", "billing"]).text();
        assert!(shown.contains(" UTC\n"), "{shown}");
    });
}

#[test]
fn a_client_is_listed_changed_stopped_and_deleted() {
    on_each_database(|signet| {
        assert_eq!(signet.json(&["client", "list"]), json!([]));
        signet.json(&SERVICE);
        signet.json(&SHOP);
        let list = signet.json(&["client", "list"]);
        let ids: Vec<_> = list.as_array().unwrap().iter().map(|c| &c["client_id"]).collect();
        assert_eq!(ids, ["billing", "web"]);

        let changed = signet.json(&[
            "client",
            "update",
            "web",
            "--name",
            "New shop",
            "--redirect-uri",
            "https://shop.example/a",
            "--redirect-uri",
            "http://localhost:3000/b",
            "--post-logout-redirect-uri",
            "",
            "--first-party=false",
            "--dpop-bound",
            "--scope",
            "openid offline_access",
            "--policy-uri",
            "https://shop.example/policy",
            "--id-token-signing-alg",
            "ES256",
        ]);
        assert_eq!(changed["client_name"], "New shop");
        assert_eq!(
            changed["redirect_uris"],
            json!(["https://shop.example/a", "http://localhost:3000/b"])
        );
        assert_eq!(changed["post_logout_redirect_uris"], json!([]));
        assert_eq!(changed["first_party"], false);
        assert_eq!(changed["dpop_bound_access_tokens"], true);
        assert_eq!(changed["scope"], "offline_access openid");
        assert_eq!(changed["policy_uri"], "https://shop.example/policy");
        assert_eq!(changed["id_token_signed_response_alg"], "ES256");
        assert_eq!(signet.json(&["client", "show", "web"]), changed);
        let changed = signet.json(&["client", "update", "web", "--policy-uri", ""]);
        assert_eq!(changed.get("policy_uri"), None);

        assert_eq!(signet.json(&["client", "disable", "web"])["disabled"], true);
        assert_eq!(signet.json(&["client", "show", "web"])["disabled"], true);
        assert_eq!(signet.json(&["client", "enable", "web"])["disabled"], false);

        let deleted = signet.json(&["client", "delete", "web"]);
        assert_eq!(deleted, json!({"client_id": "web", "deleted": true}));
        assert_eq!(
            signet.runs(&["client", "delete", "billing"]).text(),
            "client billing is deleted\n"
        );
        assert_eq!(signet.json(&["client", "list"]), json!([]));
    });
}

#[test]
fn a_secret_can_be_rotated_where_there_is_one() {
    on_each_database(|signet| {
        let old = signet.json(&SERVICE)["client_secret"].clone();
        let new = signet.json(&["client", "rotate-secret", "billing", "--overlap", "3600"]);
        assert_eq!(new["client_id"], "billing");
        assert!(new["client_secret"].is_string() && new["client_secret"] != old);

        signet.json(&SHOP);
        let reason = signet.refusal(&["client", "rotate-secret", "web"]);
        assert!(reason.contains("has no secret"), "{reason}");
        let reason =
            signet.refusal(&["client", "rotate-secret", "billing", "--overlap", "9999999"]);
        assert!(reason.contains("0 to 2592000 seconds"), "{reason}");
    });
}

#[test]
fn what_does_not_exist_is_named_with_where_to_look() {
    on_each_database(|signet| {
        for command in ["show", "delete", "disable", "enable", "rotate-secret", "update"] {
            let reason = signet.refusal(&["client", command, "nope", "--json"]);
            let text = "signet: there is no client called nope: `signet client list` shows those";
            assert!(reason.starts_with(text), "{reason}");
        }
    });
}

#[test]
fn a_client_whose_parts_do_not_fit_is_refused_with_the_remedy() {
    on_each_database(|signet| {
        let redirect = ["--redirect-uri", "https://a.example/cb"];
        for (options, remedy) in [
            (&[][..], "a client needs a grant"),
            (&["--public", "--grant", "client_credentials"], "leave out --public or the grant"),
            (&["--public", "--no-require-pkce", redirect[0], redirect[1]], "always needs PKCE"),
            (&["--grant", "authorization_code"], "needs at least one --redirect-uri"),
            (
                &["--grant", "client_credentials", redirect[0], redirect[1]],
                "add --grant authorization_code",
            ),
            (&["--grant", "refresh_token"], "continues what authorization_code began"),
            (&["--grant", "client_credentials", "--first-party"], "no consent to leave out"),
            (
                &["--public", "--token-endpoint-auth-method", "client_secret_post"],
                "a public client cannot use client_secret_post",
            ),
            (
                &["--client-id", "018f3c2e-7b1a-7000-8000-0123456789ab", redirect[0], redirect[1]],
                "choose a word",
            ),
            (&["--client-id", "https://a.example", redirect[0], redirect[1]], "choose a word"),
            (&["--name", " ", redirect[0], redirect[1]], "1 to 256 visible characters"),
        ] {
            let reason = signet.refusal(&[&["client", "create"], options].concat());
            assert!(reason.contains(remedy), "{reason}");
        }

        signet.json(&SHOP);
        let reason = signet.refusal(&SHOP);
        assert!(reason.contains("there is a client called web already"), "{reason}");
        let reason = signet.refusal(&["client", "update", "web", "--no-require-pkce"]);
        assert!(reason.contains("always needs PKCE"), "{reason}");
    });
}

#[test]
fn a_confidential_client_may_do_without_pkce_until_it_becomes_public() {
    on_each_database(|signet| {
        let redirect = ["--redirect-uri", "https://a.example/cb"];
        let create = ["client", "create", "--client-id", "app", "--no-require-pkce"];
        assert_eq!(signet.json(&[&create[..], &redirect].concat())["require_pkce"], false);

        let public = signet.json(&["client", "update", "app", "--public"]);
        assert_eq!(public["token_endpoint_auth_method"], "none");
        assert_eq!(public["require_pkce"], true);

        let method = ["--token-endpoint-auth-method", "client_secret_post"];
        let again = signet.json(&[&["client", "update", "app"], &method[..]].concat());
        assert_eq!(again["token_endpoint_auth_method"], "client_secret_post");
        assert!(again["client_secret"].is_string());
    });
}

#[test]
fn a_client_that_signs_gives_its_public_keys_only() {
    on_each_database(|signet| {
        let create = ["client", "create", "--client-id", "signer", "--grant", "client_credentials"];
        let signs = ["--token-endpoint-auth-method", "private_key_jwt"];
        let reason = signet.refusal(&[&create[..], &signs].concat());
        assert!(reason.contains("give --jwks-file"), "{reason}");

        let keys = signet.directory().join("keys.json");
        let file = ["--jwks-file", "keys.json"];
        let reason = signet.refusal(&[&create[..], &signs, &file].concat());
        assert!(reason.contains("cannot read the key set keys.json"), "{reason}");

        fs::write(&keys, PUBLIC_KEYS.replace("\"kid\"", "\"d\":\"AAAA\",\"kid\"")).unwrap();
        let reason = signet.refusal(&[&create[..], &signs, &file].concat());
        assert!(reason.contains("must never leave the client"), "{reason}");

        fs::write(&keys, PUBLIC_KEYS).unwrap();
        let reason = signet.refusal(&[&create[..], &file].concat());
        assert!(reason.contains("must be private_key_jwt for that"), "{reason}");
        let client = signet.json(&[&create[..], &signs, &file].concat());
        assert_eq!(client["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(client["jwks"]["keys"][0]["kid"], "a");
        assert_eq!(client.get("client_secret"), None);
    });
}

#[test]
fn wrong_usage_says_what_is_right() {
    let signet = crate::support::Signet::on_sqlite();
    for (options, remedy) in [
        (["--redirect-uri", "http://app.example/cb"], "https, http on a loopback host"),
        (["--redirect-uri", "https://app.example/cb#x"], "without a fragment"),
        (["--grant", "password"], "authorization_code, refresh_token, client_credentials"),
        (["--token-endpoint-auth-method", "basic"], "client_secret_basic"),
        (["--id-token-signing-alg", "none"], "RS256, PS256, ES256, EdDSA"),
        (["--scope", "a  b"], "parted by single spaces"),
        (["--client-id", "a b"], "without spaces"),
        (["--policy-uri", "www.example.com"], "such as https://www.example.com"),
    ] {
        let text = signet.misuse(&[&["client", "create"], &options[..]].concat());
        assert!(text.contains(remedy), "{text}");
    }
}

#[test]
fn a_change_of_nothing_is_pointed_out() {
    on_each_database(|signet| {
        signet.json(&SERVICE);
        let id = SERVICE[3];
        let refusal = signet.refusal(&["client", "update", id]);
        assert!(refusal.contains("there is nothing to change: name an option"), "{refusal}");
    });
}

#[test]
fn a_scope_that_an_api_has_is_not_pointed_out() {
    on_each_database(|signet| {
        let scope = SERVICE[SERVICE.iter().position(|word| *word == "--scope").unwrap() + 1];
        let api = ["resource", "create", "--id", "https://api.example.com"];
        let scopes = scope.split(' ').flat_map(|scope| ["--scope", scope]);
        signet.json(&api.into_iter().chain(scopes).collect::<Vec<_>>());
        assert!(!signet.runs(&SERVICE).stderr.contains("no API"));
    });
}
