//! The store of one process: everything in memory, bounded, gone with the process (a new epoch).
//!
//! 1. [`Store::look`] is on the way of every request: it takes a read lock on one of 64 maps, or none at all
//!    while nothing is known about anybody. No lock is held across an `await`.
//! 2. A revocation is never evicted. When the store is full, ending a session is an error (503), not a lie.
//!    Renewals leave the last quarter of the room to revocations.
//! 3. One-time marks and refusals are evicted oldest first: forgetting one costs a round at the provider, not safety
//!    (the provider redeems a code once, too).
//! 4. What is over is forgotten as others are written, a few at a time, and all at once before "full" is said.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Answer, EndReason, Epoch, Look, SessionRef, Store};
use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::{Generation, SessionId};

mod fifo;
mod room;
mod sessions;
mod subjects;

use fifo::Fifo;
use sessions::Sessions;
use subjects::Subjects;

/// How much a [`MemoryStore`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// One-time values.
    pub marks: usize,
    /// Sessions that have been renewed or have ended; the last quarter is for ended ones.
    pub sessions: usize,
    /// Bytes of sealed renewal results.
    pub result_bytes: usize,
    /// Subjects all of whose sessions have ended.
    pub subjects: usize,
    /// Refused generations.
    pub refusals: usize,
}

impl Default for Capacity {
    /// About 400 MiB when all of it is full, next to nothing when it is empty.
    fn default() -> Self {
        Self {
            marks: 1 << 16,
            sessions: 1 << 20,
            result_bytes: 1 << 28,
            subjects: 1 << 16,
            refusals: 1 << 16,
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
    subjects: Subjects,
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
            subjects: Subjects::default(),
        }
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            marks.forget_while(|until| *until <= now);
            let used = marks.get(&mark).is_some_and(|until| *until > now);
            if !used {
                marks.put(mark, until, self.capacity.marks);
            }
            Ok(!used)
        })
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        let mut look = self.sessions.look(session.id, now);
        if look.ended.is_none() {
            look.ended = self.subjects.ended(&session, now);
        }
        Box::pin(std::future::ready(Ok(look)))
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move { self.sessions.end(session, reason, until, now, &self.capacity) })
    }

    fn end_subject<'a>(
        &'a self,
        issuer: &'a str,
        subject: Option<&'a str>,
        before: Timestamp,
        reason: EndReason,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let end = subjects::End {
                before,
                reason,
                until,
            };
            self.subjects
                .end(issuer, subject, end, now, self.capacity.subjects)
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
        Box::pin(async move {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.forget_while(|first| now.since(*first) > REFUSAL_LIFETIME);
            if let Some(first) = refusals.get(&(session, generation)) {
                return Ok(*first);
            }
            refusals.put((session, generation), now, self.capacity.refusals);
            Ok(now)
        })
    }
}

/// How long a first refusal is remembered: longer than a user takes to try again, so that a second one is final.
const REFUSAL_LIFETIME: Duration = Duration::from_secs(3600);
