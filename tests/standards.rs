//! The pages that say what shows what, held against the sources: every file that they name exists,
//! every test that they name is a test, and every link inside the documentation leads somewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Pages with tables whose last column names tests, and whose column before it names files.
const TABLES: [&str; 2] = ["docs/reference/standards.md", "docs/explanation/threat-model.md"];

#[test]
fn every_file_that_is_named_exists() {
    for row in rows() {
        let files = code_in(&row.files);
        assert!(!files.is_empty(), "no file is named: {row:?}");
        for file in files {
            assert!(Path::new(&file).is_file(), "{file} does not exist: {row:?}");
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let functions = functions();
    for row in rows() {
        let tests = code_in(&row.tests);
        assert!(!tests.is_empty(), "no test is named: {row:?}");
        for test in tests {
            assert!(functions.contains(&test), "there is no fn {test}: {row:?}");
        }
    }
}

#[test]
fn every_link_inside_the_documentation_leads_to_a_file() {
    let mut pages = files(Path::new("docs"), "md");
    pages.extend(["README.md", "CHANGELOG.md", "crates/jwt/README.md"].map(PathBuf::from));
    let mut found = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if link.is_empty() || link.contains("://") {
                continue;
            }
            found += 1;
            let target = page.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
        }
    }
    assert!(found > 20, "the links were not found");
}

/// What one row of a table names.
#[derive(Debug)]
struct Row {
    #[expect(dead_code, reason = "read when a row is wrong")]
    page: &'static str,
    files: String,
    tests: String,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for page in TABLES {
        let before = rows.len();
        let text = fs::read_to_string(page).unwrap();
        let lines: Vec<_> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let is_rule = |line: &&&str| line.starts_with("| ---");
            if !line.starts_with('|')
                || is_rule(&line)
                || lines.get(at + 1).is_some_and(|next| is_rule(&next))
            {
                continue;
            }
            let mut cells = line.trim_matches('|').split('|').rev().map(str::to_owned);
            let (Some(tests), Some(files)) = (cells.next(), cells.next()) else { continue };
            rows.push(Row { page, files, tests });
        }
        assert!(rows.len() > before + 10, "the tables of {page} were not understood");
    }
    rows
}

/// What stands between backquotes.
fn code_in(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The name of every function in a place where tests are.
fn functions() -> BTreeSet<String> {
    let places = ["tests", "src", "crates"];
    let sources = places.iter().flat_map(|place| files(Path::new(place), "rs"));
    sources
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let named = text.lines().filter_map(|line| line.split_once("fn ")).map(|(_, rest)| {
                rest.chars().take_while(|c| *c == '_' || c.is_ascii_alphanumeric()).collect()
            });
            named.collect::<Vec<String>>()
        })
        .collect()
}

/// The files below `path` with this extension.
fn files(path: &Path, extension: &str) -> Vec<PathBuf> {
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return inside
            .filter(|path| !path.ends_with("target"))
            .flat_map(|path| files(&path, extension))
            .collect();
    }
    let wanted = path.extension().is_some_and(|found| found == extension);
    if wanted { vec![path.to_owned()] } else { Vec::new() }
}
