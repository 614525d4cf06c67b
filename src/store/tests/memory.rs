//! The memory of one process.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Fresh, Kind, counts_room, rules, tests};
use crate::random::OsRandom;
use crate::store::{Capacity, MemoryStore};

struct Memory;

impl Kind for Memory {
    fn make(&self, capacity: Capacity) -> BoxFuture<'_, Fresh> {
        std::future::ready(Fresh::new(MemoryStore::with_capacity(&OsRandom, capacity))).boxed()
    }
}

rules!(super::Memory);
counts_room!(super::Memory);
tests! { super::Memory; epoch: each_store_has_an_epoch_of_its_own; }
