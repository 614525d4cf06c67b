//! The lifetime of what a store remembers has a name.

use super::Kind;

pub(super) async fn each_store_has_an_epoch_of_its_own(kind: &dyn Kind) {
    let (one, two) = (kind.fresh().await, kind.fresh().await);
    assert_ne!(one.epoch(), two.epoch());
    assert_eq!(one.epoch(), one.epoch());
}
