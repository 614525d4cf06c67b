//! The content of sessions that live in the store.

use super::{Kind, NOW, at};

const NAME: [u8; 32] = [7; 32];

pub(super) async fn content_is_there_until_it_is_over(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert_eq!(store.content(NAME, NOW).await.unwrap(), None);
    store
        .put_content(NAME, b"sealed".to_vec(), at(10), NOW)
        .await
        .unwrap();
    assert_eq!(
        store.content(NAME, at(9)).await.unwrap().as_deref(),
        Some(&b"sealed"[..])
    );
    assert_eq!(store.content(NAME, at(10)).await.unwrap(), None);
    store
        .put_content(NAME, b"anew".to_vec(), at(20), at(10))
        .await
        .unwrap();
    assert_eq!(
        store.content(NAME, at(19)).await.unwrap().as_deref(),
        Some(&b"anew"[..])
    );
}

pub(super) async fn content_goes_early_where_it_is_told_to_and_never_stays_longer(kind: &dyn Kind) {
    let store = kind.fresh().await;
    store
        .put_content(NAME, b"sealed".to_vec(), at(100), NOW)
        .await
        .unwrap();
    store.forget_content(NAME, at(200), NOW).await.unwrap();
    assert!(store.content(NAME, at(99)).await.unwrap().is_some());
    store.forget_content(NAME, at(50), NOW).await.unwrap();
    assert!(store.content(NAME, at(49)).await.unwrap().is_some());
    assert!(store.content(NAME, at(50)).await.unwrap().is_none());
}
