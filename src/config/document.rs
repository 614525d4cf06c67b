//! The text as a tree: TOML's document model with the place of every key and value, owned, so that values from the
//! environment can stand in it beside those of the file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Place;

/// A value and where it stands.
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// A value. No `Debug`: it may be a secret that should not be there.
pub(super) enum Value {
    Text(String),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A type that no key has, by the name an operator knows it by.
    Other(&'static str),
}

/// One key of a table.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) node: Node,
}

/// Why the text is not TOML.
pub(super) struct SyntaxError {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Reads as much of `text` as can be read; every fault of the syntax is listed.
pub(super) fn parse(text: &str) -> (Node, Vec<SyntaxError>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let root = Node {
        value: table_value(table.into_inner()),
        // What is missing at the top is missing from the first line on.
        place: Place::File(0..0),
    };
    let errors = errors
        .into_iter()
        .map(|error| SyntaxError {
            place: error.span().map_or(Place::Whole, Place::File),
            message: error.message().to_owned(),
        })
        .collect();
    (root, errors)
}

/// One TOML value, as an environment variable carries it. The error is TOML's own words, without the text.
pub(super) fn parse_value(text: &str, place: &Place) -> Result<Node, String> {
    match DeValue::parse(text) {
        Ok(value) => {
            let mut node = node(value);
            node.move_to(place);
            Ok(node)
        }
        Err(error) => Err(error.message().to_owned()),
    }
}

impl Node {
    /// What an operator calls this type.
    pub(super) const fn type_name(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Flag(_) => "a boolean",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
            Value::Other(name) => name,
        }
    }

    fn move_to(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(nodes) => nodes.iter_mut().for_each(|node| node.move_to(place)),
            Value::Table(entries) => {
                for entry in entries {
                    entry.key_place = place.clone();
                    entry.node.move_to(place);
                }
            }
            Value::Text(_) | Value::Flag(_) | Value::Other(_) => {}
        }
    }
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let place = Place::File(value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Array(values) => Value::List(values.into_iter().map(node).collect()),
        DeValue::Table(table) => table_value(table),
        DeValue::Integer(_) => Value::Other("an integer"),
        DeValue::Float(_) => Value::Other("a float"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
    };
    Node { value, place }
}

fn table_value(table: DeTable<'_>) -> Value {
    Value::Table(
        table
            .into_iter()
            .map(|(key, value)| Entry {
                key_place: Place::File(key.span()),
                key: key.into_inner().into_owned(),
                node: node(value),
            })
            .collect(),
    )
}
