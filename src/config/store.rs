//! `[store]`: shared state. The memory of one process, with or without a file behind it, or none that is shared.

use std::path::PathBuf;

use super::StoreKind;
use super::check::Check;
use super::problem::Code;
use super::schema::{Key, Kind};
use super::secret::beside;
use super::table::{Field, Table};

pub(super) const KEYS: &[Key] = &[
    Key::new("kind", Kind::Text),
    Key::new("file", Kind::Text),
    Key::later("url"),
    Key::later("insecure"),
    Key::later("prefix"),
    Key::later("grace"),
];

/// The words of `kind`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Memory,
    None,
}

/// Reads `[store]`, which may be absent.
pub(super) fn read(root: &Table<'_>, check: &mut Check<'_>) -> Option<StoreKind> {
    let table = root.table_or_empty("store");
    let word = table.or("kind", Word::Memory, check, |field, check| {
        field.choice(
            check,
            &[("memory", Word::Memory), ("none", Word::None)],
            &["redis"],
        )
    })?;
    if word != Word::Memory {
        refuse_of_another_kind(&table, "file", "memory", check)?;
    }
    match word {
        Word::Memory => Some(StoreKind::Memory {
            file: table.optional("file", check, file)?,
        }),
        Word::None => {
            warn_of_none(&table, check);
            Some(StoreKind::None)
        }
    }
}

/// `None` where `key`, which only `kind` has, is written with another kind.
fn refuse_of_another_kind(table: &Table<'_>, key: &str, kind: &str, check: &mut Check<'_>) -> Option<()> {
    let Some(field) = table.field(key) else {
        return Some(());
    };
    check
        .wrong(
            Code::STORE_KEY,
            &field,
            format!("`{key}` is for `kind = \"{kind}\"`"),
        )
        .with_fix(format!("remove it, or write `kind = \"{kind}\"`"));
    None
}

/// Where the memory is written down. The file itself is looked at when the service opens it; here only what a new one needs.
fn file(field: &Field<'_>, check: &mut Check<'_>) -> Option<PathBuf> {
    if cfg!(not(feature = "file-store")) {
        check
            .wrong(Code::NOT_AVAILABLE, field, "not available in this build")
            .with_cause("it was built without the feature `file-store`")
            .with_fix("remove it");
        return None;
    }
    let text = field.text()?;
    let path = beside(check, text);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let cause = if text.is_empty() || path.is_dir() {
        Some("it is a folder")
    } else if folder.is_some_and(|folder| !folder.is_dir()) {
        Some("its folder does not exist")
    } else {
        None
    };
    if let Some(cause) = cause {
        check
            .wrong(Code::NAMED_FILE, field, "the store cannot be kept in this file")
            .with_cause(cause)
            .with_fix("name a file in a folder that exists; it is made at the first start");
        return None;
    }
    Some(path)
}

/// What several processes that share nothing cannot do (contract §9).
fn warn_of_none(table: &Table<'_>, check: &mut Check<'_>) {
    let Some(field) = table.field("kind") else { return };
    check
        .warning(
            Code::STORE_NONE,
            &field.path,
            field.place(),
            "processes that share nothing cannot end a session everywhere",
        )
        .with_cause(
            "a logout holds at the process that served it, and a copy of the cookies stays good at the others; channel \
             logouts answer 404; two processes may renew one session at once, and one of them answers 409",
        )
        .with_fix("`kind = \"redis\"` for several processes, `kind = \"memory\"` for one; nothing, where this is meant");
}
