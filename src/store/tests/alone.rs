//! One of several processes that share nothing: what it did itself it knows as well as any.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Fresh, Kind, rules};
use crate::random::OsRandom;
use crate::store::{AloneStore, Capacity, Store as _};

struct Alone;

impl Kind for Alone {
    fn make(&self, _: Capacity) -> BoxFuture<'_, Fresh> {
        std::future::ready(Fresh::new(AloneStore::new(&OsRandom))).boxed()
    }
}

rules!(super::Alone);

/// A session that one process sealed is not renewed at every other one that it meets.
#[test]
fn all_processes_have_one_epoch_and_none_is_an_authority() {
    let (one, two) = (AloneStore::new(&OsRandom), AloneStore::new(&OsRandom));
    assert_eq!(one.epoch(), two.epoch());
    assert!(!one.is_authority() && !one.keeps_content());
}
