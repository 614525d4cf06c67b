//! For a store whose truth is elsewhere and that answers from here: what it learns, and what it can tell again.

use std::sync::PoisonError;

use super::{Kept, Sessions};
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::store::{Capacity, EndReason, Newest, StoreError};

/// A session with the results of its renewals that are kept here, oldest first.
pub(in crate::store) struct Renewals {
    pub(in crate::store) session: SessionId,
    pub(in crate::store) until: Timestamp,
    pub(in crate::store) results: Vec<Kept>,
}

impl Sessions {
    /// Another process has renewed the session.
    pub(in crate::store::memory) fn learn(
        &self,
        session: SessionId,
        newest: Newest,
        until: Timestamp,
        now: Timestamp,
        capacity: &Capacity,
    ) -> Result<(), StoreError> {
        let room = capacity.sessions - capacity.sessions / 4;
        self.change(session, until, now, room, |entry, _| match &mut entry.newest {
            Some(known) if known.generation > newest.generation => {}
            Some(known) if known.generation == newest.generation => known.presented |= newest.presented,
            _ => entry.newest = Some(newest),
        })
    }

    /// The ends that hold.
    pub(in crate::store::memory) fn ends(&self, now: Timestamp) -> Vec<(SessionId, EndReason, Timestamp)> {
        let mut ends = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let ended = shard.entries.iter().filter(|(_, entry)| entry.until > now);
            ends.extend(ended.filter_map(|(session, entry)| Some((*session, entry.ended?, entry.until))));
        }
        ends
    }

    /// Forgets which generation is the newest, but where a result that is kept here leads to it; those it answers.
    pub(in crate::store::memory) fn forget_generations(&self, now: Timestamp) -> Vec<Renewals> {
        let mut renewals = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            for (session, entry) in &mut shard.entries {
                let mut results: Vec<Kept> = entry
                    .results
                    .iter()
                    .filter(|result| result.until > now)
                    .cloned()
                    .collect();
                if results.is_empty() {
                    entry.newest = None;
                } else if entry.ended.is_none() {
                    results.sort_by_key(|result| result.from);
                    renewals.push(Renewals {
                        session: *session,
                        until: entry.until,
                        results,
                    });
                }
            }
        }
        renewals
    }
}
