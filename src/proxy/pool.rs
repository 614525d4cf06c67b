//! The idle upstream connections of this thread.
//!
//! Nothing is shared: a request takes a connection from the thread it runs on and leaves it on the thread it ends on.
//! The one used last goes first, so that what a burst opened can grow old and go; what nobody comes for is swept out.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::link::Link;

/// Names one upstream towards the pools of all threads.
pub(super) fn new_key() -> u64 {
    static KEYS: AtomicU64 = AtomicU64::new(1);
    KEYS.fetch_add(1, Ordering::Relaxed)
}

/// Takes an idle connection that still is one.
pub(super) fn take(key: u64) -> Option<Box<Link>> {
    loop {
        let mut link = with_idle(key, |idle| {
            drop_stale(idle);
            idle.pop_back()
        })??;
        if link.is_fresh() {
            return Some(link);
        }
    }
}

/// Puts a connection back whose answer has been read to its end. What has arrived beyond it belongs to nobody: then the
/// connection is closed (attack 154).
pub(super) fn give_back(mut link: Box<Link>) {
    if !link.arrived.is_empty() {
        return;
    }
    link.rest();
    sweep(link.rested);
    let rejected = with_idle(link.key, |idle| {
        drop_stale(idle);
        idle.push_back(link);
        if idle.len() > MAX_IDLE {
            idle.pop_front()
        } else {
            None
        }
    });
    drop(rejected);
}

/// `None` only while the thread ends.
fn with_idle<T>(key: u64, work: impl FnOnce(&mut VecDeque<Box<Link>>) -> T) -> Option<T> {
    with_all(|all| work(all.entry(key).or_default()))
}

type All = HashMap<u64, VecDeque<Box<Link>>, BuildHasherDefault<KeyHasher>>;

fn with_all<T>(work: impl FnOnce(&mut All) -> T) -> Option<T> {
    thread_local! {
        static IDLE: RefCell<All> = RefCell::default();
    }
    IDLE.try_with(|idle| work(&mut idle.borrow_mut())).ok()
}

/// Closes what has rested too long whoever it leads to: nobody comes for the connections of an upstream that the
/// configuration does not name any more. Once in a while, by whoever gives a connection back at `now`.
fn sweep(now: Instant) {
    thread_local! {
        static SWEPT: Cell<Option<Instant>> = const { Cell::new(None) };
    }
    let due = SWEPT.try_with(|swept| {
        let due = swept
            .get()
            .is_none_or(|swept| now.saturating_duration_since(swept) > MAX_AGE);
        if due {
            swept.set(Some(now));
        }
        due
    });
    if due == Ok(true) {
        with_all(|all| {
            all.retain(|_, idle| {
                drop_stale(idle);
                !idle.is_empty()
            });
        });
    }
}

fn drop_stale(idle: &mut VecDeque<Box<Link>>) {
    if idle
        .front()
        .is_some_and(|oldest| oldest.rested.elapsed() > MAX_AGE)
    {
        let now = Instant::now();
        idle.retain(|link| now.duration_since(link.rested) <= MAX_AGE);
    }
}

/// Keys are small numbers of our own: they are their own hash.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        // The table looks at the top bits too.
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Idle connections per upstream and thread.
const MAX_IDLE: usize = 64;

/// How long a connection may rest.
const MAX_AGE: Duration = Duration::from_secs(60);
