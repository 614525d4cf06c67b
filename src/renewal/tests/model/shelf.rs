//! The model's store: what [`crate::store::Store`] promises about one session.

use super::rules::Rules;
use super::state::{Generation, Seconds};
use crate::store::LEASE;

/// How long results live on once a newer generation has been shown (contract §9).
pub(super) const GRACE: Seconds = 60;
/// How long they live unseen: the idle timeout.
const UNSEEN: Seconds = 1800;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Shelf {
    pub(super) epoch: u8,
    pub(super) ended: Option<End>,
    pub(super) newest: Option<Newest>,
    results: Vec<(Generation, Seconds)>,
    lease: Option<(Claimant, Seconds)>,
    refused: Option<(Generation, Seconds)>,
}

/// As [`crate::store::EndReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum End {
    LoggedOut,
    Revoked,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Newest {
    pub(super) generation: Generation,
    pub(super) presented: bool,
}

/// Who may renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Claimant {
    /// The flight of a replica.
    Flight(u8),
    /// What a logout left to do.
    Revoker(u8),
    /// Nobody who lives.
    Dead,
}

impl Shelf {
    pub(super) fn claim(&mut self, claimant: Claimant, now: Seconds, rules: &Rules) -> bool {
        if rules.no_lease {
            return true;
        }
        let free = self
            .lease
            .is_none_or(|(holder, since)| holder == claimant || now - since >= lease());
        if free {
            self.lease = Some((claimant, now));
        }
        free
    }

    pub(super) fn release(&mut self, claimant: Claimant) {
        self.lease = self.lease.filter(|(holder, _)| *holder != claimant);
    }

    pub(super) fn holder(&self) -> Option<Claimant> {
        self.lease.map(|(holder, _)| holder)
    }

    /// Whether the dead keep the living waiting.
    pub(super) fn is_orphaned(&self, now: Seconds) -> bool {
        self.lease
            .is_some_and(|(holder, since)| holder == Claimant::Dead && now - since < lease())
    }

    /// Whoever has the right has asked for it again.
    pub(super) fn kept_up(&mut self, now: Seconds) {
        if let Some((_, since)) = &mut self.lease {
            *since = now;
        }
    }

    /// A replica has died.
    pub(super) fn bereave(&mut self, dead: impl Fn(Claimant) -> bool) {
        if let Some((holder, _)) = &mut self.lease
            && dead(*holder)
        {
            *holder = Claimant::Dead;
        }
    }

    pub(super) fn keep(&mut self, from: Generation, now: Seconds, rules: &Rules) -> bool {
        if rules.renewal_wins {
            self.ended = None;
        } else if self.ended.is_some() {
            return false;
        }
        let mut until = now
            + if rules.results_expire_unseen {
                GRACE
            } else {
                UNSEEN
            };
        match self.newest {
            Some(newest) if newest.generation > from => {
                if newest.presented {
                    until = until.min(now + GRACE);
                }
            }
            _ => {
                self.newest = Some(Newest {
                    generation: from + 1,
                    presented: false,
                });
            }
        }
        self.results.retain(|(kept, _)| *kept != from);
        if !rules.keeps_nothing {
            self.results.push((from, until));
        }
        true
    }

    pub(super) fn renewal(&self, from: Generation, now: Seconds) -> bool {
        self.results
            .iter()
            .any(|(kept, until)| *kept == from && *until > now)
    }

    pub(super) fn presented(&mut self, generation: Generation, now: Seconds, rules: &Rules) {
        if let Some(newest) = &mut self.newest {
            newest.presented |= newest.generation == generation;
        }
        let deadline = if rules.no_grace { now } else { now + GRACE };
        for (from, until) in &mut self.results {
            if *from < generation {
                *until = (*until).min(deadline);
            }
        }
    }

    pub(super) fn end(&mut self, reason: End) {
        self.ended.get_or_insert(reason);
    }

    /// The first time this generation was refused.
    pub(super) fn refused(&mut self, generation: Generation, now: Seconds) -> Seconds {
        match self.refused {
            Some((refused, first)) if refused == generation => first,
            _ => {
                self.refused = Some((generation, now));
                now
            }
        }
    }

    /// It has lost its memory.
    pub(super) fn restarted(&self) -> Self {
        Self {
            epoch: self.epoch + 1,
            ..Self::default()
        }
    }
}

/// Seconds of [`LEASE`].
pub(super) fn lease() -> Seconds {
    Seconds::try_from(LEASE.as_secs()).unwrap()
}
