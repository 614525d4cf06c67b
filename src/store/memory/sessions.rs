//! What is known about single sessions: that they ended, or which generation is the newest and what brought it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use super::Capacity;
use super::room::Room;
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::{EndReason, Look, Newest, StoreError};

#[cfg(feature = "file-store")]
mod facts;
#[cfg(feature = "redis")]
mod known;
#[cfg(test)]
mod tests;

#[cfg(feature = "file-store")]
pub(in crate::store) use facts::Known;
#[cfg(feature = "redis")]
pub(in crate::store) use known::Renewals;

/// All sessions of which anything is known, in shards: two requests meet at a lock only by chance.
pub(super) struct Sessions {
    shards: [RwLock<Shard>; SHARDS],
    entries: Room,
    result_bytes: Room,
}

/// The sealed result of one renewal.
#[derive(Clone)]
pub(in crate::store) struct Kept {
    pub(in crate::store) from: Generation,
    pub(in crate::store) sealed: Vec<u8>,
    pub(in crate::store) until: Timestamp,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            entries: Room::default(),
            result_bytes: Room::default(),
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({:?})", self.entries)
    }
}

impl Sessions {
    pub(super) fn look(&self, session: SessionId, now: Timestamp) -> Look {
        if self.entries.is_empty() {
            return Look::default();
        }
        let shard = self.read(session);
        match shard.entries.get(&session) {
            Some(entry) if entry.until > now => Look {
                ended: entry.ended,
                newest: entry.newest,
            },
            _ => Look::default(),
        }
    }

    pub(super) fn end(
        &self,
        session: SessionId,
        reason: EndReason,
        until: Timestamp,
        now: Timestamp,
        capacity: &Capacity,
    ) -> Result<(), StoreError> {
        // What a renewal left behind stays for its time: whoever ends the session wants the newest tokens, to revoke them.
        self.change(session, until, now, capacity.sessions, |entry, _| {
            entry.ended.get_or_insert(reason);
        })
    }

    pub(super) fn keep_renewal(
        &self,
        session: SessionId,
        mut result: Kept,
        until: Timestamp,
        now: Timestamp,
        capacity: &Capacity,
    ) -> Result<bool, StoreError> {
        let bytes = result.sealed.len();
        if !self.result_bytes.take(bytes, capacity.result_bytes) {
            self.forget_everything_due(now);
            if !self.result_bytes.take(bytes, capacity.result_bytes) {
                return Err(full());
            }
        }
        let room = capacity.sessions - capacity.sessions / 4;
        let kept = self.change(session, until, now, room, |entry, freed| {
            if entry.ended.is_some() {
                return false;
            }
            let next = result.from.next();
            match entry.newest {
                Some(newest) if newest.generation >= next => {
                    if newest.presented && newest.generation > result.from {
                        result.until = result.until.min(now.after(GRACE));
                    }
                }
                _ => {
                    entry.newest = Some(Newest {
                        generation: next,
                        presented: false,
                    });
                }
            }
            let mut dropped = entry.drop_results(|earlier| earlier.from == result.from);
            if entry.results.len() >= MAX_RESULTS {
                dropped += entry.results.remove(0).sealed.len();
            }
            *freed += dropped;
            entry.results.push(result);
            true
        });
        if !matches!(kept, Ok(true)) {
            self.result_bytes.give_back(bytes);
        }
        kept
    }

    pub(super) fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Option<Vec<u8>> {
        let shard = self.read(session);
        let entry = shard.entries.get(&session)?;
        entry
            .results
            .iter()
            .find(|result| result.from == from && result.until > now)
            .map(|result| result.sealed.clone())
    }

    pub(super) fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) {
        let mut shard = self.write(session);
        self.forget_due(&mut shard, now, STEP);
        let Shard { entries, due } = &mut *shard;
        let Some(entry) = entries.get_mut(&session) else {
            return;
        };
        if let Some(newest) = &mut entry.newest {
            newest.presented |= newest.generation == generation;
        }
        let deadline = now.after(GRACE);
        for result in &mut entry.results {
            if result.from < generation {
                result.until = result.until.min(deadline);
            }
        }
        entry.arm(session, due);
    }

    /// Changes the entry of `session`, making one where there is none and room for it. `change` adds the bytes of the
    /// results that it dropped to its second argument.
    fn change<T>(
        &self,
        session: SessionId,
        until: Timestamp,
        now: Timestamp,
        room: usize,
        change: impl FnOnce(&mut Entry, &mut usize) -> T,
    ) -> Result<T, StoreError> {
        let mut shard = self.write(session);
        self.forget_due(&mut shard, now, STEP);
        if !shard.entries.contains_key(&session) && !self.entries.take(1, room) {
            drop(shard);
            self.forget_everything_due(now);
            shard = self.write(session);
            if !shard.entries.contains_key(&session) && !self.entries.take(1, room) {
                return Err(full());
            }
        }
        let Shard { entries, due } = &mut *shard;
        let entry = entries.entry(session).or_default();
        let mut freed = 0;
        if entry.until <= now {
            // Over, and not yet forgotten: begins anew.
            freed += entry.drop_results(|_| true);
            entry.ended = None;
            entry.newest = None;
        }
        entry.until = entry.until.max(until);
        let changed = change(entry, &mut freed);
        entry.arm(session, due);
        self.result_bytes.give_back(freed);
        Ok(changed)
    }

    fn forget_everything_due(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            self.forget_due(&mut shard, now, usize::MAX);
        }
    }

    fn forget_due(&self, shard: &mut Shard, now: Timestamp, at_most: usize) {
        let freed = shard.forget_due(now, at_most);
        self.entries.give_back(freed.entries);
        self.result_bytes.give_back(freed.bytes);
    }

    fn read(&self, session: SessionId) -> RwLockReadGuard<'_, Shard> {
        self.shard(session).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, session: SessionId) -> RwLockWriteGuard<'_, Shard> {
        self.shard(session)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn shard(&self, session: SessionId) -> &RwLock<Shard> {
        // Session ids are random: any of their bytes spreads them evenly.
        let [byte, ..] = session.0;
        let [first, ..] = &self.shards;
        self.shards.get(usize::from(byte) % SHARDS).unwrap_or(first)
    }
}

#[derive(Default)]
struct Shard {
    entries: HashMap<SessionId, Entry>,
    due: Due,
}

/// When to look at which entry again, soonest first.
type Due = BinaryHeap<Reverse<(Timestamp, [u8; 16])>>;

/// What was forgotten.
#[derive(Default)]
struct Freed {
    entries: usize,
    bytes: usize,
}

impl Shard {
    /// Forgets what is over, looking at no more than `at_most` entries.
    fn forget_due(&mut self, now: Timestamp, at_most: usize) -> Freed {
        let mut freed = Freed::default();
        for _ in 0..at_most {
            let Some(&Reverse((at, id))) = self.due.peek().filter(|Reverse((at, _))| *at <= now) else {
                break;
            };
            self.due.pop();
            let session = SessionId(id);
            let Some(entry) = self.entries.get_mut(&session) else {
                continue;
            };
            if entry.until <= now {
                freed.bytes += entry.drop_results(|_| true);
                freed.entries += 1;
                self.entries.remove(&session);
            } else if entry.results_due == Some(at) {
                entry.results_due = None;
                freed.bytes += entry.drop_results(|result| result.until <= now);
                entry.arm(session, &mut self.due);
            }
            // Else another appointment has taken the place of this one.
        }
        freed
    }
}

#[derive(Default)]
struct Entry {
    ended: Option<EndReason>,
    newest: Option<Newest>,
    results: Vec<Kept>,
    /// When all of this is over.
    until: Timestamp,
    /// The appointment in [`Shard::due`] for the whole.
    due: Option<Timestamp>,
    /// The appointment in [`Shard::due`] for the first of the results.
    results_due: Option<Timestamp>,
}

impl Entry {
    /// Sees to it that somebody looks here when something is over: the first of the results, and all of it. Each has
    /// one appointment that counts; those that were overtaken are passed over when their time comes.
    fn arm(&mut self, session: SessionId, due: &mut Due) {
        if self.due != Some(self.until) {
            self.due = Some(self.until);
            due.push(Reverse((self.until, session.0)));
        }
        let first = self.results.iter().map(|result| result.until).min();
        if let Some(first) = first
            && self.results_due.is_none_or(|due| first < due)
        {
            self.results_due = Some(first);
            due.push(Reverse((first, session.0)));
        }
    }

    /// Drops results and says how many bytes they held.
    fn drop_results(&mut self, which: impl Fn(&Kept) -> bool) -> usize {
        let mut bytes = 0;
        self.results.retain(|result| {
            let dropped = which(result);
            if dropped {
                bytes += result.sealed.len();
            }
            !dropped
        });
        bytes
    }
}

fn full() -> StoreError {
    StoreError("the memory store is full".into())
}

const SHARDS: usize = 64;
/// How many entries one write looks after besides its own.
const STEP: usize = 32;
/// How long results for older generations live on once a newer one has been presented (contract §9).
const GRACE: Duration = Duration::from_secs(60);
/// Renewals of one session whose results are kept at a time; more than a few can only be of the same minute.
const MAX_RESULTS: usize = 8;
