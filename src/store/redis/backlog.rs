//! What was decided here while Redis was out of reach, and has to be made up for: ends, and results of renewals whose refresh
//! token is spent. Bounded; in the order in which it came.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::EndReason;

use super::event::{Members, Reason};

/// One thing to make up for.
#[derive(Clone)]
pub(super) enum Owed {
    End {
        session: SessionId,
        reason: EndReason,
        until: Timestamp,
    },
    Cutoff {
        issuer: Box<str>,
        whose: Members,
        before: Timestamp,
        reason: Reason,
        until: Timestamp,
    },
    Renewal {
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        result_until: Timestamp,
        until: Timestamp,
    },
}

/// What is owed.
pub(super) struct Backlog {
    owed: Mutex<Queue>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Queue {
    owed: VecDeque<Owed>,
    /// The sessions whose end is among it: whoever logs out again and again with one cookie is owed one end.
    ending: HashSet<SessionId>,
}

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backlog({})", self.lock().owed.len())
    }
}

impl Default for Backlog {
    fn default() -> Self {
        Self {
            owed: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }
}

impl Backlog {
    /// Takes `owed` in; `false` where there is no room. The last quarter is for ends.
    pub(super) fn owe(&self, owed: Owed) -> bool {
        let room = if matches!(owed, Owed::Renewal { .. }) {
            CAPACITY - CAPACITY / 4
        } else {
            CAPACITY
        };
        let mut all = self.lock();
        if let Owed::End { session, .. } = &owed
            && all.ending.contains(session)
        {
            return true;
        }
        let taken = all.owed.len() < room;
        if taken {
            if let Owed::End { session, .. } = &owed {
                all.ending.insert(*session);
            }
            all.owed.push_back(owed);
        }
        self.count.send_replace(all.owed.len());
        taken
    }

    /// The oldest, which stays until it is [`Self::paid`].
    pub(super) fn first(&self) -> Option<Owed> {
        self.lock().owed.front().cloned()
    }

    pub(super) fn paid(&self) {
        let mut all = self.lock();
        if let Some(Owed::End { session, .. }) = all.owed.pop_front() {
            all.ending.remove(&session);
        }
        self.count.send_replace(all.owed.len());
    }

    /// Waits until nothing is owed.
    pub(super) async fn empty(&self) {
        let mut count = self.count.subscribe();
        // An error means that the counter is gone, which `self` holds.
        let _counted = count.wait_for(|count| *count == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CAPACITY: usize = 1 << 14;
