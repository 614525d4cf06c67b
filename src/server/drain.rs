//! How a shutdown reaches every connection without costing a request anything.
//!
//! Each connection leaves its task's waker here once. Shutting down sets a word and wakes them all; a connection looks at
//! the word whenever it is polled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

/// Who is to be told, and what.
#[derive(Debug, Default)]
pub(super) struct Drain {
    state: AtomicU8,
    next: AtomicU64,
    wakers: Mutex<HashMap<u64, Waker>>,
}

/// What a connection is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Go on.
    Serve,
    /// Finish what is in flight, then close.
    Finish,
    /// Close now.
    Close,
}

impl Drain {
    /// What to do now.
    pub(super) fn order(&self) -> Order {
        match self.state.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Finish,
            _ => Order::Close,
        }
    }

    /// Tells everybody to finish.
    pub(super) fn begin(&self) {
        self.tell(Order::Finish);
    }

    /// Tells everybody to close.
    pub(super) fn cut(&self) {
        self.tell(Order::Close);
    }

    /// Leaves a waker, to be taken back with [`Self::leave`].
    pub(super) fn enter(&self, waker: Waker) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.wakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, waker);
        id
    }

    /// Takes a waker back.
    pub(super) fn leave(&self, id: u64) {
        self.wakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    fn tell(&self, order: Order) {
        self.state.store(order as u8, Ordering::Release);
        for waker in self
            .wakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            waker.wake_by_ref();
        }
    }
}
