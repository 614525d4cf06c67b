//! What came again: the sessions that this thread opened last, by the exact bytes of their `Cookie` field.
//!
//! A browser sends the same cookies with call after call, and opening three of them costs as much as the rest of what is
//! decided about a call. So what opened once is remembered while the bytes stay the same:
//!
//! 1. Found only where the whole field is equal, byte for byte, and by the very [`super::Cookies`] that opened it: other
//!    keys, another app or another configuration have another number. Authentic once is authentic again.
//! 2. Only sessions are kept; what does not open is looked at anew each time.
//! 3. Nothing about being alive is kept. Lifetimes, the store's word and the generation are asked on every call.
//! 4. Bounded: so many slots a thread, and no field beyond what a default budget allows. A newcomer takes its slot, and
//!    the tokens of whoever was there are wiped. The keys that open the same cookies live in the same memory, so that an
//!    attacker who reads it gains nothing from the slots (M-11).

use std::cell::RefCell;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use super::{Presented, Session};

/// Names one [`super::Cookies`] towards the slots of all threads.
pub(super) fn new_owner() -> u64 {
    static OWNERS: AtomicU64 = AtomicU64::new(0);
    OWNERS.fetch_add(1, Ordering::Relaxed)
}

/// The session that `field` opened to, where this thread remembers it.
pub(super) fn find(owner: u64, field: &[u8]) -> Option<(Arc<Session>, Presented)> {
    with_slots(|slots| {
        let kept = slots.get(slot(owner, field))?.as_ref()?;
        let same = kept.owner == owner && *kept.field == *field;
        same.then(|| (Arc::clone(&kept.session), kept.presented))
    })?
}

/// Remembers what `field` opened to.
pub(super) fn keep(owner: u64, field: &[u8], session: &Arc<Session>, presented: Presented) {
    if field.len() > MAX_FIELD {
        return;
    }
    let kept = Kept {
        owner,
        field: field.into(),
        session: Arc::clone(session),
        presented,
    };
    with_slots(|slots| {
        if slots.is_empty() {
            slots.resize_with(SLOTS, || None);
        }
        if let Some(place) = slots.get_mut(slot(owner, field)) {
            *place = Some(kept);
        }
    });
}

struct Kept {
    owner: u64,
    field: Box<[u8]>,
    session: Arc<Session>,
    presented: Presented,
}

/// By both ends of the field: one of them is random in all but odd jars, and a collision only costs an opening. Keyed, so
/// that nobody can send fields to a slot of his choice: neither to push others out, nor to learn from the time that a
/// comparison takes how much of somebody's cookies he has guessed (M-10).
fn slot(owner: u64, field: &[u8]) -> usize {
    static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let mut hash = KEYED.build_hasher();
    (owner, field.len()).hash(&mut hash);
    field.get(..HEAD).unwrap_or(field).hash(&mut hash);
    field
        .get(field.len().saturating_sub(TAIL)..)
        .unwrap_or(field)
        .hash(&mut hash);
    // SLOTS is a power of two.
    usize::try_from(hash.finish()).unwrap_or_default() & (SLOTS - 1)
}

/// `None` only while the thread ends.
fn with_slots<T>(work: impl FnOnce(&mut Vec<Option<Kept>>) -> T) -> Option<T> {
    thread_local! {
        static SLOTS_OF_THREAD: RefCell<Vec<Option<Kept>>> = const { RefCell::new(Vec::new()) };
    }
    SLOTS_OF_THREAD
        .try_with(|slots| work(&mut slots.borrow_mut()))
        .ok()
}

/// How many sessions this thread remembers.
#[cfg(test)]
pub(super) fn remembered() -> usize {
    with_slots(|slots| slots.iter().flatten().count()).unwrap_or_default()
}

/// At about 6 KiB each, 1.5 MiB a thread.
pub(super) const SLOTS: usize = 256;
/// The default cookie budget and a little for the cookies of others.
const MAX_FIELD: usize = 8 * 1024;
/// The name of the first cookie, its header and the random part of its value.
const HEAD: usize = 64;
/// The authentication tag of the last cookie.
const TAIL: usize = 24;
