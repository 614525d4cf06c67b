//! One table on its way into view: each key gets its value, its origin and, where it is a secret, its reference.

use std::sync::Arc;
use std::time::Duration;

use toml::Value;

use super::super::duration;
use super::super::problem::Place;
use super::super::table::{Field, Table};
use super::{Row, Source};

/// The rows of one table in the making.
pub(super) struct Rows<'a, 't> {
    text: &'t str,
    pub(super) table: Table<'a>,
    pub(super) done: Vec<Row>,
}

impl<'a, 't> Rows<'a, 't> {
    pub(super) const fn new(text: &'t str, table: Table<'a>) -> Self {
        Self {
            text,
            table,
            done: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.push(key, Some(value.into()), Vec::new());
    }

    pub(super) fn unset(&mut self, key: &'static str) {
        self.push(key, None, Vec::new());
    }

    pub(super) fn maybe(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        self.push(key, value.map(Into::into), Vec::new());
    }

    pub(super) fn time(&mut self, key: &'static str, time: Duration) {
        self.set(key, duration::write(time));
    }

    pub(super) fn as_written(&mut self, key: &'static str) {
        let text = self.table.field(key).and_then(|field| field.text());
        self.maybe(key, text);
    }

    pub(super) fn secret(&mut self, key: &'static str) {
        let reference = self.table.field(key).and_then(|field| reference(&field));
        self.push(key, Some(HIDDEN.into()), reference.into_iter().collect());
    }

    pub(super) fn secrets(&mut self, key: &'static str, count: usize) {
        let elements = self.table.field(key).map(|field| field.elements());
        let references = elements.iter().flatten().filter_map(reference).collect();
        self.push(key, Some(texts(&vec![HIDDEN; count])), references);
    }

    fn push(&mut self, key: &'static str, value: Option<Value>, references: Vec<String>) {
        let source = self
            .table
            .field(key)
            .map_or(Source::Default, |field| self.source(&field));
        self.done.push(Row {
            key,
            value,
            source,
            references,
        });
    }

    fn source(&self, field: &Field<'a>) -> Source {
        match field.place() {
            Place::File(range) => {
                let before = self.text.get(..range.start).unwrap_or_default();
                Source::File(before.matches('\n').count() + 1)
            }
            Place::Variable(name) => Source::Variable(Arc::clone(name)),
            Place::Whole => Source::Default,
        }
    }
}

fn reference(field: &Field<'_>) -> Option<String> {
    field.text().map(str::to_owned)
}

pub(super) fn texts<T: ToString>(list: &[T]) -> Value {
    Value::Array(list.iter().map(|one| Value::String(one.to_string())).collect())
}

const HIDDEN: &str = "***";
