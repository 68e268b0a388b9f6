//! The reference pages say what the program does. `UPDATE_DOCS=1` writes them anew.

use std::{env, fs, path::Path};

#[test]
fn the_configuration_reference_is_up_to_date() {
    is_up_to_date("docs/reference/configuration.md", &signet::config::reference());
}

#[test]
fn the_command_line_reference_is_up_to_date() {
    is_up_to_date("docs/reference/cli.md", &signet::cli::reference());
}

fn is_up_to_date(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{page} is out of date: UPDATE_DOCS=1 cargo test --test cli writes it");
}
