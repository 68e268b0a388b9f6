//! The architecture, read from the sources: which layer may know of what.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, fs, path::Path};

/// Words that may stand only in these places.
struct Only {
    words: &'static [&'static str],
    inside: &'static [&'static str],
}

const RESERVED: [Only; 10] = [
    Only { words: &["sqlx::"], inside: &["src/storage/"] },
    Only { words: &["axum::"], inside: &["src/edge", "src/http", "src/web", "src/cli"] },
    // The environment is a setting.
    Only { words: &["std::env", "env::var", "env::vars"], inside: &["src/config", "src/cli"] },
    // The clock is read where the application is put together, and handed on from there.
    Only { words: &["SystemTime::now", "Instant::now"], inside: &["src/flows/app.rs"] },
    // Machines have no cookies: what is read from one on their side would be a browser's.
    Only { words: &["header::COOKIE", "COOKIE"], inside: &["src/web"] },
    // Scripts of other origins may ask what machines may ask, and nothing that people do.
    Only { words: &["tower_http::cors", "cors", "CorsLayer"], inside: &["src/http"] },
    Only { words: &["ACCESS_CONTROL_ALLOW_ORIGIN"], inside: &["src/http"] },
    // Randomness is handed on like the clock; keys are made where they are kept.
    Only { words: &["aws_lc_rs::rand"], inside: &["src/flows/app.rs", "src/keys"] },
    // What signs a token mints it.
    Only { words: &["sign("], inside: &["src/flows/issue.rs", "src/keys"] },
    // An open redirect could only be here.
    Only { words: &["LOCATION", "Redirect::"], inside: &["src/web/respond.rs"] },
];

/// What the pure layers know nothing of.
const IMPURE: [&str; 7] =
    ["async fn", "async move", "async {", "tokio::", "axum::", "sqlx::", "reqwest::"];

const PURE: [&str; 3] = ["values", "model", "protocol"];

/// Imports that the order of the layers would allow.
const STRANGERS: [(&str, &str); 3] = [("storage", "protocol"), ("http", "web"), ("web", "http")];

#[test]
fn a_layer_imports_only_from_layers_above_it_in_the_list() {
    let layers = layers();
    assert!(layers.len() >= 3, "the list in src/lib.rs was not understood: {layers:?}");
    let mut wrong = BTreeSet::new();
    for (place, layer) in layers.iter().enumerate() {
        for (file, code) in sources_of(layer) {
            let imported = imports(&code);
            for below in layers[place + 1..].iter().filter(|below| imported.contains(*below)) {
                wrong.insert(format!("{file}: {layer} must not know {below}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_layer_is_left_by_its_full_name_only() {
    for layer in layers() {
        let root = [format!("src/{layer}.rs"), format!("src/{layer}/mod.rs")];
        for (file, code) in sources_of(&layer) {
            let escapes =
                code.contains("super::super") || root.contains(&file) && says(&code, "super::");
            assert!(!escapes, "{file}: say crate:: instead of super::");
        }
    }
}

#[test]
fn layers_that_are_no_business_of_each_other_stay_apart() {
    for (layer, stranger) in STRANGERS {
        for (file, code) in sources_of(layer) {
            assert!(!imports(&code).contains(stranger), "{file}: {layer} must not know {stranger}");
        }
    }
}

#[test]
fn the_pure_layers_wait_for_nothing_and_know_no_framework() {
    for layer in PURE {
        for (file, code) in sources_of(layer) {
            for word in IMPURE {
                assert!(!says(&code, word), "{file}: `{word}` has no place in {layer}");
            }
        }
    }
}

#[test]
fn what_is_reserved_stays_in_its_place() {
    let mut wrong = BTreeSet::new();
    for (file, code) in sources(Path::new("src")) {
        for Only { words, inside } in &RESERVED {
            if inside.iter().any(|place| file.starts_with(place)) {
                continue;
            }
            for word in words.iter().filter(|word| says(&code, word)) {
                wrong.insert(format!("{file}: `{word}` belongs in {inside:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_template_has_no_words_of_its_own() {
    let mut read = 0;
    for entry in fs::read_dir("src/web/templates").unwrap() {
        let path = entry.unwrap().path();
        // The demo is there for developers, who read English.
        if path.ends_with("demo.html") {
            continue;
        }
        let template = fs::read_to_string(&path).unwrap();
        let code = [("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<", ">")];
        let words = code.iter().fold(template, |text, (open, close)| without(&text, open, close));
        assert!(!words.contains(char::is_alphabetic), "{}: {}", path.display(), words.trim());
        read += 1;
    }
    assert!(read > 5, "the templates were not found");
}

#[test]
fn imports_are_found_in_every_form() {
    let code = "
        use crate::{model::{self, web::Page}, values};
        use crate::storage::Store;
        fn f() -> crate::flows::Outcome { my_crate::http::x() }
        macro_rules! m { () => { $crate::keys::ring!() } }";
    let expected = ["flows", "keys", "model", "storage", "values"].map(str::to_owned);
    assert_eq!(imports(code), expected.into());
}

/// The text without what stands between these two, and without them.
fn without(text: &str, open: &str, close: &str) -> String {
    let outside =
        |part: &str| part.split_once(close).map_or(String::new(), |(_, rest)| rest.to_owned());
    let mut parts = text.split(open);
    let first = parts.next().unwrap_or("").to_owned();
    first + &parts.map(outside).collect::<String>()
}

/// The layers in their order, from the list in `src/lib.rs`.
fn layers() -> Vec<String> {
    let list = fs::read_to_string("src/lib.rs").unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

/// The names that follow `crate::`, also those of a group.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        if code[..at].ends_with(is_word) {
            continue;
        }
        if let Some(group) = rest.strip_prefix('{') {
            found.extend(members(group));
        } else {
            found.insert(first_word(rest));
        }
    }
    found
}

/// The first word of each member of a group, up to the brace that closes it.
fn members(group: &str) -> Vec<String> {
    let (mut members, mut depth, mut fresh) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && is_word(c) => {
                members.push(first_word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    members
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether the code has this in it, and not as a part of longer words.
fn says(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, found)| {
        let after = &code[at + found.len()..];
        let cut = word.ends_with(is_word) && after.starts_with(is_word);
        !code[..at].ends_with(is_word) && !cut
    })
}

/// The files of a layer; none, if it does not exist yet.
fn sources_of(layer: &str) -> Vec<(String, String)> {
    let (folder, file) = (format!("src/{layer}"), format!("src/{layer}.rs"));
    let mut found = sources(Path::new(&folder));
    found.extend(sources(Path::new(&file)));
    found
}

/// The Rust files at `path`, without comments and without the tests at their feet.
fn sources(path: &Path) -> Vec<(String, String)> {
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap();
        return inside.flat_map(|entry| sources(&entry.unwrap().path())).collect();
    }
    if path.extension().is_none_or(|extension| extension != "rs") || !path.exists() {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    vec![(path.display().to_string(), lines.collect::<Vec<_>>().join("\n"))]
}
