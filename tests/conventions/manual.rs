//! The reference is complete and says what the code says: error codes, endpoints, configuration keys and their defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use cloakroom::Config;
use cloakroom::agent::Endpoint;
use cloakroom::config::Variables;

use super::source::{production, read};

#[test]
fn every_error_code_is_documented_with_its_status() {
    assert_eq!(
        documented_codes(),
        codes(),
        "docs/reference/errors.md (left) and src/refusal.rs (right) differ"
    );
}

/// Code → name of its status constant, from the one table in `src/refusal.rs`.
fn codes() -> BTreeMap<String, String> {
    let source = read("src/refusal.rs");
    let (_, table) = source
        .split_once("const fn row(self)")
        .expect("the table of codes");
    let mut codes = BTreeMap::new();
    let mut rest = table;
    while let Some((_, after)) = rest.split_once("=> (") {
        let mut parts = after.splitn(3, ',');
        let code = parts.next().unwrap().trim().trim_matches('"').to_owned();
        let status = parts.next().unwrap().trim().trim_start_matches("S::").to_owned();
        codes.insert(code, number_of(&status).to_owned());
        rest = after;
    }
    assert!(codes.len() > 20, "only {} codes were found", codes.len());
    codes
}

/// Headings that are a code, and the status that the paragraph below begins with.
fn documented_codes() -> BTreeMap<String, String> {
    let page = read("docs/reference/errors.md");
    let mut lines = page.lines().filter(|line| !line.is_empty());
    let mut codes = BTreeMap::new();
    while let Some(line) = lines.next() {
        if let Some(code) = line.strip_prefix("### `") {
            let status = lines.next().unwrap_or_default();
            let status = status.split("**").nth(1).unwrap_or_default();
            codes.insert(code.trim_end_matches('`').to_owned(), status.to_owned());
        }
    }
    codes
}

fn number_of(status: &str) -> &'static str {
    match status {
        "BAD_REQUEST" => "400",
        "UNAUTHORIZED" => "401",
        "FORBIDDEN" => "403",
        "NOT_FOUND" => "404",
        "METHOD_NOT_ALLOWED" => "405",
        "CONFLICT" => "409",
        "PAYLOAD_TOO_LARGE" => "413",
        "URI_TOO_LONG" => "414",
        "TOO_MANY_REQUESTS" => "429",
        "REQUEST_HEADER_FIELDS_TOO_LARGE" => "431",
        "INTERNAL_SERVER_ERROR" => "500",
        "BAD_GATEWAY" => "502",
        "SERVICE_UNAVAILABLE" => "503",
        "GATEWAY_TIMEOUT" => "504",
        other => panic!("what number has {other}?"),
    }
}

#[test]
fn every_endpoint_is_documented_with_its_method() {
    let built: BTreeSet<String> = Endpoint::ALL
        .into_iter()
        .map(|endpoint| format!("{} {}", endpoint.method(), endpoint.path()))
        .collect();
    let documented: BTreeSet<String> = read("docs/reference/http.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### `"))
        .map(|heading| heading.trim_end_matches('`').to_owned())
        .collect();
    assert_eq!(
        documented, built,
        "docs/reference/http.md (left) and src/agent.rs (right) differ"
    );
}

/// Where each table of the configuration is read, and the section that documents it.
const TABLES: &[(&str, &str)] = &[
    ("schema.rs", "The file"),
    ("server.rs", "`[server]`"),
    ("admin.rs", "`[admin]`"),
    ("keys.rs", "`[keys]`"),
    ("store.rs", "`[store]`"),
    ("app.rs", "`[[app]]`"),
    ("provider.rs", "`[app.provider]`"),
    ("session.rs", "`[app.session]`"),
    ("route.rs", "`[[app.route]]`"),
];

#[test]
fn every_key_is_documented_and_says_whether_it_is_built() {
    let mut wrong = Vec::new();
    for (file, section) in TABLES {
        let known = keys(file);
        let documented = section_rows(section);
        for (key, built) in &known {
            match documented.iter().find(|row| row.key == *key) {
                None => wrong.push(format!("{section} does not document `{key}`")),
                Some(row) => {
                    if row.meaning.starts_with("not available in this version") == *built {
                        wrong.push(format!(
                            "{section}: `{key}`: says the wrong thing about being built"
                        ));
                    }
                }
            }
        }
        for row in documented {
            if !known.contains_key(&row.key) {
                wrong.push(format!(
                    "{section} documents `{}`, which src/config/{file} does not know",
                    row.key
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/reference/configuration.md:\n{}",
        wrong.join("\n")
    );
}

/// The keys that one file of the schema declares, and whether each is built. Those of a table inside carry its name.
fn keys(file: &str) -> BTreeMap<String, bool> {
    let source = read(&format!("src/config/{file}"));
    let mut keys = BTreeMap::new();
    let mut prefix = String::new();
    let mut rest = source.as_str();
    while let Some(at) = ["Key::", "const "]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
    {
        rest = &rest[at..];
        if let Some(name) = rest.strip_prefix("const ") {
            prefix = name
                .split(':')
                .next()
                .and_then(|name| name.strip_suffix("_KEYS"))
                .map(|table| format!("{}.", table.to_lowercase()))
                .unwrap_or_default();
            rest = name;
            continue;
        }
        rest = &rest["Key::".len()..];
        let (constructor, arguments) = rest.split_once('(').unwrap_or((rest, ""));
        let Some(name) = arguments
            .trim_start()
            .strip_prefix('"')
            .and_then(|name| name.split('"').next())
        else {
            continue;
        };
        match constructor {
            "new" | "table" | "tables" => keys.insert(format!("{prefix}{name}"), true),
            "later" | "later_but" => keys.insert(format!("{prefix}{name}"), false),
            _ => None,
        };
    }
    assert!(
        !keys.is_empty(),
        "src/config/{file} declares no key: the search is wrong"
    );
    keys
}

#[derive(Debug)]
struct Row {
    key: String,
    default: String,
    meaning: String,
}

/// The rows of the section's table: key, type, default, meaning.
fn section_rows(section: &str) -> Vec<Row> {
    let page = read("docs/reference/configuration.md");
    let heading = format!("## {section}\n");
    let (_, body) = page
        .split_once(&heading)
        .unwrap_or_else(|| panic!("docs/reference/configuration.md has no section {section}"));
    let body = body.split("\n## ").next().unwrap();
    body.lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
            Row {
                key: cells[0].trim_end_matches('`').to_owned(),
                default: cells[2].to_owned(),
                meaning: cells[3].to_owned(),
            }
        })
        .collect()
}

/// A configuration with every documented default written out is the same as one with none of them.
#[test]
fn the_documented_defaults_are_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("cookie.key");
    std::fs::write(&key, "ERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY0=").unwrap();
    std::fs::write(folder.path().join("client-secret"), "a secret of nobody").unwrap();
    for file in ["cookie.key", "client-secret"] {
        private(&folder.path().join(file));
    }

    let silent = folder.path().join("silent.toml");
    std::fs::write(&silent, minimal(|_| String::new())).unwrap();
    let spoken = folder.path().join("spoken.toml");
    let mut written = 0;
    let text = minimal(|section| {
        let mut lines = String::new();
        for row in section_rows(section) {
            if let Some(default) = row
                .default
                .strip_prefix('`')
                .and_then(|text| text.strip_suffix('`'))
                && !row.meaning.starts_with("not available")
                // Of another kind of store than the default: refused beside it.
                && !row.meaning.starts_with("with `\"redis\"`")
            {
                written += 1;
                writeln!(lines, "{} = {default}", row.key).unwrap();
            }
        }
        lines
    });
    std::fs::write(&spoken, &text).unwrap();
    assert!(
        written > 25,
        "only {written} defaults were found: the search is wrong"
    );
    assert_eq!(loaded(&spoken), loaded(&silent), "{text}");
}

/// The shortest file, with more lines per table.
fn minimal(mut more: impl FnMut(&str) -> String) -> String {
    [
        ("[server]", "`[server]`", ""),
        ("[keys]", "`[keys]`", "cookie = [\"file:cookie.key\"]"),
        ("[store]", "`[store]`", ""),
        ("[[app]]", "`[[app]]`", "id = \"shop\"\norigin = \"https://shop.example.com\""),
        (
            "[app.provider]",
            "`[app.provider]`",
            "issuer = \"https://login.example.com\"\nclient_id = \"shop\"\nclient_secret = \"file:client-secret\"",
        ),
        ("[app.session]", "`[app.session]`", ""),
        (
            "[[app.route]]",
            "`[[app.route]]`",
            "path = \"/api\"\nupstream = \"http://127.0.0.1:9001\"",
        ),
    ]
    .into_iter()
    .map(|(table, section, lines)| [table, "\n", lines, "\n", &more(section)].concat())
    .collect::<Vec<_>>()
    .concat()
}

fn loaded(path: &Path) -> String {
    let checked = Config::check(path, &Variables::of_process());
    let config = checked
        .config
        .unwrap_or_else(|| panic!("{}", checked.problems.reason()));
    format!("{config:#?}")
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn every_event_of_the_log_is_documented_with_its_levels() {
    let mut logged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in production() {
        let source = read(&path);
        for (at, mark) in source.match_indices("event = \"") {
            let name = source[at + mark.len()..].split('"').next().unwrap();
            let before = source[..at].rsplit("tracing::").next().unwrap();
            let level = before.split('!').next().unwrap();
            logged
                .entry(name.to_owned())
                .or_default()
                .insert(level.to_owned());
        }
    }
    let documented: BTreeMap<String, BTreeSet<String>> = read("docs/reference/logs.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let (event, rest) = line.split_once("` | ").unwrap();
            let levels = rest.split(" | ").next().unwrap();
            (event.to_owned(), levels.split(", ").map(str::to_owned).collect())
        })
        .collect();
    assert_eq!(
        documented, logged,
        "docs/reference/logs.md (left) and the source (right) differ"
    );
}

#[test]
fn every_problem_of_a_configuration_is_documented() {
    let mut reported: Vec<String> = read("src/config/problem.rs")
        .split("Self(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect();
    reported.sort();
    // `Code::manual` leads to these headings.
    let documented: Vec<String> = read("docs/reference/errors.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### CR-"))
        .map(|rest| format!("CR-{rest}"))
        .collect();
    assert_eq!(
        documented, reported,
        "docs/reference/errors.md (left) and src/config/problem.rs (right) differ"
    );
}

#[test]
fn the_readme_is_one_screen() {
    let page = read("README.md");
    assert!(
        page.lines().count() <= 60,
        "the README is what one reads first: move the rest to docs/"
    );
    assert_eq!(page.matches("![").count(), 1, "one picture");
}

#[test]
fn the_cookies_page_of_the_manual_names_the_formats_own_constants() {
    // What an auditor reads in docs/sessions.md and what the code derives with are the same words.
    let page = read("docs/sessions.md");
    for file in ["src/session/keyring.rs", "src/session/shelf.rs"] {
        let source = read(file);
        for label in source
            .split("b\"")
            .skip(1)
            .filter_map(|text| text.split('"').next())
        {
            assert!(
                page.contains(label),
                "docs/sessions.md does not name the label `{label}` of {file}"
            );
        }
    }
}
