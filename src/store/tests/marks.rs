//! One-time values: used once, forgotten when over.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Kind, NOW, at};

pub(super) async fn a_mark_is_used_once(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert!(store.use_once([1; 32], at(600), NOW).await.unwrap());
    assert!(!store.use_once([1; 32], at(600), NOW).await.unwrap());
    assert!(!store.use_once([1; 32], at(900), at(599)).await.unwrap());
    assert!(store.use_once([2; 32], at(600), NOW).await.unwrap());
}

pub(super) async fn a_mark_is_forgotten_when_it_is_over(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert!(store.use_once([1; 32], at(600), NOW).await.unwrap());
    assert!(store.use_once([1; 32], at(1200), at(600)).await.unwrap());
    assert!(!store.use_once([1; 32], at(1200), at(601)).await.unwrap());
}

/// The race of two callbacks with one state (attack: a copied login cookie): one wins.
pub(super) async fn only_one_of_many_at_once_uses_a_mark(kind: &dyn Kind) {
    let store = kind.fresh().await;
    let tries = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let tries = (0..200_u8).map(|mark| store.use_once([mark; 32], at(600), NOW));
            let used = join_all(tries).await;
            used.into_iter().filter(|first| *first == Ok(true)).count()
        })
    });
    let wins: usize = join_all(tries).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(wins, 200);
}
