//! The file itself: an embedded database (redb) of three tables. Rows, when each is over, and what the file is.
//!
//! 1. A new file is made for its owner alone and holds a whole store before anybody uses it. One that is empty, wider, locked,
//!    foreign or damaged is refused with the reason: never taken for a new store, which would have forgotten every end.
//! 2. A change of many facts is one transaction: all of it is on the disk (`fdatasync`) when [`Database::write`] returns, or
//!    none of it is.
//! 3. What is over is removed as others are written, so the file is bounded as the memory is.

use std::path::Path;
use std::sync::Arc;

use redb::{ReadableDatabase as _, ReadableTable as _, StorageBackend, Table, TableDefinition};

use super::identity::Identity;
use super::names::Names;
use super::rows::{self, Name};
use crate::clock::Timestamp;
use crate::config::CookieKey;
use crate::random::Random;
use crate::store::memory::facts::{Fact, Subject};

/// An open file.
#[derive(Debug)]
pub(super) struct Database {
    redb: redb::Database,
}

/// Why a file cannot be the store, or could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FileError(pub(super) String);

impl<E: Into<redb::Error>> From<E> for FileError {
    fn from(error: E) -> Self {
        Self(match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
                "another process has it open".to_owned()
            }
            redb::Error::Corrupted(why) => format!("it is damaged: {why}"),
            redb::Error::UpgradeRequired(_) => "it is of an older version".to_owned(),
            other => other.to_string(),
        })
    }
}

/// What the file is: `format`, and the wrapped identities by their place in the ring.
const WHAT: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("what");
/// Name of a row ⇄ when it is over, and the sealed fact.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
/// When a row is over, and its name: soonest first.
const DUE: TableDefinition<'_, &[u8], ()> = TableDefinition::new("due");

const FORMAT: &[u8] = b"cloakroom store 1";

impl Database {
    /// Opens what is behind `backend`, or begins a database there.
    pub(super) fn open(backend: impl StorageBackend) -> Result<Self, FileError> {
        let redb = redb::Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)?;
        Ok(Self { redb })
    }

    /// Writes what a new file is.
    pub(super) fn found(
        &self,
        identity: &Identity,
        ring: &[CookieKey],
        random: &Arc<dyn Random>,
    ) -> Result<(), FileError> {
        let change = self.redb.begin_write()?;
        change.open_table(ROWS)?;
        change.open_table(DUE)?;
        change.open_table(WHAT)?.insert("format", FORMAT)?;
        wrap(&change, identity, ring, random)?;
        change.commit()?;
        Ok(())
    }

    /// Which store this is, by any key of the ring.
    pub(super) fn identity(
        &self,
        ring: &[CookieKey],
        random: &Arc<dyn Random>,
    ) -> Result<Identity, FileError> {
        let look = self.redb.begin_read()?;
        let what = look
            .open_table(WHAT)
            .map_err(|_| FileError("it is a database of something else".to_owned()))?;
        let format = what.get("format")?;
        if format.is_none_or(|format| format.value() != FORMAT) {
            return Err(FileError("it is of another version".to_owned()));
        }
        for row in what.range("key "..)? {
            let (name, wrapped) = row?;
            if name.value().starts_with("key ")
                && let Some(identity) = Identity::unwrap(wrapped.value(), ring, random)
            {
                return Ok(identity);
            }
        }
        Err(FileError(
            "it was sealed under cookie keys that are not in `keys.cookie`".to_owned(),
        ))
    }

    /// Every fact that is not over, each kind oldest first where that matters.
    pub(super) fn read(
        &self,
        names: &Names,
        now: Timestamp,
        mut take: impl FnMut(Fact) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let look = self.redb.begin_read()?;
        let table = look.open_table(ROWS)?;
        for kind in rows::KINDS {
            let mut queue = Vec::new();
            for row in table.range::<&[u8]>(&[kind][..]..&[kind + 1][..])? {
                let (name, value) = row?;
                if rows::until(value.value()) <= now {
                    continue;
                }
                let fact = rows::open(name.value(), value.value(), names)
                    .ok_or_else(|| FileError("it is damaged: a row does not open".to_owned()))?;
                if rows::is_queue(kind) {
                    queue.push(fact);
                } else {
                    take(fact)?;
                }
            }
            queue.sort_by_key(Fact::until);
            queue.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    /// Writes what is known now of `subjects`, and removes some of what is over; `ring`: wraps the identity anew.
    pub(super) fn write(
        &self,
        subjects: impl Iterator<Item = (Subject, Vec<Fact>)>,
        ring: Option<(&Identity, &[CookieKey], &Arc<dyn Random>)>,
        names: &Names,
        now: Timestamp,
    ) -> Result<(), FileError> {
        let change = self.redb.begin_write()?;
        {
            let mut tables = Tables {
                rows: change.open_table(ROWS)?,
                due: change.open_table(DUE)?,
            };
            let mut count = 0;
            for (subject, facts) in subjects {
                count += 1;
                tables.replace(&subject, &facts, names)?;
            }
            tables.sweep(now, STEP + 2 * count)?;
        }
        if let Some((identity, ring, random)) = ring {
            wrap(&change, identity, ring, random)?;
        }
        change.commit()?;
        Ok(())
    }

    /// How many rows there are, and how many of them are known to be over some day.
    #[cfg(test)]
    pub(super) fn rows(&self) -> Result<(u64, u64), FileError> {
        use redb::ReadableTableMetadata as _;
        let look = self.redb.begin_read()?;
        Ok((look.open_table(ROWS)?.len()?, look.open_table(DUE)?.len()?))
    }
}

/// Wraps the identity for every key of the ring, and for none else.
fn wrap(
    change: &redb::WriteTransaction,
    identity: &Identity,
    ring: &[CookieKey],
    random: &Arc<dyn Random>,
) -> Result<(), FileError> {
    let wrapped = identity
        .wrap(ring, random)
        .ok_or_else(|| FileError("its identity cannot be sealed".to_owned()))?;
    let mut what = change.open_table(WHAT)?;
    what.retain(|name, _| !name.starts_with("key "))?;
    for (place, wrapped) in wrapped.iter().enumerate() {
        what.insert(format!("key {place}").as_str(), wrapped.as_slice())?;
    }
    Ok(())
}

struct Tables<'t> {
    rows: Table<'t, &'static [u8], &'static [u8]>,
    due: Table<'t, &'static [u8], ()>,
}

impl Tables<'_> {
    /// Puts the rows of `facts` in the place of all that there are of `subject`.
    fn replace(&mut self, subject: &Subject, facts: &[Fact], names: &Names) -> Result<(), FileError> {
        let (row, prefix) = rows::of_subject(subject, names);
        let mut gone = vec![row];
        if let Some(prefix) = prefix {
            for row in self.rows.range::<&[u8]>(prefix.as_slice()..)? {
                let (name, _) = row?;
                if !name.value().starts_with(&prefix) {
                    break;
                }
                gone.push(name.value().to_vec());
            }
        }
        for fact in facts {
            let name = rows::of_fact(fact, names);
            let value = rows::seal(fact, &name, names)
                .ok_or_else(|| FileError("a row cannot be sealed".to_owned()))?;
            gone.retain(|gone| *gone != name);
            self.put(&name, &value)?;
        }
        gone.iter().try_for_each(|name| self.remove(name))
    }

    fn put(&mut self, name: &Name, value: &[u8]) -> Result<(), FileError> {
        let before = self
            .rows
            .insert(name.as_slice(), value)?
            .map(|before| rows::until(before.value()));
        let until = rows::until(value);
        if before != Some(until) {
            if let Some(before) = before {
                self.due.remove(due(before, name).as_slice())?;
            }
            self.due.insert(due(until, name).as_slice(), ())?;
        }
        Ok(())
    }

    fn remove(&mut self, name: &Name) -> Result<(), FileError> {
        let before = self
            .rows
            .remove(name.as_slice())?
            .map(|before| rows::until(before.value()));
        if let Some(before) = before {
            self.due.remove(due(before, name).as_slice())?;
        }
        Ok(())
    }

    /// Removes what is over, no more than `at_most` of it.
    fn sweep(&mut self, now: Timestamp, at_most: usize) -> Result<(), FileError> {
        let end = now.as_millis().saturating_add(1).to_be_bytes();
        let mut over = Vec::new();
        for row in self.due.range::<&[u8]>(..&end[..])?.take(at_most) {
            over.push(row?.0.value().to_vec());
        }
        for due in over {
            self.due.remove(due.as_slice())?;
            self.rows.remove(due.get(8..).unwrap_or_default())?;
        }
        Ok(())
    }
}

fn due(until: Timestamp, name: &[u8]) -> Vec<u8> {
    let mut due = until.as_millis().to_be_bytes().to_vec();
    due.extend_from_slice(name);
    due
}

/// The file at `path`, and whether it is new.
pub(super) fn file(path: &Path) -> Result<(redb::backends::FileBackend, bool), FileError> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true);
    let (file, new) = match options.open(path) {
        Ok(file) => (file, false),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            (
                options.create_new(true).open(path).map_err(|error| io(&error))?,
                true,
            )
        }
        Err(error) => return Err(io(&error)),
    };
    let about = file.metadata().map_err(|error| io(&error))?;
    if !about.is_file() {
        return Err(FileError("it is no file".to_owned()));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err(FileError(
            "others may read or write it: chmod 600 makes it its owner's alone".to_owned(),
        ));
    }
    if !new && about.len() == 0 {
        return Err(FileError(
            "it is empty, where a store was: remove it, and every session is renewed at the provider once"
                .to_owned(),
        ));
    }
    Ok((redb::backends::FileBackend::new(file)?, new))
}

/// The name of a new file is on the disk, too.
pub(super) fn sync_folder(path: &Path) -> Result<(), FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let opened = std::fs::File::open(folder).map_err(|error| io(&error))?;
    opened.sync_all().map_err(|error| io(&error))
}

fn io(error: &std::io::Error) -> FileError {
    FileError(error.to_string())
}

/// What is read is read once; what is written is small.
const CACHE: usize = 16 << 20;
/// How many rows one change removes besides twice its own.
const STEP: usize = 64;
