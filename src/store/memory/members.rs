//! Ends of many sessions at once: all of one member of an issuer (a subject, a session of the provider), or all of an
//! issuer, that began before a point in time.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::room::Room;
use crate::clock::Timestamp;
use crate::store::{Cutoff, EndReason, StoreError};

#[cfg(feature = "redis")]
mod known;

#[cfg(feature = "redis")]
pub(in crate::store) use known::Known;

/// Who is ended since when. Shards by member; nothing is locked while nobody is ended.
pub(super) struct Members {
    hasher: RandomState,
    shards: [RwLock<Shard>; SHARDS],
    count: Room,
    /// By issuer.
    everybody: RwLock<HashMap<Box<str>, Cutoff>>,
    issuer_count: Room,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| RwLock::default()),
            count: Room::default(),
            everybody: RwLock::default(),
            issuer_count: Room::default(),
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Members({:?})", self.count)
    }
}

impl Cutoff {
    fn holds(&self, started: Timestamp, now: Timestamp) -> Option<EndReason> {
        (self.until > now && started < self.before).then_some(self.reason)
    }

    /// Both ends as one: whatever either of them ended stays ended.
    fn merge(&mut self, later: Self) {
        if later.before > self.before {
            self.before = later.before;
            self.reason = later.reason;
        }
        self.until = self.until.max(later.until);
    }
}

#[derive(Default)]
struct Shard {
    /// By issuer and member: nested, so that a look needs no key of its own.
    ends: HashMap<Box<str>, HashMap<Box<str>, Cutoff>>,
    /// When what is over was last forgotten.
    swept: Timestamp,
}

impl Members {
    /// Whether this session is among those ended.
    pub(super) fn ended(
        &self,
        issuer: &str,
        member: &str,
        started: Timestamp,
        now: Timestamp,
    ) -> Option<EndReason> {
        let everybody = (!self.issuer_count.is_empty())
            .then(|| {
                let everybody = self.everybody.read().unwrap_or_else(PoisonError::into_inner);
                everybody.get(issuer)?.holds(started, now)
            })
            .flatten();
        everybody.or_else(|| {
            if self.count.is_empty() {
                return None;
            }
            let shard = self.shard(member);
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let end = shard.ends.get(issuer)?.get(member)?;
            end.holds(started, now)
        })
    }

    /// Until when which sessions of `member` (everybody's without one) have ended.
    #[cfg(feature = "file-store")]
    pub(super) fn cutoff(&self, issuer: &str, member: Option<&str>) -> Option<Cutoff> {
        let Some(member) = member else {
            let everybody = self.everybody.read().unwrap_or_else(PoisonError::into_inner);
            return everybody.get(issuer).copied();
        };
        let shard = self.shard(member).read().unwrap_or_else(PoisonError::into_inner);
        shard.ends.get(issuer)?.get(member).copied()
    }

    pub(super) fn end(
        &self,
        issuer: &str,
        member: Option<&str>,
        end: Cutoff,
        now: Timestamp,
        capacity: usize,
    ) -> Result<(), StoreError> {
        match member {
            Some(member) => self.end_one(issuer, member, end, now, capacity),
            None => self.end_everybody(issuer, end, now, capacity),
        }
    }

    fn end_everybody(
        &self,
        issuer: &str,
        end: Cutoff,
        now: Timestamp,
        capacity: usize,
    ) -> Result<(), StoreError> {
        let mut everybody = self.everybody.write().unwrap_or_else(PoisonError::into_inner);
        let before = everybody.len();
        everybody.retain(|_, end| end.until > now);
        self.issuer_count.give_back(before - everybody.len());
        if let Some(earlier) = everybody.get_mut(issuer) {
            earlier.merge(end);
            return Ok(());
        }
        if !self.issuer_count.take(1, capacity) {
            return Err(full());
        }
        everybody.insert(issuer.into(), end);
        Ok(())
    }

    fn end_one(
        &self,
        issuer: &str,
        member: &str,
        end: Cutoff,
        now: Timestamp,
        capacity: usize,
    ) -> Result<(), StoreError> {
        if self.try_end_one(issuer, member, end, now, capacity) {
            return Ok(());
        }
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            self.count.give_back(shard.sweep(now));
        }
        if self.try_end_one(issuer, member, end, now, capacity) {
            return Ok(());
        }
        Err(full())
    }

    fn try_end_one(&self, issuer: &str, member: &str, end: Cutoff, now: Timestamp, capacity: usize) -> bool {
        let mut shard = self.shard(member).write().unwrap_or_else(PoisonError::into_inner);
        if now.since(shard.swept) >= SWEEP_EVERY {
            self.count.give_back(shard.sweep(now));
        }
        if let Some(earlier) = shard
            .ends
            .get_mut(issuer)
            .and_then(|members| members.get_mut(member))
        {
            if earlier.until > now {
                earlier.merge(end);
            } else {
                *earlier = end;
            }
            return true;
        }
        if !self.count.take(1, capacity) {
            return false;
        }
        shard
            .ends
            .entry(issuer.into())
            .or_default()
            .insert(member.into(), end);
        true
    }

    fn shard(&self, member: &str) -> &RwLock<Shard> {
        let [first, ..] = &self.shards;
        let [byte, ..] = self.hasher.hash_one(member).to_le_bytes();
        self.shards.get(usize::from(byte) % SHARDS).unwrap_or(first)
    }
}

impl Shard {
    /// Forgets what is over and says how much that was.
    fn sweep(&mut self, now: Timestamp) -> usize {
        self.swept = now;
        let mut forgotten = 0;
        self.ends.retain(|_, members| {
            let before = members.len();
            members.retain(|_, end| end.until > now);
            forgotten += before - members.len();
            !members.is_empty()
        });
        forgotten
    }
}

fn full() -> StoreError {
    StoreError("the memory store is full".into())
}

const SHARDS: usize = 16;
/// How often a shard that is written to is swept at most.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
