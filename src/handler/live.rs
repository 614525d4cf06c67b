//! Which configuration is current: swapped whole, looked up once per request.
//!
//! What a request pays for it: one load of a word that nobody writes but a reload, one comparison, and the lock and the
//! counter of its own connection's [`View`], which no other thread is at. The counter of what all connections share is
//! touched when a connection comes, when it goes, and once after a reload.
//!
//! A request goes on with what it began with. An idle connection keeps the old configuration until its next request or
//! its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is current, for all.
#[derive(Debug)]
pub(super) struct Live<T> {
    /// Moves on with each swap, behind it.
    number: AtomicU64,
    current: Mutex<(u64, Arc<T>)>,
}

/// What one connection (or whoever else asks) last saw of it.
#[derive(Debug)]
pub(super) struct View<T> {
    live: Arc<Live<T>>,
    seen: Mutex<Arc<Seen<T>>>,
}

/// One state of the world, counted apart for each view.
#[derive(Debug)]
pub(super) struct Seen<T> {
    number: u64,
    shared: Arc<T>,
}

impl<T> Live<T> {
    /// Begins with `first`.
    pub(super) fn new(first: T) -> Arc<Self> {
        Arc::new(Self {
            number: AtomicU64::new(0),
            current: Mutex::new((0, Arc::new(first))),
        })
    }

    /// What is current.
    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&lock(&self.current).1)
    }

    /// Puts `next` in its place, from the next request on.
    pub(super) fn swap(&self, next: T) {
        let mut current = lock(&self.current);
        let number = current.0.wrapping_add(1);
        *current = (number, Arc::new(next));
        self.number.store(number, Ordering::Release);
    }

    fn seen(&self) -> Arc<Seen<T>> {
        let current = lock(&self.current);
        Arc::new(Seen {
            number: current.0,
            shared: Arc::clone(&current.1),
        })
    }
}

impl<T> View<T> {
    pub(super) fn new(live: &Arc<Live<T>>) -> Self {
        Self {
            live: Arc::clone(live),
            seen: Mutex::new(live.seen()),
        }
    }

    /// What all views look at.
    pub(super) fn live(&self) -> &Live<T> {
        &self.live
    }

    /// What is current now; stays what it is for whoever holds it.
    pub(super) fn current(&self) -> Arc<Seen<T>> {
        let number = self.live.number.load(Ordering::Acquire);
        let mut seen = lock(&self.seen);
        if seen.number != number {
            *seen = self.live.seen();
        }
        Arc::clone(&seen)
    }
}

impl<T> Clone for View<T> {
    /// A view of its own.
    fn clone(&self) -> Self {
        Self::new(&self.live)
    }
}

impl<T> std::ops::Deref for Seen<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.shared
    }
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    // Each critical section is one assignment: a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
