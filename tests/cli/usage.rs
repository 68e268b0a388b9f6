//! Help, version, completions and exit statuses.

use crate::support::{Signet, on_each_database};

#[test]
fn help_and_version_are_results() {
    let signet = Signet::on_sqlite();
    assert!(signet.runs(&["--help"]).text().contains("signet client create --help"));
    let version = signet.runs(&["--version"]).text();
    assert_eq!(version, format!("signet {}\n", env!("CARGO_PKG_VERSION")));
    let help = signet.runs(&["client", "create", "--help"]).text();
    assert!(help.contains("--redirect-uri") && help.contains("Examples:"), "{help}");
    assert!(help.contains("--database-url") && !help.contains("--listen"), "{help}");
    assert!(signet.runs(&["serve", "--help"]).text().contains("--listen"));
}

#[test]
fn wrong_usage_ends_with_two_and_a_hint() {
    let signet = Signet::on_sqlite();
    for (line, hint) in [
        (&[][..], "Usage:"),
        (&["clint"], "client"),
        (&["client", "lst"], "list"),
        (&["client", "list", "--jsn"], "--json"),
        (&["client", "show"], "<CLIENT_ID>"),
        (&["client", "list", "--databse-url", "x"], "--database-url"),
    ] {
        let text = signet.misuse(line);
        assert!(text.contains(hint), "{text}");
    }
    assert!(!signet.directory().join("signet.db").exists());
}

#[test]
fn completions_need_neither_settings_nor_a_database() {
    let signet = Signet::on_sqlite();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let wrong = [("SIGNET_ISSUER", "wrong")];
        let script = signet.runs_with(&["completions", shell], &wrong, "").text();
        assert!(script.contains("rotate-secret"), "{shell}");
    }
    assert!(!signet.directory().join("signet.db").exists());
    assert!(signet.misuse(&["completions", "csh"]).contains("bash"));
}

#[test]
fn the_database_tells_what_it_holds() {
    on_each_database(|signet| {
        signet.json(&["user", "create", "--username", "alice"]);
        let report = signet.json(&["db", "report"]);
        let tables = report.as_array().unwrap();
        let users = tables.iter().find(|table| table["table"] == "users").unwrap();
        assert_eq!(users["rows"], 1);
        assert_eq!(users["bytes"], users["bytes_per_row"]);
        assert!(users["bytes"].as_i64().unwrap() >= 4096);
        assert_eq!(tables.len(), 25, "{report}");
    });
}
