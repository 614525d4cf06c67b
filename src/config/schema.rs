//! Which keys exist, of which type, which of them are built, which hold secrets: contract §7 as data.
//!
//! Every table's own file holds its list; [`ROOT`] ties them together. The list decides what is unknown (with the
//! nearest name), what has the wrong type, what is not available yet, what a snippet may show, and how an
//! environment variable is read. A key that is not built yet is refused, never accepted and ignored; only a value
//! that says what happens anyway ([`Harmless`]) passes.

use super::check::Check;
use super::document::{Entry, Node, Value};
use super::problem::{Code, Place};
use super::{admin, app, keys, later, server, store};

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) built: Built,
}

/// The type of a key.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// `"30m"`
    Duration,
    /// `"7KiB"`
    Size,
    Flag,
    /// An array of strings.
    Texts,
    /// A string, or an array of strings.
    TextOrTexts,
    /// A reference to a secret.
    Secret,
    /// An array of references to secrets.
    Secrets,
    /// A table.
    Table(&'static [Key]),
    /// An array of tables, written `[[…]]`.
    Tables(&'static [Key]),
    /// Of a type that only the version that builds it will know.
    Any,
}

/// Whether a key is built.
#[derive(Clone, Copy)]
pub(super) enum Built {
    Now,
    /// Refused, unless its value is the one that says what happens anyway.
    Later(Option<Harmless>),
}

/// The value of a key not yet built that changes nothing: its documented default.
#[derive(Clone, Copy)]
pub(super) enum Harmless {
    Off,
    Text(&'static str),
    EmptyList,
}

/// The top of the file.
pub(super) const ROOT: &[Key] = &[
    Key::table("server", server::KEYS),
    Key::table("admin", admin::KEYS),
    Key::table("keys", keys::KEYS),
    Key::table("store", store::KEYS),
    Key::tables("app", app::KEYS),
    Key::later("log"),
    Key::later("audit"),
];

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            built: Built::Now,
        }
    }

    pub(super) const fn table(name: &'static str, keys: &'static [Self]) -> Self {
        Self::new(name, Kind::Table(keys))
    }

    pub(super) const fn tables(name: &'static str, keys: &'static [Self]) -> Self {
        Self::new(name, Kind::Tables(keys))
    }

    /// Not built yet, refused whatever its value.
    pub(super) const fn later(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Any,
            built: Built::Later(None),
        }
    }

    /// Not built yet; `harmless` passes.
    pub(super) const fn later_but(name: &'static str, harmless: Harmless) -> Self {
        Self {
            name,
            kind: match harmless {
                Harmless::Off => Kind::Flag,
                Harmless::Text(_) => Kind::Text,
                Harmless::EmptyList => Kind::Texts,
            },
            built: Built::Later(Some(harmless)),
        }
    }
}

impl Kind {
    /// What an operator has to write.
    const fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Duration => "a duration in quotes, as `\"30s\"`, `\"15m\"` or `\"12h\"`",
            Self::Size => "a size in quotes, as `\"512B\"`, `\"7KiB\"` or `\"10MiB\"`",
            Self::Flag => "`true` or `false`",
            Self::Texts => "an array of strings",
            Self::TextOrTexts => "a string or an array of strings",
            Self::Secret => "a reference to a secret: `\"env:NAME\"`, `\"file:path\"` or `\"systemd:NAME\"`",
            Self::Secrets => "an array of references to secrets, as `[\"file:keys/cookie.key\"]`",
            Self::Table(_) => "a table",
            Self::Tables(_) => "an array of tables",
            Self::Any => "something else",
        }
    }

    fn fits(self, node: &Node) -> bool {
        match (self, &node.value) {
            (Self::Text | Self::Duration | Self::Size | Self::Secret | Self::TextOrTexts, Value::Text(_))
            | (Self::Flag, Value::Flag(_))
            | (Self::Table(_), Value::Table(_))
            | (Self::Any, _) => true,
            (Self::Texts | Self::Secrets | Self::TextOrTexts, Value::List(nodes)) => {
                nodes.iter().all(|node| matches!(node.value, Value::Text(_)))
            }
            (Self::Tables(_), Value::List(nodes)) => {
                nodes.iter().all(|node| matches!(node.value, Value::Table(_)))
            }
            _ => false,
        }
    }
}

/// Reports unknown keys, wrong types and what is not available, through the whole tree.
pub(super) fn inspect(entries: &[Entry], keys: &'static [Key], path: &str, check: &mut Check<'_>) {
    for entry in entries {
        let path = join(path, &entry.key);
        let Some(key) = keys.iter().find(|key| key.name == entry.key) else {
            unknown(entry, keys, &path, check);
            continue;
        };
        if let Built::Later(harmless) = key.built {
            if !harmless.is_some_and(|harmless| harmless.is(&entry.node)) {
                refuse_later(entry, harmless, &path, check);
            }
            continue;
        }
        if !key.kind.fits(&entry.node) {
            wrong_type(entry, key, &path, check);
        }
        match (key.kind, &entry.node.value) {
            (Kind::Table(keys), Value::Table(entries)) => inspect(entries, keys, &path, check),
            (Kind::Tables(keys), Value::List(nodes)) => {
                for (index, node) in nodes.iter().enumerate() {
                    if let Value::Table(entries) = &node.value {
                        inspect(entries, keys, &format!("{path}[{index}]"), check);
                    }
                }
            }
            _ => {}
        }
    }
}

/// `path` and `key` as one path.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The name among `known` that `name` was probably meant to be.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

impl Harmless {
    fn is(self, node: &Node) -> bool {
        match (self, &node.value) {
            (Self::Off, Value::Flag(false)) => true,
            (Self::Text(text), Value::Text(written)) => text == written,
            (Self::EmptyList, Value::List(nodes)) => nodes.is_empty(),
            _ => false,
        }
    }
}

fn unknown(entry: &Entry, keys: &'static [Key], path: &str, check: &mut Check<'_>) {
    // A key in the wrong table is as frequent as a misspelt one, and surer.
    let elsewhere = homes(&entry.key, ROOT, "");
    let near = nearest(&entry.key, keys.iter().map(|key| key.name)).filter(|_| elsewhere.is_empty());
    if let Some(name) = near {
        let table = path.strip_suffix(entry.key.as_str()).unwrap_or_default();
        check.misspelt.push(format!("{table}{name}"));
    }
    let fix = match (near, elsewhere.as_slice()) {
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, [home, ..])
            if home
                .trim_matches(['[', ']'])
                .ends_with(&format!(".{}", entry.key)) =>
        {
            format!("write this table as `{home}`")
        }
        (None, [home, ..]) => format!("`{}` belongs to `{home}`", entry.key),
        (None, []) => {
            let mut names: Vec<_> = keys
                .iter()
                .filter(|key| matches!(key.built, Built::Now))
                .map(|key| key.name)
                .collect();
            names.sort_unstable();
            format!("remove it; keys of this table: {}", names.join(", "))
        }
    };
    check
        .error(Code::UNKNOWN_KEY, path, &entry.key_place, "unknown key")
        .with_fix(fix);
}

/// The tables that have a key of this name, as their headers are written; a table's own header where `name` is one.
pub(super) fn homes(name: &str, keys: &'static [Key], path: &str) -> Vec<String> {
    let header = |path: &str, kind: Kind| match kind {
        Kind::Tables(_) => format!("[[{path}]]"),
        _ => format!("[{path}]"),
    };
    let mut found = Vec::new();
    for key in keys {
        if let Kind::Table(keys) | Kind::Tables(keys) = key.kind {
            let path = join(path, key.name);
            match keys.iter().find(|key| key.name == name).map(|key| key.kind) {
                Some(kind @ (Kind::Table(_) | Kind::Tables(_))) => {
                    found.push(header(&join(&path, name), kind));
                }
                Some(_) => found.push(header(&path, key.kind)),
                None => {}
            }
            found.extend(homes(name, keys, &path));
        }
    }
    found
}

fn refuse_later(entry: &Entry, harmless: Option<Harmless>, path: &str, check: &mut Check<'_>) {
    let fix = match harmless {
        Some(Harmless::Off) => "remove it, or set it to `false`".to_owned(),
        Some(Harmless::Text(text)) => format!("remove it, or set it to `\"{text}\"`"),
        Some(Harmless::EmptyList) => "remove it, or leave it empty: `[]`".to_owned(),
        None => "remove it".to_owned(),
    };
    let fix = match &entry.key_place {
        Place::Variable(_) => fix.replacen("remove it", "unset it", 1),
        _ => fix,
    };
    let purpose = later::purpose(path).map_or_else(String::new, |purpose| format!("it is for {purpose}; "));
    check
        .error(
            Code::NOT_AVAILABLE,
            path,
            &entry.key_place,
            "not available in this version",
        )
        .with_cause(format!(
            "{purpose}what does nothing yet is refused, so that nobody relies on it"
        ))
        .with_fix(fix);
}

fn wrong_type(entry: &Entry, key: &Key, path: &str, check: &mut Check<'_>) {
    // Point at the element where the list itself is right.
    let (node, path) = match (&entry.node.value, key.kind) {
        (Value::List(nodes), Kind::Texts | Kind::TextOrTexts | Kind::Secrets) => nodes
            .iter()
            .enumerate()
            .find(|(_, node)| !matches!(node.value, Value::Text(_)))
            .map_or((&entry.node, path.to_owned()), |(index, node)| {
                (node, format!("{path}[{index}]"))
            }),
        _ => (&entry.node, path.to_owned()),
    };
    let fix = match (key.kind, &node.value) {
        (Kind::Tables(_), Value::Table(_)) => {
            format!(
                "write `[[{}]]` with two pairs of brackets",
                later::without_indices(&path)
            )
        }
        (Kind::Texts | Kind::Secrets, Value::Text(_)) => "put it in brackets: `[\"…\"]`".to_owned(),
        (Kind::Flag, Value::Text(text)) if text == "true" || text == "false" => {
            "write it without quotes".to_owned()
        }
        (Kind::Texts | Kind::TextOrTexts, _) if path.ends_with(']') => "write it in quotes".to_owned(),
        (kind, _) => format!("write {}", kind.wanted()),
    };
    let wanted = match key.kind {
        // One of the list.
        Kind::Texts | Kind::TextOrTexts if path.ends_with(']') => Kind::Text.wanted(),
        Kind::Secrets if path.ends_with(']') => Kind::Secret.wanted(),
        kind => kind.wanted(),
    };
    let message = format!("{} where {wanted} belongs", node.type_name());
    check
        .error(Code::WRONG_TYPE, &path, &node.place, message)
        .with_fix(fix);
}
