//! `config.schema.json` takes what we ship and show, and refuses what the reader refuses.
//!
//! The validator below knows the words that the schema uses, and fails on any other: so it never passes what it did not
//! understand.

use serde_json::Value;

use super::source::{markdown, read};

#[test]
fn the_schema_takes_what_we_ship() {
    for path in ["config.toml", "src/cli/init/starter.toml"] {
        let text = read(path);
        assert_eq!(
            text.lines().next(),
            Some("#:schema ./config.schema.json"),
            "{path}: editors look at line 1"
        );
        assert_eq!(faults(&text, true), Vec::<String>::new(), "{path}");
        // And with what is commented out.
        let all = text
            .lines()
            .skip_while(|line| !line.starts_with('['))
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = "))
                    .unwrap_or(line)
            })
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(faults(&all, true), Vec::<String>::new(), "{path}, uncommented");
    }
}

/// Pieces of a configuration: what they leave out stands elsewhere.
#[test]
fn the_schema_takes_what_the_manual_shows() {
    let mut seen = 0;
    for path in markdown() {
        for block in blocks(&read(&path)) {
            // A piece may begin below the app that it belongs to.
            let block = match block.trim_start() {
                rest if rest.starts_with("[app.") || rest.starts_with("[[app.") => format!("[[app]]\n{rest}"),
                rest => rest.to_owned(),
            };
            assert_eq!(faults(&block, false), Vec::<String>::new(), "{path}:\n{block}");
            seen += 1;
        }
    }
    assert!(seen >= 3, "only {seen} blocks were found: the search is wrong");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let right = read("src/cli/init/starter.toml");
    for (from, to) in [
        ("listen =", "lisen ="),
        ("[app.provider]", "[app.providers]"),
        ("\"30m\"", "\"30 minutes\""),
        ("\"30m\"", "1800"),
        ("\"file:keys/client-secret\"", "\"hunter2\""),
        ("[\"file:keys/cookie.key\"]", "\"file:keys/cookie.key\""),
        ("[\"openid\", \"profile\"]", "\"openid profile\""),
        ("path = \"/api\"", "path = \"/api\"\nsession = \"maybe\""),
        (
            "client_id = \"shop\"",
            "client_id = \"shop\"\nclient_auth = \"private_key_jwt\"",
        ),
        ("client_id = \"shop\"", "client_id = \"shop\"\ndpop = true"),
        (
            "client_id = \"shop\"",
            "client_id = \"shop\"\nid_token_alg = \"HS256\"",
        ),
        ("client_id = \"shop\"", ""),
        ("[server]", "[admin]\n[server]"),
    ] {
        assert!(right.contains(from), "{from}");
        let wrong = right.replacen(from, to, 1);
        assert_ne!(faults(&wrong, true), Vec::<String>::new(), "{to}");
    }
}

/// Editors show them.
#[test]
fn every_key_of_the_schema_is_described() {
    fn walk(schema: &Value, path: &str) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            let text = value["description"].as_str().unwrap_or_default();
            assert!(text.len() > 5, "{path} is not described");
            assert!(
                !text.contains("](") && !text.contains("not available"),
                "{path}: {text}"
            );
            walk(value, &path);
            walk(&value["items"], &path);
        }
    }
    walk(&schema(), "");
}

fn schema() -> Value {
    serde_json::from_str(&read("config.schema.json")).unwrap()
}

/// What is wrong with a text; `whole`: also what is missing.
fn faults(text: &str, whole: bool) -> Vec<String> {
    let value: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut found = Vec::new();
    validate(
        &serde_json::to_value(value).unwrap(),
        &schema(),
        "",
        whole,
        &mut found,
    );
    found
}

fn validate(value: &Value, schema: &Value, path: &str, whole: bool, found: &mut Vec<String>) {
    let known = schema.as_object().unwrap();
    let mut wrong = |what: &str| found.push(format!("{path}: {what}"));
    for (word, rule) in known {
        match word.as_str() {
            // The last two are walked below.
            "$schema" | "title" | "description" | "default" | "properties" | "items" => {}
            "type" => {
                let is = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    other => panic!("{path}: what is the type {other}?"),
                };
                if !is {
                    return wrong("another type");
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, &Value::Bool(false));
                for key in value.as_object().into_iter().flat_map(|value| value.keys()) {
                    if schema["properties"].get(key).is_none() {
                        wrong(&format!("unknown key {key}"));
                    }
                }
            }
            "required" => {
                for key in rule.as_array().unwrap() {
                    if whole && value.get(key.as_str().unwrap()).is_none() {
                        wrong(&format!("{key} is missing"));
                    }
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    wrong("none of the words");
                }
            }
            "const" => {
                if rule != value {
                    wrong("not the one value");
                }
            }
            "pattern" => {
                if value
                    .as_str()
                    .is_some_and(|text| !matches(text, rule.as_str().unwrap()))
                {
                    wrong("another form");
                }
            }
            "maxItems" => {
                if value
                    .as_array()
                    .is_some_and(|list| list.len() as u64 > rule.as_u64().unwrap())
                {
                    wrong("too many");
                }
            }
            "minItems" => {
                if value
                    .as_array()
                    .is_some_and(|list| (list.len() as u64) < rule.as_u64().unwrap())
                {
                    wrong("too few");
                }
            }
            "anyOf" => {
                let fits = rule.as_array().unwrap().iter().any(|one| {
                    let mut found = Vec::new();
                    validate(value, one, path, whole, &mut found);
                    found.is_empty()
                });
                if !fits {
                    wrong("none of the forms");
                }
            }
            other => panic!("{path}: what does the word {other} mean?"),
        }
    }
    for (index, one) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = known.get("items") {
            validate(one, items, &format!("{path}[{index}]"), whole, found);
        }
    }
    for (key, one) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(key) {
            validate(one, schema, &format!("{path}.{key}"), whole, found);
        }
    }
}

/// The three patterns of the schema.
fn matches(text: &str, pattern: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = unit.len() < text.len();
    match pattern {
        "^(env|file|systemd):." => text
            .split_once(':')
            .is_some_and(|(scheme, rest)| ["env", "file", "systemd"].contains(&scheme) && !rest.is_empty()),
        "^[0-9]+(ms|s|m|h|d)$" => number && ["ms", "s", "m", "h", "d"].contains(&unit),
        "^[0-9]+(B|KiB|MiB|GiB)$" => number && ["B", "KiB", "MiB", "GiB"].contains(&unit),
        other => panic!("what is the pattern {other}?"),
    }
}

/// The fenced blocks of TOML.
fn blocks(text: &str) -> Vec<String> {
    text.split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}
