//! `config.schema.json` tells editors what `config.toml` may hold; line 1 of the shipped file names it.

use serde_json::{Map, Value, json};

use super::super::schema::{Built, Harmless, Key, Kind, ROOT};

const SHIPPED: &str = include_str!("../../../config.toml");
const FOR_EDITORS: &str = include_str!("../../../config.schema.json");

#[test]
fn line_one_names_the_schema() {
    assert_eq!(SHIPPED.lines().next(), Some("#:schema ./config.schema.json"));
}

/// The file follows the tables that the reader goes by; when it does not, the message holds what belongs there.
#[test]
fn the_schema_for_editors_says_what_the_reader_knows() {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Cloakroom configuration",
        "required": ["keys", "app"],
    });
    schema
        .as_object_mut()
        .unwrap()
        .extend(table(ROOT).as_object().unwrap().clone());
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    assert!(
        FOR_EDITORS == text,
        "config.schema.json is not up to date; it should be:\n{text}"
    );
}

/// Keys that are refused whatever they say are left out: to an editor they are as wrong as to the reader.
fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .filter_map(|key| Some((key.name.to_owned(), value(key)?)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn value(key: &Key) -> Option<Value> {
    match key.built {
        Built::Now => Some(kind(key.kind)),
        Built::Later(None) => None,
        Built::Later(Some(Harmless::Off)) => Some(json!({ "const": false })),
        Built::Later(Some(Harmless::Text(text))) => Some(json!({ "const": text })),
        Built::Later(Some(Harmless::EmptyList)) => Some(json!({ "type": "array", "maxItems": 0 })),
    }
}

fn kind(kind: Kind) -> Value {
    let text = json!({ "type": "string" });
    let secret = json!({ "type": "string", "pattern": "^(env|file|systemd):." });
    let list = |items: Value| json!({ "type": "array", "items": items });
    match kind {
        Kind::Text => text,
        Kind::Duration => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Kind::Size => json!({ "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts => list(text),
        Kind::TextOrTexts => json!({ "anyOf": [text, list(text.clone())] }),
        Kind::Secret => secret,
        Kind::Secrets => list(secret),
        Kind::Table(keys) => table(keys),
        Kind::Tables(keys) => list(table(keys)),
        Kind::Any => json!(true),
    }
}
