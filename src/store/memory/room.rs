//! Counts what is held, so that it stays bounded across shards.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Default)]
pub(super) struct Room(AtomicUsize);

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.load(Ordering::Relaxed))
    }
}

impl Room {
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }

    /// Takes `amount` unless more than `capacity` would then be taken.
    pub(super) fn take(&self, amount: usize, capacity: usize) -> bool {
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                taken.checked_add(amount).filter(|taken| *taken <= capacity)
            })
            .is_ok()
    }

    pub(super) fn give_back(&self, amount: usize) {
        if amount > 0 {
            self.0.fetch_sub(amount, Ordering::AcqRel);
        }
    }
}
