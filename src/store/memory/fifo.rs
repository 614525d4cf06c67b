//! A bounded map that forgets its oldest entry when it is full.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;

/// Entries in the order in which they came. `Debug` shows how many.
pub(super) struct Fifo<K, V> {
    entries: HashMap<K, V>,
    /// The same keys, oldest first.
    order: VecDeque<K>,
}

impl<K, V> Default for Fifo<K, V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K, V> fmt::Debug for Fifo<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fifo({})", self.order.len())
    }
}

impl<K: Copy + Eq + Hash, V> Fifo<K, V> {
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key)
    }

    /// Puts an entry in and says whose place it took: where there are `capacity` already, the oldest goes. An entry that is
    /// replaced keeps its place.
    pub(super) fn put(&mut self, key: K, value: V, capacity: usize) -> Option<K> {
        if self.entries.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > capacity {
            return self.forget_oldest();
        }
        None
    }

    /// Forgets from the oldest on as long as `over` says so; what is over further on waits for its turn.
    pub(super) fn forget_while(&mut self, over: impl Fn(&V) -> bool) {
        while self
            .order
            .front()
            .and_then(|key| self.entries.get(key))
            .is_some_and(&over)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) -> Option<K> {
        let key = self.order.pop_front()?;
        self.entries.remove(&key);
        Some(key)
    }
}
