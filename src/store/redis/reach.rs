//! Whether Redis can be reached, since when it cannot, and what may be done meanwhile.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::store::StoreError;

/// The state of the feed, for everybody who asks. A request reads one number.
#[derive(Debug)]
pub(super) struct Reach {
    /// 0: the feed is live. Else when it was lost; [`NEVER`] before its first reading.
    lost: AtomicU64,
    phase: watch::Sender<Phase>,
    grace: Duration,
    /// How far Redis's clock is ahead of ours, in milliseconds.
    ahead: AtomicI64,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first attempt is under way.
    Starting,
    /// The connection is good, but the store is another one: it is being found.
    Finding,
    /// What holds has been read, and news arrive.
    Live,
    /// They do not.
    Lost,
}

/// Whether a look may be answered from what is known here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Clear,
    /// This process has just started: its first reading is a moment away.
    NotYet,
    /// For longer than the grace, or from the start.
    Gone,
}

impl Reach {
    pub(super) fn new(grace: Duration) -> Self {
        Self {
            lost: AtomicU64::new(NEVER),
            phase: watch::Sender::new(Phase::Starting),
            grace,
            ahead: AtomicI64::new(0),
        }
    }

    pub(super) fn sight(&self, now: Timestamp) -> Sight {
        match self.lost.load(Ordering::Acquire) {
            0 => Sight::Clear,
            NEVER if *self.phase.borrow() == Phase::Starting => Sight::NotYet,
            NEVER => Sight::Gone,
            // Contract §9: API calls go on for `store.grace`.
            lost if now.since(Timestamp::from_millis(lost)) <= self.grace => Sight::Clear,
            _ => Sight::Gone,
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.lost.load(Ordering::Acquire) == 0
    }

    pub(super) fn was_live(&self) -> bool {
        self.lost.load(Ordering::Acquire) != NEVER
    }

    pub(super) fn now_live(&self) {
        self.lost.store(0, Ordering::Release);
        self.phase.send_replace(Phase::Live);
    }

    /// Somebody met another store than was known. What is known serves on.
    pub(super) fn now_finding(&self, now: Timestamp) {
        self.lose(now);
        self.phase.send_replace(Phase::Finding);
    }

    /// Says whether it was live until now.
    pub(super) fn now_lost(&self, now: Timestamp) -> bool {
        let was_live = self.lose(now);
        self.phase.send_replace(Phase::Lost);
        was_live
    }

    fn lose(&self, now: Timestamp) -> bool {
        let since = now.as_millis().clamp(1, NEVER - 1);
        self.lost
            .compare_exchange(0, since, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Waits until the first attempt has come to something, bounded.
    pub(super) async fn started(&self) {
        let mut phase = self.phase.subscribe();
        let started = phase.wait_for(|phase| *phase != Phase::Starting);
        let _slow = tokio::time::timeout(START, started).await;
    }

    /// Waits for the first attempt, and for one that follows a store that turned out to be another one: both are a moment away.
    /// Where Redis is known to be out of reach nobody waits.
    pub(super) async fn found(&self) -> Result<(), StoreError> {
        let mut phase = self.phase.subscribe();
        let decided = phase.wait_for(|phase| matches!(phase, Phase::Live | Phase::Lost));
        match tokio::time::timeout(MOMENT, decided).await {
            Ok(Ok(phase)) if *phase == Phase::Live => Ok(()),
            _ => Err(unreachable()),
        }
    }

    /// What Redis's clock says when ours says `local`: what all replicas agree on.
    pub(super) fn time(&self, local: Timestamp) -> Timestamp {
        let ahead = self.ahead.load(Ordering::Relaxed);
        Timestamp::from_millis(local.as_millis().saturating_add_signed(ahead))
    }

    /// Measured: `redis` was the time there when it was `local` here. A difference below a quarter of a second is the way
    /// there and back, and does not move time.
    pub(super) fn measured(&self, redis: Timestamp, local: Timestamp) {
        let signed = |time: Timestamp| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let ahead = signed(redis).saturating_sub(signed(local));
        let known = self.ahead.load(Ordering::Relaxed);
        if known.abs_diff(ahead) >= NOTICEABLE {
            self.ahead.store(ahead, Ordering::Relaxed);
        }
    }
}

pub(super) const fn unreachable() -> StoreError {
    StoreError(std::borrow::Cow::Borrowed("Redis cannot be reached"))
}

const NEVER: u64 = u64::MAX;
const NOTICEABLE: u64 = 250;
/// How long the first requests of a process wait for its first reading.
const START: Duration = Duration::from_secs(3);
/// How long a call waits for a store that is being found.
const MOMENT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
