//! One key on its way into view: its value, its origin and, where it is a secret, its reference.

use std::sync::Arc;

use toml::Value;

use super::super::entries::Entry;
use super::super::problem::Place;
use super::super::table::{Field, Table};
use super::{Row, Source};

/// The row of `key`, whose value is `entry`; `table` is where it may be written in `text`.
pub(super) fn row(text: &str, table: &Table<'_>, key: &'static str, entry: Entry) -> Row {
    let field = table.field(key);
    let field = field.as_ref();
    let (value, references) = match entry {
        Entry::Unset => (None, Vec::new()),
        Entry::Plain(value) => (Some(value), Vec::new()),
        Entry::Secret(_) => (
            Some(HIDDEN.into()),
            field.and_then(reference).into_iter().collect(),
        ),
        Entry::Url(url) => (
            Some(url.shown().into()),
            field.and_then(reference).into_iter().collect(),
        ),
        Entry::Keys(ring) => {
            let elements = field.map(Field::elements).unwrap_or_default();
            let hidden = vec![Value::from(HIDDEN); ring.len()];
            (
                Some(Value::Array(hidden)),
                elements.iter().filter_map(reference).collect(),
            )
        }
        // Its bytes are kept, its name is not: that stands in the file.
        Entry::File(_) => (field.and_then(reference).map(Value::String), Vec::new()),
        Entry::Written => (Some(table.flag(key, false).unwrap_or(false).into()), Vec::new()),
    };
    Row {
        key,
        value,
        source: field.map_or(Source::Default, |field| source(text, field)),
        references,
    }
}

fn source(text: &str, field: &Field<'_>) -> Source {
    match field.place() {
        Place::File(range) => {
            let before = text.get(..range.start).unwrap_or_default();
            Source::File(before.matches('\n').count() + 1)
        }
        Place::Variable(name) => Source::Variable(Arc::clone(name)),
        Place::Whole => Source::Default,
    }
}

fn reference(field: &Field<'_>) -> Option<String> {
    field.text().map(str::to_owned)
}

const HIDDEN: &str = "***";
