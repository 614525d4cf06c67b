//! Refusals: the first is remembered.

use super::{G0, G1, Kind, NOW, at, session};

pub(super) async fn the_first_refusal_of_a_generation_is_remembered(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert_eq!(store.refused(session(1), G0, NOW).await.unwrap(), NOW);
    assert_eq!(store.refused(session(1), G0, at(5)).await.unwrap(), NOW);
    assert_eq!(store.refused(session(1), G0, at(60)).await.unwrap(), NOW);
    assert_eq!(store.refused(session(1), G1, at(60)).await.unwrap(), at(60));
    assert_eq!(store.refused(session(2), G0, at(61)).await.unwrap(), at(61));
}
