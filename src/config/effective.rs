//! The configuration as it holds in the end, with the origin of each value: what `config show` prints.
//!
//! 1. Values come from the checked [`Config`], by the list in `entries`, so that what is shown is what `serve` runs with;
//!    where each comes from, the tree says.
//! 2. A secret is `***`; beside it stands the reference, which is none.
//! 3. The text is a configuration again: with references in place of the stars it reads back as the same.

use std::fmt::Write as _;
use std::sync::Arc;

use toml::Value;

use super::Config;
use super::entries::{self, Entries};
use super::table::Table;

mod rows;

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Effective {
    file_name: Arc<str>,
    tables: Vec<Shown>,
}

/// One table: its header as TOML writes it, its path as problems write it.
#[derive(Debug, Clone)]
struct Shown {
    header: &'static str,
    path: String,
    rows: Vec<Row>,
}

#[derive(Debug, Clone)]
struct Row {
    key: &'static str,
    /// `None` where nothing is set and nothing stands in for it.
    value: Option<Value>,
    source: Source,
    /// Where its secrets are.
    references: Vec<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Default,
    /// Line of the file, from 1.
    File(usize),
    /// An environment variable, by name.
    Variable(Arc<str>),
}

impl Effective {
    /// As TOML, each line with its origin in a comment.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# What {} comes to: values, and where each is from. Secrets stay hidden.\n",
            self.file_name
        );
        for table in &self.tables {
            // Writing to a string does not fail.
            let _ = writeln!(text, "\n{}", table.header);
            for row in &table.rows {
                let line = match &row.value {
                    Some(value) => format!("{} = {value}", row.key),
                    None => format!("# {}", row.key),
                };
                let _ = writeln!(text, "{line:<WIDTH$} # {}", row.origin(&self.file_name));
            }
        }
        text
    }

    /// Where the secrets of this key are.
    pub(crate) fn references(&self, key: &str) -> &[String] {
        let rows = self.tables.iter().flat_map(|table| {
            let path = |row: &Row| super::schema::join(&table.path, row.key);
            table.rows.iter().map(move |row| (path(row), row))
        });
        rows.filter(|(path, _)| path == key)
            .map(|(_, row)| &*row.references)
            .next()
            .unwrap_or_default()
    }

    /// As JSON: one object per key.
    pub fn to_json(&self) -> serde_json::Value {
        let row = |table: &Shown, row: &Row| {
            let mut object = serde_json::json!({
                "key": super::schema::join(&table.path, row.key),
                "value": row.value,
                "source": match &row.source {
                    Source::Default => "default",
                    Source::File(_) => "file",
                    Source::Variable(_) => "environment",
                },
            });
            let mut add = |name: &str, value: serde_json::Value| {
                if let Some(object) = object.as_object_mut() {
                    object.insert(name.to_owned(), value);
                }
            };
            match &row.source {
                Source::Default => {}
                Source::File(line) => {
                    add("file", (*self.file_name).into());
                    add("line", (*line).into());
                }
                Source::Variable(name) => add("variable", (**name).into()),
            }
            if !row.references.is_empty() {
                add("references", row.references.clone().into());
            }
            object
        };
        self.tables
            .iter()
            .flat_map(|table| table.rows.iter().map(move |one| row(table, one)))
            .collect()
    }
}

impl Row {
    fn origin(&self, file_name: &str) -> String {
        let source = match (&self.source, &self.value) {
            (Source::Default, None) => "not set".to_owned(),
            (Source::Default, Some(_)) => "default".to_owned(),
            (Source::File(line), _) => format!("{file_name}:{line}"),
            (Source::Variable(name), _) => name.to_string(),
        };
        [source]
            .into_iter()
            .chain(self.references.iter().cloned())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Looks at a configuration and the tree it was read from.
pub(super) fn of(config: &Config, root: &Table<'_>, text: &str, file_name: &str) -> Effective {
    let Config {
        server,
        admin,
        keys,
        store,
        apps,
    } = config;
    let mut tables = Vec::new();
    let mut show = |header, table: Table<'_>, entries: Entries| {
        let rows = entries
            .into_iter()
            .map(|(key, entry)| rows::row(text, &table, key, entry))
            .collect();
        tables.push(Shown {
            header,
            path: table.path,
            rows,
        });
    };
    let top = |name| root.table_or_empty(name);
    show("[server]", top("server"), entries::of_server(server));
    if admin.is_some() {
        show("[admin]", top("admin"), entries::of_admin(admin.as_ref()));
    }
    show("[keys]", top("keys"), entries::of_keys(keys));
    show("[store]", top("store"), entries::of_store(store));
    for (app, table) in apps.iter().zip(root.tables("app")) {
        let below = |name| table.table_or_empty(name);
        show("[[app]]", table.clone(), entries::of_app(app));
        let provider = entries::of_provider(&app.provider);
        show("[app.provider]", below("provider"), provider);
        show(
            "[app.session]",
            below("session"),
            entries::of_session(&app.session),
        );
        for (route, table) in app.routes.iter().zip(table.tables("route")) {
            show("[[app.route]]", table, entries::of_route(route));
        }
    }
    Effective {
        file_name: file_name.into(),
        tables,
    }
}

/// Where the origins begin, unless the value is longer.
const WIDTH: usize = 44;
