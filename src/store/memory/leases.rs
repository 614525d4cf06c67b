//! Who may renew which session. Bounded by the flights under way: what is over goes as others are taken.

use std::collections::HashMap;
use std::fmt;

use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::store::{Claimant, LEASE};

#[derive(Default)]
pub(super) struct Leases {
    holders: HashMap<SessionId, (Claimant, Timestamp)>,
    swept: Timestamp,
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leases({})", self.holders.len())
    }
}

impl Leases {
    pub(super) fn claim(&mut self, session: SessionId, claimant: Claimant, now: Timestamp) -> bool {
        // Also where the clock was set back: a lease that would be one of hours is none.
        let holds = |since: Timestamp| since <= now && now.since(since) < LEASE;
        if now < self.swept || now.since(self.swept) >= LEASE {
            self.holders.retain(|_, (_, since)| holds(*since));
            self.swept = now;
        }
        match self.holders.get(&session) {
            Some((holder, since)) if *holder != claimant && holds(*since) => false,
            _ => {
                self.holders.insert(session, (claimant, now));
                true
            }
        }
    }

    pub(super) fn release(&mut self, session: SessionId, claimant: Claimant) {
        if self
            .holders
            .get(&session)
            .is_some_and(|(holder, _)| *holder == claimant)
        {
            self.holders.remove(&session);
        }
    }
}
