//! The sealed content of sessions that live here: bounded by bytes, never evicted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;

use crate::clock::Timestamp;
use crate::store::StoreError;

#[derive(Default)]
pub(super) struct Contents {
    entries: HashMap<[u8; 32], Content>,
    /// When to look at which entry, soonest first.
    due: BinaryHeap<Reverse<(Timestamp, [u8; 32])>>,
    bytes: usize,
}

struct Content {
    sealed: Vec<u8>,
    until: Timestamp,
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents({})", self.entries.len())
    }
}

impl Contents {
    pub(super) fn put(
        &mut self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
        capacity: usize,
    ) -> Result<(), StoreError> {
        self.forget_due(now);
        let before = self.entries.get(&name).map_or(0, |content| content.sealed.len());
        let bytes = self.bytes - before + sealed.len();
        if bytes > capacity {
            return Err(StoreError("the memory store is full".into()));
        }
        self.bytes = bytes;
        self.entries.insert(name, Content { sealed, until });
        self.due.push(Reverse((until, name)));
        Ok(())
    }

    pub(super) fn get(&self, name: &[u8; 32], now: Timestamp) -> Option<Vec<u8>> {
        let content = self.entries.get(name).filter(|content| content.until > now)?;
        Some(content.sealed.clone())
    }

    /// What is kept, over or not, and until when.
    #[cfg(feature = "file-store")]
    pub(super) fn kept(&self, name: &[u8; 32]) -> Option<(Vec<u8>, Timestamp)> {
        let Content { sealed, until } = self.entries.get(name)?;
        Some((sealed.clone(), *until))
    }

    pub(super) fn forget(&mut self, name: [u8; 32], until: Timestamp, now: Timestamp) {
        if let Some(content) = self.entries.get_mut(&name)
            && until < content.until
        {
            content.until = until;
            self.due.push(Reverse((until, name)));
        }
        self.forget_due(now);
    }

    fn forget_due(&mut self, now: Timestamp) {
        while let Some(Reverse((at, name))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            if self.entries.get(&name).is_some_and(|content| content.until <= at)
                && let Some(content) = self.entries.remove(&name)
            {
                self.bytes -= content.sealed.len();
            }
        }
    }
}
