//! `config.schema.json` tells editors what `config.toml` may hold; line 1 of the shipped file names it, `cloakroom schema`
//! prints it. It is made here, from what is told elsewhere: keys and types by the tables that the reader goes by, what they
//! mean and what holds without them by the manual, the words that a key takes by the reader itself, asked with a wrong one.

use serde_json::{Map, Value, json};

use super::super::later;
use super::super::schema::{Built, Harmless, Key, Kind, ROOT, join};
use super::{GOOD, World, golden};

const SHIPPED: &str = include_str!("../../../config.toml");
const MANUAL: &str = include_str!("../../../docs/reference/configuration.md");

#[test]
fn line_one_names_the_schema() {
    assert_eq!(SHIPPED.lines().next(), Some("#:schema ./config.schema.json"));
}

/// The file follows its sources.
#[test]
fn the_schema_for_editors_says_what_the_reader_knows() {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Cloakroom configuration",
    });
    schema
        .as_object_mut()
        .unwrap()
        .extend(table(ROOT, "").as_object().unwrap().clone());
    golden(
        "config.schema.json",
        &(serde_json::to_string_pretty(&schema).unwrap() + "\n"),
    );
}

/// Keys that are refused whatever they say are left out: to an editor they are as wrong as to the reader.
fn table(keys: &[Key], path: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        let path = join(path, key.name);
        let Some(mut value) = value(key, &path) else {
            continue;
        };
        let (default, told) = told(&path);
        let meaning = match later::purpose(&path) {
            Some(purpose) => format!("{purpose}; in this version only the value that changes nothing"),
            None => told,
        };
        let about = value.as_object_mut().unwrap();
        about.insert("description".to_owned(), meaning.into());
        match default.as_str() {
            "required" => required.push(key.name),
            "–" => {}
            default => {
                let line: toml::Table = format!("x = {}", default.trim_matches('`')).parse().unwrap();
                about.insert("default".to_owned(), serde_json::to_value(&line["x"]).unwrap());
            }
        }
        properties.insert(key.name.to_owned(), value);
    }
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        table["required"] = required.into();
    }
    table
}

fn value(key: &Key, path: &str) -> Option<Value> {
    match key.built {
        Built::Now => Some(kind(key.kind, path)),
        Built::Later(None) => None,
        Built::Later(Some(Harmless::Off)) => Some(json!({ "const": false })),
        Built::Later(Some(Harmless::Text(text))) => Some(json!({ "const": text })),
        Built::Later(Some(Harmless::EmptyList)) => Some(json!({ "type": "array", "maxItems": 0 })),
    }
}

fn kind(kind: Kind, path: &str) -> Value {
    let text = json!({ "type": "string" });
    let secret = json!({ "type": "string", "pattern": "^(env|file|systemd):." });
    let list = |items: Value| json!({ "type": "array", "items": items });
    match kind {
        Kind::Text => match words(path) {
            words if words.is_empty() => text,
            words => json!({ "enum": words }),
        },
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Kind::Size => json!({ "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts => list(text),
        Kind::TextOrTexts => json!({ "anyOf": [text, list(text.clone())] }),
        Kind::Secret => secret,
        Kind::Secrets => json!({ "type": "array", "items": secret, "minItems": 1 }),
        Kind::Table(keys) => table(keys, path),
        Kind::Tables(keys) => list(table(keys, path)),
        Kind::Any => json!(true),
    }
}

/// The words that the reader would take for the key at `path`: what it says when it gets another one.
fn words(path: &str) -> Vec<String> {
    let (header, key) = match path.rsplit_once('.') {
        Some((table @ ("app" | "app.route"), key)) => (format!("[[{table}]]"), key),
        Some((table, key)) => (format!("[{table}]"), key),
        None => return Vec::new(),
    };
    let wrong = format!("{key} = \"zq-no-such-word\"");
    let written = format!("\n{key} = ");
    let text = if !GOOD.contains(&header) {
        format!("{header}\n{wrong}\n{GOOD}")
    } else if let Some(table) = GOOD
        .split(&header)
        .nth(1)
        .filter(|rest| rest.split("\n[").next().unwrap().contains(&written))
    {
        let (before, after) = table.split_once(&written).unwrap();
        let rest = after.split_once('\n').unwrap().1;
        let head = GOOD.split(&header).next().unwrap();
        format!("{head}{header}{before}\n{wrong}\n{rest}")
    } else {
        GOOD.replacen(&header, &format!("{header}\n{wrong}"), 1)
    };
    let problems = World::new().check(&text).problems;
    let fix = problems
        .iter()
        .find(|problem| {
            ["CR-C007", "CR-C034"].contains(&problem.code().as_str()) && problem.path().ends_with(key)
        })
        .and_then(|problem| problem.fix());
    let Some(fix) = fix else { return Vec::new() };
    match fix.strip_prefix("register one of ") {
        Some(names) => names
            .trim_end_matches(" at the provider")
            .split(", ")
            .map(str::to_owned)
            .collect(),
        None => fix
            .split("`\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect(),
    }
}

/// Default and meaning of a key, from its row in the manual.
fn told(path: &str) -> (String, String) {
    let (section, key) = match path.split_once("spa.") {
        Some((_, key)) => ("[[app]]".to_owned(), format!("spa.{key}")),
        None => match path.rsplit_once('.') {
            None => ("The file".to_owned(), path.to_owned()),
            Some((table @ ("app" | "app.route"), key)) => (format!("[[{table}]]"), key.to_owned()),
            Some((table, key)) => (format!("[{table}]"), key.to_owned()),
        },
    };
    let heading = if section == "The file" {
        format!("## {section}\n")
    } else {
        format!("## `{section}`\n")
    };
    let body = MANUAL
        .split(&heading)
        .nth(1)
        .unwrap_or_else(|| panic!("no section {heading}"))
        .split("\n## ")
        .next()
        .unwrap();
    let row = body
        .lines()
        .find_map(|line| line.strip_prefix(&format!("| `{key}` | ")))
        .unwrap_or_else(|| panic!("{path} is not in the manual"));
    let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
    (cells[1].to_owned(), plain(cells[2]))
}

/// Without links.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (kept, label) = before.rsplit_once('[').unwrap_or(("", before));
        // A label may hold brackets itself: `[[app]]`.
        let (kept, label) = match kept.rsplit_once("[`") {
            Some((outer, inner)) if label.ends_with('`') => (outer, format!("`{inner}[{label}")),
            _ => (kept, label.to_owned()),
        };
        out.push_str(kept);
        out.push_str(&label);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}
