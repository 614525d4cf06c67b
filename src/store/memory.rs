//! The store of one process: everything in memory, bounded, gone with the process (a new epoch).
//!
//! 1. [`Store::look`] is on the way of every request: it takes a read lock on one of 64 maps, or none at all
//!    while nothing is known about anybody. No lock is held across an `await`.
//! 2. A revocation is never evicted. When the store is full, ending a session is an error (503), not a lie.
//!    Renewals leave the last quarter of the room to revocations.
//! 3. One-time marks and refusals are evicted oldest first: forgetting one costs a round at the provider, not safety
//!    (the provider redeems a code once, too).
//! 4. What is over is forgotten as others are written, a few at a time, and all at once before "full" is said.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Answer, Claimant, Cutoff, EndReason, Epoch, Find, Look, Record, SessionRef, Store, Whose};
use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::{Generation, SessionHandle, SessionId};

mod contents;
#[cfg(feature = "file-store")]
pub(super) mod facts;
mod fifo;
mod leases;
mod members;
#[cfg(feature = "redis")]
mod mirror;
mod records;
mod room;
mod sessions;

use contents::Contents;
use fifo::Fifo;
use leases::Leases;
use members::Members;
use records::Records;
use sessions::Sessions;

/// How much a [`MemoryStore`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// One-time values.
    pub marks: usize,
    /// Sessions that have been renewed or have ended; the last quarter is for ended ones.
    pub sessions: usize,
    /// Bytes of sealed renewal results.
    pub result_bytes: usize,
    /// Subjects all of whose sessions have ended; as many sessions of providers.
    pub subjects: usize,
    /// Refused generations.
    pub refusals: usize,
    /// Sessions that are recorded.
    pub records: usize,
    /// Bytes of the content of sessions that live here.
    pub content_bytes: usize,
}

impl Default for Capacity {
    /// About 1 GiB when all of it is full, next to nothing when it is empty.
    fn default() -> Self {
        Self {
            marks: 1 << 16,
            sessions: 1 << 20,
            result_bytes: 1 << 28,
            subjects: 1 << 18,
            refusals: 1 << 16,
            records: 1 << 18,
            content_bytes: 1 << 29,
        }
    }
}

/// Shared state of one process.
#[derive(Debug)]
pub struct MemoryStore {
    epoch: Epoch,
    capacity: Capacity,
    marks: Mutex<Fifo<[u8; 32], Timestamp>>,
    refusals: Mutex<Fifo<(SessionId, Generation), Timestamp>>,
    sessions: Sessions,
    subjects: Members,
    provider_sessions: Members,
    records: Mutex<Records>,
    leases: Mutex<Leases>,
    contents: Mutex<Contents>,
}

impl MemoryStore {
    /// An empty store with a new epoch.
    pub fn new(random: &dyn Random) -> Self {
        Self::with_capacity(random, Capacity::default())
    }

    /// An empty store with a new epoch that holds less (or more) than usual.
    pub fn with_capacity(random: &dyn Random, capacity: Capacity) -> Self {
        Self {
            epoch: Epoch(u64::from_le_bytes(random.bytes())),
            capacity,
            marks: Mutex::default(),
            refusals: Mutex::default(),
            sessions: Sessions::default(),
            subjects: Members::default(),
            provider_sessions: Members::default(),
            records: Mutex::default(),
            leases: Mutex::default(),
            contents: Mutex::default(),
        }
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move { Ok(self.take_mark(mark, until, now).0) })
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        let mut look = self.sessions.look(session.id, now);
        if look.ended.is_none() {
            look.ended = self.ended_with_others(&session, now);
        }
        Box::pin(std::future::ready(Ok(look)))
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move { self.sessions.end(session, reason, until, now, &self.capacity) })
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let (members, member) = match whose {
                Whose::Everybody => (&self.subjects, None),
                Whose::Subject(subject) => (&self.subjects, Some(subject)),
                Whose::ProviderSession(sid) => (&self.provider_sessions, Some(sid)),
            };
            members.end(issuer, member, cutoff, now, self.capacity.subjects)
        })
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            self.put_record(session, record, now);
            Ok(())
        })
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        Box::pin(async move {
            let mut records = lock(&self.records);
            records.begin(now);
            let alive = records.find(find, now).filter(|(session, record)| {
                self.sessions.look(*session, now).ended.is_none()
                    && self
                        .ended_with_others(&record.as_session(*session), now)
                        .is_none()
            });
            Ok(alive.take(limit).map(|(_, record)| record.clone()).collect())
        })
    }

    fn recorded_since(&self) -> Option<Timestamp> {
        lock(&self.records).since()
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let Some((session, until)) = self.find_record(handle, now) else {
                return Ok(false);
            };
            self.sessions.end(session, reason, until, now, &self.capacity)?;
            Ok(true)
        })
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move { Ok(lock(&self.leases).claim(session, claimant, now)) })
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        Box::pin(async move {
            lock(&self.leases).release(session, claimant);
            Ok(())
        })
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
            let result = sessions::Kept {
                from,
                sealed,
                until: result_until,
            };
            self.sessions
                .keep_renewal(session, result, until, now, &self.capacity)
        })
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(self.sessions.renewal(session, from, now)) })
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            self.sessions.presented(session, generation, now);
            Ok(())
        })
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        Box::pin(async move { Ok(self.put_refusal(session, generation, now).0) })
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        Box::pin(
            async move { lock(&self.contents).put(name, sealed, until, now, self.capacity.content_bytes) },
        )
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move { Ok(lock(&self.contents).get(&name, now)) })
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            lock(&self.contents).forget(name, until, now);
            Ok(())
        })
    }
}

/// What a store with this one in front has to know as well: whose place was taken.
impl MemoryStore {
    /// Whether it is the first time, and the mark whose place this one took.
    pub(super) fn take_mark(
        &self,
        mark: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> (bool, Option<[u8; 32]>) {
        let mut marks = lock(&self.marks);
        marks.forget_while(|until| *until <= now);
        if marks.get(&mark).is_some_and(|until| *until > now) {
            return (false, None);
        }
        (true, marks.put(mark, until, self.capacity.marks))
    }

    /// The records whose place this one took.
    pub(super) fn put_record(
        &self,
        session: SessionId,
        record: Record,
        now: Timestamp,
    ) -> Vec<SessionHandle> {
        lock(&self.records).put(session, record, self.capacity.records, now)
    }

    /// Which session has the handle, and when it is over.
    pub(super) fn find_record(
        &self,
        handle: SessionHandle,
        now: Timestamp,
    ) -> Option<(SessionId, Timestamp)> {
        let records = lock(&self.records);
        let (session, record) = records.find(Find::Handle(handle), now).next()?;
        Some((*session, record.until))
    }

    /// The first time, and the refusal whose place this one took.
    pub(super) fn put_refusal(
        &self,
        session: SessionId,
        generation: Generation,
        now: Timestamp,
    ) -> (Timestamp, Option<(SessionId, Generation)>) {
        let mut refusals = lock(&self.refusals);
        refusals.forget_while(|first| now.since(*first) > REFUSAL_LIFETIME);
        if let Some(first) = refusals.get(&(session, generation)) {
            return (*first, None);
        }
        let gone = refusals.put((session, generation), now, self.capacity.refusals);
        (now, gone)
    }

    /// Whether the session is among those that ended together.
    fn ended_with_others(&self, session: &SessionRef<'_>, now: Timestamp) -> Option<EndReason> {
        let SessionRef { issuer, started, .. } = *session;
        self.subjects
            .ended(issuer, session.subject, started, now)
            .or_else(|| {
                let sid = session.provider_session?;
                self.provider_sessions.ended(issuer, sid, started, now)
            })
    }
}

impl Record {
    pub(super) fn as_session(&self, id: SessionId) -> SessionRef<'_> {
        SessionRef {
            id,
            issuer: &self.issuer,
            subject: &self.subject,
            provider_session: self.provider_session.as_deref(),
            started: self.started,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code between lock and unlock can panic half-way through a change that matters.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a first refusal is remembered: longer than a user takes to try again, so that a second one is final.
const REFUSAL_LIFETIME: Duration = Duration::from_secs(3600);
