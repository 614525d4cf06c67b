//! Every proof that the manual names exists: a claim about security stands beside the test that would fail without it.

use std::collections::BTreeSet;

use super::source::{code_only, files, read};

/// Pages whose tables end in a column of tests.
const PAGES: &[&str] = &[
    "docs/threat-model.md",
    "docs/standards.md",
    "docs/reference/client.md",
];

#[test]
fn every_test_that_the_manual_names_exists() {
    let rust = rust_functions();
    let script: String = files("tests", &[".test.js"])
        .iter()
        .map(|path| read(path))
        .collect();
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in PAGES {
        for row in rows_with_tests(&read(page)) {
            let tests = in_backticks(&row.tests);
            if tests.is_empty() {
                missing.push(format!("{page}: `{}` names no test", row.first));
            }
            for test in tests {
                checked += 1;
                let exists = if test.contains(' ') {
                    ["'", "`"]
                        .iter()
                        .any(|quote| script.contains(&format!("test({quote}{test}{quote}")))
                } else {
                    rust.contains(test.rsplit("::").next().unwrap_or_default())
                };
                if !exists {
                    missing.push(format!("{page}: there is no test `{test}` (row `{}`)", row.first));
                }
            }
        }
    }
    assert!(
        checked > 50,
        "only {checked} proofs were found: the search is wrong"
    );
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_id_of_a_standard_is_both_covered_and_open() {
    let page = read("docs/standards.md");
    let mut seen = BTreeSet::new();
    let mut twice = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let first = line.split('|').nth(1).unwrap_or_default();
        for id in first.split([',', ' ']).filter(|id| is_id(id)) {
            if !seen.insert(id.to_owned()) {
                twice.push(id.to_owned());
            }
        }
    }
    assert!(
        seen.len() > 100,
        "only {} ids were found: the search is wrong",
        seen.len()
    );
    assert!(twice.is_empty(), "in more than one row: {twice:?}");
}

/// `L-06`
fn is_id(text: &str) -> bool {
    matches!(text.as_bytes(), [b'A'..=b'Z', b'-', b'0'..=b'9', b'0'..=b'9'])
}

struct Row {
    first: String,
    tests: String,
}

/// The rows of tables whose last column is headed `test`.
fn rows_with_tests(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut wanted = false;
    for line in text.lines() {
        let Some(inside) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) else {
            wanted = false;
            continue;
        };
        let cells: Vec<&str> = inside.split(" | ").map(str::trim).collect();
        let (first, last) = (cells[0], cells[cells.len() - 1]);
        if last == "test" {
            wanted = true;
        } else if wanted && !first.starts_with("---") {
            rows.push(Row {
                first: first.to_owned(),
                tests: last.to_owned(),
            });
        }
    }
    rows
}

fn in_backticks(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rust_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files("src", &[".rs"]).into_iter().chain(files("tests", &[".rs"])) {
        let code = code_only(&read(&path));
        let mut words = code
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if word == "fn" {
                names.extend(words.next().map(str::to_owned));
            }
        }
    }
    names
}
