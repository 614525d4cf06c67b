//! For a store whose truth is elsewhere and that answers from here: what it can tell again.

use std::sync::PoisonError;

use super::Members;
use crate::clock::Timestamp;
use crate::store::Cutoff;

/// An issuer, one of its members or all of them, and since when they have ended.
pub(in crate::store) type Known = (Box<str>, Option<Box<str>>, Cutoff);

impl Members {
    /// The ends that hold.
    pub(in crate::store::memory) fn cutoffs(&self, now: Timestamp) -> Vec<Known> {
        let mut known = Vec::new();
        let everybody = self.everybody.read().unwrap_or_else(PoisonError::into_inner);
        let everybody = everybody.iter().filter(|(_, cutoff)| cutoff.until > now);
        known.extend(everybody.map(|(issuer, cutoff)| (issuer.clone(), None, *cutoff)));
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            for (issuer, members) in &shard.ends {
                let members = members.iter().filter(|(_, cutoff)| cutoff.until > now);
                known.extend(members.map(|(member, cutoff)| (issuer.clone(), Some(member.clone()), *cutoff)));
            }
        }
        known
    }
}
