//! The content of sessions that live in the store.

use super::{NOW, at, now, small, store};
use crate::store::Store as _;

const NAME: [u8; 32] = [7; 32];

#[test]
fn content_is_there_until_it_is_over() {
    let store = store();
    assert_eq!(now(store.content(NAME, NOW)).unwrap(), None);
    now(store.put_content(NAME, b"sealed".to_vec(), at(10), NOW)).unwrap();
    assert_eq!(
        now(store.content(NAME, at(9))).unwrap().as_deref(),
        Some(&b"sealed"[..])
    );
    assert_eq!(now(store.content(NAME, at(10))).unwrap(), None);
    now(store.put_content(NAME, b"anew".to_vec(), at(20), at(10))).unwrap();
    assert_eq!(
        now(store.content(NAME, at(19))).unwrap().as_deref(),
        Some(&b"anew"[..])
    );
}

#[test]
fn content_goes_early_where_it_is_told_to_and_never_stays_longer() {
    let store = store();
    now(store.put_content(NAME, b"sealed".to_vec(), at(100), NOW)).unwrap();
    now(store.forget_content(NAME, at(200), NOW)).unwrap();
    assert!(now(store.content(NAME, at(99))).unwrap().is_some());
    now(store.forget_content(NAME, at(50), NOW)).unwrap();
    assert!(now(store.content(NAME, at(49))).unwrap().is_some());
    assert!(now(store.content(NAME, at(50))).unwrap().is_none());
}

#[test]
fn content_is_bounded_and_what_is_over_makes_room() {
    let store = small(|capacity| capacity.content_bytes = 10);
    now(store.put_content([1; 32], vec![0; 6], at(10), NOW)).unwrap();
    assert!(
        now(store.put_content([2; 32], vec![0; 6], at(20), NOW)).is_err(),
        "never evicted"
    );
    now(store.put_content([1; 32], vec![0; 10], at(10), NOW)).unwrap();
    now(store.put_content([2; 32], vec![0; 6], at(20), at(10))).unwrap();
    assert!(now(store.content([2; 32], at(10))).unwrap().is_some());
}
