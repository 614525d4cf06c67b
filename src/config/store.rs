//! `[store]`: shared state. One process and its memory, in this version.

use super::StoreKind;
use super::check::Check;
use super::schema::{Key, Kind};
use super::table::Table;

pub(super) const KEYS: &[Key] = &[
    Key::new("kind", Kind::Text),
    Key::later("file"),
    Key::later("url"),
    Key::later("insecure"),
    Key::later("prefix"),
    Key::later("grace"),
];

/// Reads `[store]`, which may be absent.
pub(super) fn read(root: &Table<'_>, check: &mut Check<'_>) -> Option<StoreKind> {
    root.table_or_empty("store")
        .or("kind", StoreKind::Memory, check, |field, check| {
            field.choice(check, &[("memory", StoreKind::Memory)], &["redis", "none"])
        })
}
