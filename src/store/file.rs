//! The memory of one process, written down: a restart forgets nothing.
//!
//! 1. The memory answers ([`MemoryStore`]); the file is read once, at the start, and written behind it (`log`). So
//!    [`Store::look`] costs what it costs without a file.
//! 2. What somebody relies on is on the disk before it is answered: an end, a renewal, a used state, a record, the content of a
//!    session. What only shortens something (a presented generation, a first refusal) follows soon.
//! 3. A disk that takes nothing: what is known holds, also an end that could not be written and was answered with an error.
//!    Logins, renewals and logouts get one until it is back, API calls go on (contract §9).
//! 4. A session is known by a keyed hash of its id, in memory as in the file; values are sealed (`names`). Who has the file and
//!    none of the cookie keys learns how many sessions there are, and until when.
//!
//! The right to renew is not written down: whoever had it is gone with the process.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::memory::facts::{Members, Subject};
use super::{
    Answer, Capacity, Claimant, Cutoff, EndReason, Epoch, Find, Health, Look, MemoryStore, Record,
    SessionRef, Store, Whose,
};
use crate::clock::Timestamp;
use crate::config::CookieKey;
use crate::random::Random;
use crate::session::{Generation, SessionHandle, SessionId};

mod database;
mod identity;
mod log;
mod names;
mod rows;
#[cfg(test)]
mod tests;

use database::{Database, FileError};
use identity::Identity;
use log::{Disk, Log};
use names::Names;

/// Shared state of one process that outlives it.
#[derive(Debug)]
pub(crate) struct FileStore {
    epoch: Epoch,
    names: Arc<Names>,
    memory: Arc<MemoryStore>,
    log: Log,
}

impl FileStore {
    /// The store in the file at `path`, or a new one there. One process at a time.
    ///
    /// # Errors
    /// It cannot be opened, or is no store of these cookie keys.
    pub(crate) fn open(
        path: &Path,
        keys: &[CookieKey],
        random: Arc<dyn Random>,
        now: Timestamp,
    ) -> Result<Self, FileError> {
        Self::with_capacity(path, keys, random, now, Capacity::default())
    }

    /// As [`Self::open`], where it holds less (or more) than usual.
    pub(super) fn with_capacity(
        path: &Path,
        keys: &[CookieKey],
        random: Arc<dyn Random>,
        now: Timestamp,
        capacity: Capacity,
    ) -> Result<Self, FileError> {
        let place = path.to_owned();
        let open = move || -> Result<(Database, bool), FileError> {
            let (backend, new) = database::file(&place)?;
            Ok((Database::open(backend)?, new))
        };
        let (database, new) = open()?;
        if new && let Err(error) = found(&database, path, keys, &random) {
            drop(database);
            // It was just made, and holds nothing: the next start shall not stumble over it.
            let _left = std::fs::remove_file(path);
            return Err(error);
        }
        let reopen = Box::new(move || match open()? {
            (database, false) => Ok(database),
            (_, true) => Err(FileError("it is gone".to_owned())),
        });
        Self::on(database, reopen, capacity, (keys, random), now)
    }

    /// The store in a database that is one already.
    fn on(
        database: Database,
        open: Box<dyn Fn() -> Result<Database, FileError> + Send>,
        capacity: Capacity,
        (keys, random): (&[CookieKey], Arc<dyn Random>),
        now: Timestamp,
    ) -> Result<Self, FileError> {
        let identity = database.identity(keys, &random)?;
        let names = Arc::new(Names::new(&identity.secret, Arc::clone(&random)));
        let memory = MemoryStore::with_capacity(&*random, capacity);
        database.read(&names, now, |fact| {
            let learned = memory.recall(fact, now);
            learned.map_err(|error| FileError(error.to_string()))
        })?;
        let memory = Arc::new(memory);
        let epoch = identity.epoch;
        let disk = Disk {
            open,
            database: Some(database),
            identity,
            names: Arc::clone(&names),
            ring: keys.to_vec(),
            random,
            memory: Arc::clone(&memory),
        };
        let log = Log::start(disk).map_err(|error| FileError(error.to_string()))?;
        // The ring may be another than at the last start: the identity is wrapped for this one.
        log.use_ring(keys);
        Ok(Self {
            epoch,
            names,
            memory,
            log,
        })
    }
}

fn found(
    database: &Database,
    path: &Path,
    keys: &[CookieKey],
    random: &Arc<dyn Random>,
) -> Result<(), FileError> {
    database.found(&Identity::new(&**random), keys, random)?;
    database::sync_folder(path)
}

impl Store for FileStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            // Not used up where it cannot be kept.
            self.log.reachable()?;
            let mark = self.names.mark(&mark);
            let (first, gone) = self.memory.take_mark(mark, until, now);
            if first {
                let changed = gone.into_iter().chain([mark]).map(Subject::Mark);
                self.log.write(changed, now).await?;
            }
            Ok(first)
        })
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        let id = self.names.session(session.id);
        self.memory.look(SessionRef { id, ..session }, now)
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let session = self.names.session(session);
            self.memory.end(session, reason, until, now).await?;
            self.log.write([Subject::Session(session)], now).await
        })
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            self.memory.end_all(issuer, whose, cutoff, now).await?;
            let members = match whose {
                Whose::Everybody => Members::Everybody,
                Whose::Subject(subject) => Members::Subject(subject.into()),
                Whose::ProviderSession(sid) => Members::ProviderSession(sid.into()),
            };
            self.log
                .write([Subject::Members(issuer.into(), members)], now)
                .await
        })
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let handle = record.handle;
            let gone = self.memory.put_record(self.names.session(session), record, now);
            let changed = gone.into_iter().chain([handle]).map(Subject::Record);
            self.log.write(changed, now).await
        })
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        self.memory.recorded(find, limit, now)
    }

    fn recorded_since(&self) -> Option<Timestamp> {
        self.memory.recorded_since()
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let Some((session, until)) = self.memory.find_record(handle, now) else {
                return Ok(false);
            };
            self.memory.end(session, reason, until, now).await?;
            self.log.write([Subject::Session(session)], now).await?;
            Ok(true)
        })
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            // What a renewal brings could not be kept.
            self.log.reachable()?;
            self.memory
                .claim(self.names.session(session), claimant, now)
                .await
        })
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        self.memory.release(self.names.session(session), claimant)
    }

    fn keep_renewal(
        &self,
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        result_until: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        Box::pin(async move {
            let session = self.names.session(session);
            let kept = self
                .memory
                .keep_renewal(session, from, sealed, result_until, until, now)
                .await?;
            if kept {
                self.log.write([Subject::Session(session)], now).await?;
            }
            Ok(kept)
        })
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.memory.renewal(self.names.session(session), from, now)
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let session = self.names.session(session);
            self.memory.presented(session, generation, now).await?;
            self.log.note([Subject::Session(session)], now);
            Ok(())
        })
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        Box::pin(async move {
            let session = self.names.session(session);
            let (first, gone) = self.memory.put_refusal(session, generation, now);
            let changed = gone.into_iter().chain([(session, generation)]);
            self.log.note(
                changed.map(|(id, generation)| Subject::Refusal(id, generation)),
                now,
            );
            Ok(first)
        })
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        Box::pin(async move {
            let name = self.names.content(&name);
            self.memory.put_content(name, sealed, until, now).await?;
            self.log.write([Subject::Content(name)], now).await
        })
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.memory.content(self.names.content(&name), now)
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let name = self.names.content(&name);
            self.memory.forget_content(name, until, now).await?;
            self.log.note([Subject::Content(name)], now);
            Ok(())
        })
    }

    fn keeps_content(&self) -> bool {
        true
    }

    fn health(&self) -> Health {
        self.log.health()
    }

    fn use_keys(&self, keys: &[CookieKey]) {
        self.log.use_ring(keys);
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        self.log.settled()
    }
}
