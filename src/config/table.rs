//! How a table is read: each key by its reader, every problem reported, nothing stopped by the first.
//!
//! A reader gets a [`Field`] and gives `Some` checked value, or reports and gives `None`. Types were checked before
//! ([`super::schema::inspect`]), so a field of another type is `None` without a word.

use super::check::Check;
use super::document::{Entry, Node, Value};
use super::problem::{Code, Place};
use super::schema::join;

/// A table of the configuration and its path.
#[derive(Clone)]
pub(super) struct Table<'a> {
    entries: &'a [Entry],
    place: &'a Place,
    pub(super) path: String,
}

/// One value and its path.
#[derive(Clone)]
pub(super) struct Field<'a> {
    node: &'a Node,
    pub(super) path: String,
}

impl<'a> Table<'a> {
    /// The top of the file; `None` if it is not a table (it always is).
    pub(super) fn root(node: &'a Node) -> Option<Self> {
        Self::of(node, String::new())
    }

    fn of(node: &'a Node, path: String) -> Option<Self> {
        match &node.value {
            Value::Table(entries) => Some(Self {
                entries,
                place: &node.place,
                path,
            }),
            _ => None,
        }
    }

    /// Where the table begins.
    pub(super) const fn place(&self) -> &'a Place {
        self.place
    }

    /// Its keys.
    pub(super) const fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// The value of `key`, if it is written.
    pub(super) fn field(&self, key: &str) -> Option<Field<'a>> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| Field {
                node: &entry.node,
                path: join(&self.path, key),
            })
    }

    /// The table `key`; an empty one where it is not written.
    pub(super) fn table_or_empty(&self, key: &str) -> Self {
        self.table(key).unwrap_or_else(|| Self {
            entries: &[],
            place: self.place,
            path: join(&self.path, key),
        })
    }

    /// The table `key`, if it is written and a table.
    pub(super) fn table(&self, key: &str) -> Option<Self> {
        self.field(key)
            .and_then(|field| Self::of(field.node, field.path.clone()))
    }

    /// The tables `[[key]]`.
    pub(super) fn tables(&self, key: &str) -> Vec<Self> {
        self.field(key)
            .map(|field| field.elements())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|element| Self::of(element.node, element.path))
            .collect()
    }

    /// Reads `key`; without it, reports that it is missing and what it could be.
    pub(super) fn required<T>(
        &self,
        key: &str,
        example: &str,
        check: &mut Check<'_>,
        read: impl FnOnce(&Field<'a>, &mut Check<'_>) -> Option<T>,
    ) -> Option<T> {
        if let Some(field) = self.field(key) {
            return read(&field, check);
        }
        self.missing(key, example, check);
        None
    }

    /// Reports that `key` is missing.
    pub(super) fn missing(&self, key: &str, example: &str, check: &mut Check<'_>) {
        let path = join(&self.path, key);
        if check.misspelt.contains(&path) {
            return;
        }
        check
            .error(
                Code::MISSING_KEY,
                &path,
                self.place,
                format!("missing key `{key}`"),
            )
            .with_fix(format!("add, for example: {example}"));
    }

    /// Reads `key`; `default` without it.
    pub(super) fn or<T>(
        &self,
        key: &str,
        default: T,
        check: &mut Check<'_>,
        read: impl FnOnce(&Field<'a>, &mut Check<'_>) -> Option<T>,
    ) -> Option<T> {
        self.field(key).map_or(Some(default), |field| read(&field, check))
    }

    /// Reads `key`, which may be absent.
    #[expect(
        clippy::option_option,
        reason = "outside: whether it is right; inside: whether it is there"
    )]
    pub(super) fn optional<T>(
        &self,
        key: &str,
        check: &mut Check<'_>,
        read: impl FnOnce(&Field<'a>, &mut Check<'_>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.field(key) {
            Some(field) => read(&field, check).map(Some),
            None => Some(None),
        }
    }

    /// Reads the flag `key`.
    pub(super) fn flag(&self, key: &str, default: bool) -> Option<bool> {
        self.field(key).map_or(Some(default), |field| field.flag())
    }

    /// Reads every element of the array `key`; an absent one is empty. `None` when one of them is wrong.
    pub(super) fn each<T>(
        &self,
        key: &str,
        check: &mut Check<'_>,
        mut read: impl FnMut(&Field<'a>, &mut Check<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(field) = self.field(key) else {
            return Some(Vec::new());
        };
        if !field.is_list() {
            return None;
        }
        let read: Vec<Option<T>> = field
            .elements()
            .iter()
            .map(|element| read(element, check))
            .collect();
        read.into_iter().collect()
    }
}

impl<'a> Field<'a> {
    pub(super) const fn place(&self) -> &'a Place {
        &self.node.place
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub(super) const fn flag(&self) -> Option<bool> {
        match self.node.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    pub(super) const fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// The elements of an array; none of anything else.
    pub(super) fn elements(&self) -> Vec<Self> {
        let Value::List(nodes) = &self.node.value else {
            return Vec::new();
        };
        nodes
            .iter()
            .enumerate()
            .map(|(index, node)| Self {
                node,
                path: format!("{}[{index}]", self.path),
            })
            .collect()
    }

    /// One of a closed list of words; `later` are those that exist but are not built yet.
    pub(super) fn choice<T: Copy>(
        &self,
        check: &mut Check<'_>,
        options: &[(&str, T)],
        later: &[&str],
    ) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = options.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names = options
            .iter()
            .map(|(name, _)| format!("`\"{name}\"`"))
            .collect::<Vec<_>>()
            .join(", ");
        if later.contains(&text) {
            check
                .wrong(
                    Code::NOT_AVAILABLE,
                    self,
                    format!("`\"{text}\"` is not available in this version"),
                )
                .with_fix(format!("use {names}"));
            return None;
        }
        let near = super::schema::nearest(text, options.iter().map(|(name, _)| *name));
        let fix = near.map_or_else(
            || format!("use {names}"),
            |near| format!("did you mean `\"{near}\"`? possible are {names}"),
        );
        check
            .wrong(
                Code::UNKNOWN_VALUE,
                self,
                format!("{} is none of the possible values", quoted(text)),
            )
            .with_fix(fix);
        None
    }
}

/// `text` of a key that holds no secret, fit for a line: in backticks, shortened, without control characters. What
/// looks like a URL with a password or a query is not shown.
pub(super) fn quoted(text: &str) -> String {
    if may_hold_a_secret(text) {
        return "`***`".to_owned();
    }
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Whether `text` may be a URL that carries a user name, a password, or an API key in its query.
pub(super) fn may_hold_a_secret(text: &str) -> bool {
    // The URL parser needs no slashes to find a password: `https:user:pass@host` has one.
    text.contains(':') && (text.contains('@') || text.contains('?'))
}

const SHOWN: usize = 80;
