//! The description of the interface for programs, `docs/reference/openapi.json`, held against the
//! sources: what is routed is described, and what is described is routed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use signet::protocol::{ErrorCode, metadata, resource::Catalogue};

/// Routes that no program calls: pages, what they load, and the demo.
const PAGES: [&str; 8] = [
    "/login",
    "/consent",
    "/device",
    "/device/allowed",
    "/device/denied",
    "/logged-out",
    "/assets/{name}",
    "/demo",
];

/// The methods of a route. `HEAD` is what `GET` answers, without its body.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[test]
fn what_is_routed_is_described_and_what_is_described_is_routed() {
    let routed = routes();
    for page in PAGES {
        let exists = routed.iter().any(|route| route.ends_with(&format!(" {page}")));
        assert!(exists, "{page} is no route any more: take it out of the list of pages");
    }
    let is_page = |route: &String| PAGES.iter().any(|page| route.ends_with(&format!(" {page}")));
    let routed: BTreeSet<_> = routed.into_iter().filter(|route| !is_page(route)).collect();

    let document = document();
    let described: BTreeSet<_> = object(&document["paths"])
        .flat_map(|(path, item)| {
            let methods = METHODS.into_iter().filter(|method| item.get(method).is_some());
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();

    let page = fs::read_to_string("docs/reference/endpoints.md").unwrap();
    for (path, _) in object(&document["paths"]) {
        assert!(page.contains(&format!("`{path}`")), "{path} is not in endpoints.md");
    }

    let missing: Vec<_> = routed.difference(&described).collect();
    let invented: Vec<_> = described.difference(&routed).collect();
    assert!(missing.is_empty(), "routed and not described: {missing:?}");
    assert!(invented.is_empty(), "described and not routed: {invented:?}");
}

#[test]
fn the_error_codes_are_those_of_the_protocol() {
    let sent: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let document = document();
    assert_eq!(texts(&document["components"]["schemas"]["ErrorCode"]["enum"]), sent);

    let page = fs::read_to_string("docs/reference/errors.md").unwrap();
    for code in &sent {
        assert!(
            page.contains(&format!("| `{code}`")) || page.contains(&format!(", `{code}`")),
            "{code}"
        );
    }

    let mut narrower = Vec::new();
    collect(&document, "error", &mut narrower);
    assert!(narrower.len() > 5, "the errors of the endpoints were not found");
    for code in narrower.into_iter().flat_map(|error| texts(&error["enum"])) {
        assert!(sent.contains(&code.as_str()), "{code} is no code of the protocol");
    }
}

#[test]
fn the_metadata_is_described_as_it_is_sent() {
    let issuer: signet_jwt::Issuer = "https://id.test".parse().unwrap();
    let sent = metadata::document(&issuer, &Catalogue::new(issuer.clone(), Vec::new()));
    let described = &document()["components"]["schemas"]["Metadata"];

    let names: BTreeSet<_> = object(&sent).map(|(name, _)| name.clone()).collect();
    assert_eq!(texts(&described["required"]).into_iter().collect::<BTreeSet<_>>(), names);
    for (name, property) in object(&described["properties"]) {
        if let Some(values) = property.pointer("/items/enum") {
            assert_eq!(&sent[name], values, "{name}");
        }
        if let Some(value) = property.get("const") {
            assert_eq!(&sent[name], value, "{name}");
        }
    }
}

#[test]
fn it_is_of_this_version_and_every_reference_leads_somewhere() {
    let document = document();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut references = Vec::new();
    collect(&document, "$ref", &mut references);
    assert!(references.len() > 20, "the references were not found");
    for reference in references {
        let place = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{place} does not exist");
    }
}

fn document() -> Value {
    serde_json::from_str(&fs::read_to_string("docs/reference/openapi.json").unwrap()).unwrap()
}

/// Every route of both faces, as `method path`.
fn routes() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for face in ["src/http", "src/web"] {
        let before = found.len();
        found.extend(sources(Path::new(face)).iter().flat_map(|code| routes_of(code)));
        assert!(found.len() > before, "the route table of {face} was not understood");
    }
    found
}

fn routes_of(code: &str) -> BTreeSet<String> {
    let documents = code.split(".document(").skip(1).map(|rest| {
        let path = rest.split('"').nth(1).expect("a document begins with its path");
        let path = path.strip_prefix("{path}").or(path.strip_suffix("{path}")).unwrap_or(path);
        format!("get {path}")
    });
    let calls = code.split(".route(").skip(1);
    let routes = calls.flat_map(|rest| {
        let call = &rest[..end_of_call(rest)];
        let path = call.split('"').nth(1).expect("a route begins with its path");
        // RFC 8414 §3.1 puts the issuer's path behind the well-known part: the same endpoint.
        let path = path.strip_suffix("{path}").unwrap_or(path).to_owned();
        let methods = METHODS.into_iter().filter(|method| calls_method(call, method));
        methods.map(move |method| format!("{method} {path}")).collect::<Vec<_>>()
    });
    documents.chain(routes).collect()
}

/// Whether the function of this name is called, as in `get(jwks)` and `.post(answer)`.
fn calls_method(call: &str, method: &str) -> bool {
    call.match_indices(&format!("{method}("))
        .any(|(at, _)| !call[..at].ends_with(|c: char| c == '_' || c.is_ascii_alphanumeric()))
}

/// Where the parenthesis closes that was open before the text.
fn end_of_call(text: &str) -> usize {
    let mut depth = 1;
    let closes = text.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    closes.unwrap_or(text.len())
}

/// The Rust files at `path`, without comments.
fn sources(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap();
        return inside.flat_map(|entry| sources(&entry.unwrap().path())).collect();
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    vec![lines.collect::<Vec<_>>().join("\n")]
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().unwrap().iter()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Every member of this name with a text or a list of values in it.
fn collect<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                let meant = value.is_string() || value.get("enum").is_some();
                if member == name && meant {
                    found.push(value);
                }
                collect(value, name, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, name, found)),
        _ => {}
    }
}
