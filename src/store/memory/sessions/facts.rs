//! What is known of a session as facts that can be written down, and read back.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::{Entry, Kept, Sessions, Shard, full};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::memory::facts::Fact;
use crate::store::{Capacity, EndReason, Newest, StoreError};

/// What became of a session, without what its renewals brought.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in crate::store) struct Known {
    ended: Option<EndReason>,
    newest: Option<(Generation, bool)>,
    pub(in crate::store) until: Timestamp,
}

impl Sessions {
    /// The session, then its results.
    pub(in crate::store::memory) fn facts(&self, session: SessionId) -> Vec<Fact> {
        let shard = self.read(session);
        let Some(entry) = shard.entries.get(&session) else {
            return Vec::new();
        };
        let Entry {
            ended,
            newest,
            results,
            until,
            ..
        } = entry;
        let known = Known {
            ended: *ended,
            newest: newest.map(|newest| (newest.generation, newest.presented)),
            until: *until,
        };
        let results = results.iter().map(|result| Fact::Result {
            session,
            from: result.from,
            sealed: result.sealed.clone(),
            until: result.until,
        });
        std::iter::once(Fact::Session { session, known })
            .chain(results)
            .collect()
    }

    /// Knows a session again.
    pub(in crate::store::memory) fn recall(
        &self,
        session: SessionId,
        known: Known,
        now: Timestamp,
        capacity: &Capacity,
    ) -> Result<(), StoreError> {
        self.change(session, known.until, now, capacity.sessions, |entry, _| {
            entry.ended = known.ended;
            entry.newest = known.newest.map(|(generation, presented)| Newest {
                generation,
                presented,
            });
        })
    }

    /// Keeps a result again, where its session is known.
    pub(in crate::store::memory) fn recall_result(
        &self,
        session: SessionId,
        result: Kept,
        now: Timestamp,
        capacity: &Capacity,
    ) -> Result<(), StoreError> {
        let bytes = result.sealed.len();
        let mut shard = self
            .shard(session)
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Shard { entries, due } = &mut *shard;
        let Some(entry) = entries.get_mut(&session) else {
            return Ok(());
        };
        if result.until <= now {
            return Ok(());
        }
        if !self.result_bytes.take(bytes, capacity.result_bytes) {
            return Err(full());
        }
        entry.results.push(result);
        // The oldest goes first where there are too many.
        entry.results.sort_by_key(|result| result.from);
        entry.arm(session, due);
        Ok(())
    }
}
