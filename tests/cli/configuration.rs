//! Where settings come from, and what is said of wrong ones.

use std::fs;

use serde_json::json;

use crate::support::{Signet, on_each_database};

const LIST: [&str; 2] = ["client", "list"];

#[test]
fn the_database_is_made_where_the_settings_say() {
    let signet = Signet::on_sqlite();
    let made = |name: &str| signet.directory().join(name).exists();

    signet.json(&LIST);
    assert!(made("signet.db"), "the default");
    fs::write(signet.directory().join("signet.toml"), "database_url = 'sqlite:a.db'\n").unwrap();
    signet.json(&LIST);
    assert!(made("a.db"), "signet.toml over the default");
    fs::write(signet.directory().join("my.toml"), "database_url = 'sqlite:b.db'\n").unwrap();
    signet.json(&["client", "list", "--config", "my.toml"]);
    assert!(made("b.db"), "the file that is named");
    let environment = [("SIGNET_DATABASE_URL", "sqlite:c.db"), ("SIGNET_CONFIG", "my.toml")];
    signet.runs_with(&LIST, &environment, "").text();
    assert!(made("c.db"), "the environment over the file");
    let flag = ["client", "list", "--database-url", "sqlite:d.db"];
    signet.runs_with(&flag, &environment, "").text();
    assert!(made("d.db"), "the flag over the environment");
    signet.json(&["--database-url", "sqlite:e.db", "client", "list"]);
    assert!(made("e.db"), "the flag before the command");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let signet = Signet::on_sqlite();
    let reason = signet.runs_with(&LIST, &[("SIGNET_ISUER", "https://a.example")], "").refusal();
    assert_eq!(reason, "signet: SIGNET_ISUER is not a setting: did you mean SIGNET_ISSUER?\n");

    let text = signet.misuse(&["client", "list", "--isuer", "https://a.example"]);
    assert!(text.contains("--issuer"), "{text}");

    fs::write(signet.directory().join("signet.toml"), "isuer = 'https://a.example'\n").unwrap();
    let reason = signet.refusal(&LIST);
    assert_eq!(reason, "signet: isuer in signet.toml is not a setting: did you mean issuer?\n");
}

#[test]
fn a_wrong_value_is_refused_with_the_remedy_on_one_line() {
    let signet = Signet::on_sqlite();
    for (flag, value, remedy) in [
        ("--issuer", "http://id.example.com", "must begin with https://"),
        ("--issuer", "https://id.example.com/", "without the slash at its end"),
        ("--listen", "8080", "must be an IP address and a port"),
        ("--database-url", "mysql://a/b", "must begin with sqlite:"),
        ("--database-url", "sqlite::memory:", "must name a file"),
        ("--refresh-grace", "soon", "from 0 to 300"),
        ("--code-lifetime", "601", "from 10 to 600"),
        ("--argon2-concurrency", "0", "from 1 to 1024"),
        ("--log", "=x=", "must be a level"),
    ] {
        let reason = signet.refusal(&["client", "list", flag, value]);
        assert!(reason.starts_with(&format!("signet: {flag} must ")), "{reason}");
        assert!(reason.contains(remedy) && reason.lines().count() == 1, "{reason}");
    }
    let reason = signet.runs_with(&LIST, &[("SIGNET_ISSUER", "id.example.com")], "").refusal();
    assert!(reason.starts_with("signet: SIGNET_ISSUER must "), "{reason}");
}

#[test]
fn a_configuration_file_that_is_named_must_be_there() {
    let signet = Signet::on_sqlite();
    let reason = signet.refusal(&["client", "list", "--config", "nope.toml"]);
    assert!(reason.contains("cannot read the configuration file nope.toml: "), "{reason}");
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let signet = Signet::on_sqlite();
    let url = "postgres://signet:hunter2@127.0.0.1:1/signet";
    let reason = signet.refusal(&["client", "list", "--database-url", url]);
    let named = "signet: cannot reach the database postgres://signet@127.0.0.1:1/signet: ";
    assert!(reason.starts_with(named) && !reason.contains("hunter2"), "{reason}");
    assert!(reason.contains("--database-url"), "{reason}");

    let reason = signet.refusal(&["client", "list", "--database-url", "sqlite:no/such/place.db"]);
    assert!(reason.contains("check that the directory exists"), "{reason}");
}

#[test]
fn migrating_twice_changes_nothing() {
    on_each_database(|signet| {
        let first = signet.json(&["migrate"]);
        assert_eq!(first["migrated"], true);
        assert_eq!(signet.json(&["migrate"]), first);
        assert!(signet.runs(&["migrate"]).text().ends_with(" is up to date\n"));
        assert_eq!(signet.json(&LIST), json!([]));
    });
}
