//! Environment overrides: `CLOAKROOM__SECTION__KEY`, an app by its id (contract §7).
//!
//! 1. A name is split at `__` and read in lower case; after `APP` comes the app's id with `-` as `_`.
//! 2. A value is read as its key's type: strings, durations, sizes and secret references as they stand, booleans as
//!    `true` or `false`, arrays and tables as TOML.
//! 3. It replaces what the file says and is then judged as if it stood there. Secrets stay references.
//! 4. Routes cannot be overridden; a name that leads to no key is an error, so that a typo never goes unnoticed.
//!
//! No value is repeated in a problem that is reported here: it may be a secret in the wrong variable.

use std::sync::Arc;

use super::check::Check;
use super::document::{self, Entry, Node, Value};
use super::problem::{Code, Place};
use super::schema::{self, Key, Kind, ROOT, nearest};

/// Puts every override into the tree.
pub(super) fn apply(root: &mut Node, check: &mut Check<'_>) {
    let variables = check.variables;
    for (name, value) in variables.with_prefix(PREFIX) {
        let place = Place::Variable(name.into());
        let Some(value) = value else {
            check
                .error(Code::OVERRIDE_VALUE, "", &place, "the value is not UTF-8")
                .with_fix("set it anew, or unset it");
            continue;
        };
        let segments: Vec<String> = name
            .get(PREFIX.len()..)
            .unwrap_or_default()
            .split("__")
            .map(str::to_ascii_lowercase)
            .collect();
        let mut walk = Walk {
            name: name.into(),
            value,
            place,
            check,
        };
        walk.table(root, ROOT, &segments, "");
    }
}

/// One variable on its way down the tree.
struct Walk<'w, 'c> {
    name: Arc<str>,
    value: &'w str,
    place: Place,
    check: &'w mut Check<'c>,
}

impl Walk<'_, '_> {
    fn table(&mut self, node: &mut Node, keys: &'static [Key], segments: &[String], path: &str) {
        let Some((segment, rest)) = segments.split_first() else {
            return self.unknown(path, None);
        };
        let Some(key) = keys.iter().find(|key| key.name == segment) else {
            return self.unknown(path, self.meant(segment, keys));
        };
        let path = schema::join(path, key.name);
        match key.kind {
            Kind::Tables(keys) if key.name == "app" => self.app(node, keys, rest, &path),
            Kind::Tables(_) => self.refuse(&path, "routes cannot be overridden", "change them in the file"),
            Kind::Table(keys) if !rest.is_empty() => {
                if let Some(entry) = self.entry(node, key.name) {
                    // A table that the file writes as something else is reported as such.
                    self.table(&mut entry.node, keys, rest, &path);
                }
            }
            _ if !rest.is_empty() && !matches!(key.kind, Kind::Any) => self.unknown(&path, None),
            kind => self.set(node, key.name, kind, &path),
        }
    }

    fn app(&mut self, root: &mut Node, keys: &'static [Key], segments: &[String], path: &str) {
        let Some((id, rest)) = segments.split_first().filter(|(_, rest)| !rest.is_empty()) else {
            return self.refuse(
                path,
                "an override of an app names the app and a key",
                "name it as CLOAKROOM__APP__SHOP__ORIGIN",
            );
        };
        let apps = self.entry(root, "app").map(|entry| &mut entry.node.value);
        let mut ids = Vec::new();
        if let Some(Value::List(apps)) = apps {
            for (index, app) in apps.iter_mut().enumerate() {
                match id_of(app) {
                    Some(found) if found == *id => {
                        return self.table(app, keys, rest, &format!("{path}[{index}]"));
                    }
                    Some(found) => ids.push(found),
                    None => {}
                }
            }
        }
        let near = nearest(id, ids.iter().map(String::as_str));
        let fix = match near {
            Some(near) => {
                let meant = self.name.replacen(&id.to_uppercase(), &near.to_uppercase(), 1);
                format!("did you mean `{meant}`?")
            }
            None => format!("apps of this configuration: {}", ids.join(", ").to_uppercase()),
        };
        self.refuse(path, "no app has this id", &fix);
    }

    /// The entry `key` of a table, made if it is not there; `None` if `node` is no table.
    fn entry<'n>(&self, node: &'n mut Node, key: &str) -> Option<&'n mut Entry> {
        let Value::Table(entries) = &mut node.value else {
            return None;
        };
        let index = entries.iter().position(|entry| entry.key == key);
        let index = index.unwrap_or_else(|| {
            entries.push(Entry {
                key: key.to_owned(),
                key_place: self.place.clone(),
                node: Node {
                    // An app is never made: its id would stand nowhere.
                    value: if key == "app" {
                        Value::List(Vec::new())
                    } else {
                        Value::Table(Vec::new())
                    },
                    place: self.place.clone(),
                },
            });
            entries.len() - 1
        });
        entries.get_mut(index)
    }

    fn set(&mut self, table: &mut Node, key: &str, kind: Kind, path: &str) {
        let value = match kind {
            Kind::Flag => match self.value {
                "true" => Value::Flag(true),
                "false" => Value::Flag(false),
                _ => return self.wrong_value(path, "write `true` or `false`"),
            },
            Kind::Text | Kind::Duration | Kind::Size | Kind::Secret | Kind::Any => {
                Value::Text(self.value.to_owned())
            }
            Kind::TextOrTexts if !self.value.trim_start().starts_with('[') => {
                Value::Text(self.value.to_owned())
            }
            Kind::Texts | Kind::TextOrTexts | Kind::Secrets | Kind::Table(_) | Kind::Tables(_) => {
                match document::parse_value(self.value, &self.place) {
                    Ok(node) => node.value,
                    Err(_) if matches!(kind, Kind::Table(_)) => {
                        return self.wrong_value(path, "write it as a TOML table: `{ key = \"value\" }`");
                    }
                    Err(_) => {
                        return self.wrong_value(path, "write it as a TOML array: `[\"one\", \"two\"]`");
                    }
                }
            }
        };
        let place = self.place.clone();
        if let Some(entry) = self.entry(table, key) {
            entry.key_place = place.clone();
            entry.node = Node { value, place };
        }
    }

    fn wrong_value(&mut self, path: &str, fix: &str) {
        self.check
            .error(
                Code::OVERRIDE_VALUE,
                path,
                &self.place,
                "the value does not read as its key's type",
            )
            .with_fix(fix);
    }

    /// What a name that leads nowhere probably was meant to be, said as a fix.
    fn meant(&self, segment: &str, keys: &'static [Key]) -> Option<String> {
        let instead = |name: &str| {
            let (from, to) = (segment.to_uppercase(), name.to_uppercase());
            let meant = self.name.replacen(&format!("__{from}"), &format!("__{to}"), 1);
            format!("did you mean `{meant}`?")
        };
        // One underscore where two belong: `CLOAKROOM__SERVER_LISTEN`.
        let split = keys.iter().find_map(|key| match key.kind {
            Kind::Table(_) | Kind::Tables(_) => {
                let rest = segment.strip_prefix(key.name)?.strip_prefix('_')?;
                Some(format!("{}__{rest}", key.name))
            }
            _ => None,
        });
        let home = || {
            let home = schema::homes(segment, ROOT, "").into_iter().next()?;
            Some(format!("`{segment}` belongs to `{home}`"))
        };
        split
            .map(|name| instead(&name))
            .or_else(home)
            .or_else(|| nearest(segment, keys.iter().map(|key| key.name)).map(instead))
    }

    fn unknown(&mut self, path: &str, meant: Option<String>) {
        let fix =
            meant.unwrap_or_else(|| "unset it, or correct its name: CLOAKROOM__SECTION__KEY".to_owned());
        self.refuse(path, "this variable names no key of the configuration", &fix);
    }

    fn refuse(&mut self, path: &str, message: &str, fix: &str) {
        self.check
            .error(Code::OVERRIDE_NAME, path, &self.place, message)
            .with_fix(fix);
    }
}

/// The id of an app as a variable names it.
fn id_of(app: &Node) -> Option<String> {
    let Value::Table(entries) = &app.value else {
        return None;
    };
    entries
        .iter()
        .find(|entry| entry.key == "id")
        .and_then(|entry| match &entry.node.value {
            Value::Text(id) => Some(id.replace('-', "_").to_ascii_lowercase()),
            _ => None,
        })
}

const PREFIX: &str = "CLOAKROOM__";
