//! The memory of one process, written down.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use super::{Fresh, Kind, NOW, counts_room, rules, tests};
use crate::config::tests::fixture::key;
use crate::random::OsRandom;
use crate::store::{Capacity, FileStore};

struct File;

impl Kind for File {
    fn make(&self, capacity: Capacity) -> BoxFuture<'_, Fresh> {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state.redb");
        let store = FileStore::with_capacity(&path, &[key(7)], Arc::new(OsRandom), NOW, capacity);
        std::future::ready(Fresh::on(store.unwrap(), folder)).boxed()
    }

    /// Each of them waits for the disk.
    fn lives(&self) -> u32 {
        8
    }
}

rules!(super::File);
counts_room!(super::File);
tests! { super::File; epoch: each_store_has_an_epoch_of_its_own; }
