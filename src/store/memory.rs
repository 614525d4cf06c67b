//! The store of one process: everything in memory, bounded, gone with the process (a new epoch).

use crate::random::Random;

use super::Epoch;

/// Shared state of one process.
#[derive(Debug)]
pub struct MemoryStore {
    epoch: Epoch,
}

impl MemoryStore {
    /// An empty store with a new epoch.
    pub fn new(random: &dyn Random) -> Self {
        Self {
            epoch: Epoch(u64::from_le_bytes(random.bytes())),
        }
    }
}
