//! What is seen before, during and after a swap.

use super::*;

#[test]
fn every_view_sees_the_swap_at_its_next_look() {
    let live = Live::new(1);
    let (one, other) = (View::new(&live), View::new(&live));
    assert_eq!((**one.current(), **other.current()), (1, 1));
    live.swap(2);
    assert_eq!((**one.current(), **other.current()), (2, 2));
    assert_eq!(**one.clone().current(), 2);
}

#[test]
fn whoever_has_begun_goes_on_with_what_was() {
    let live = Live::new(1);
    let view = View::new(&live);
    let begun = view.current();
    live.swap(2);
    assert_eq!((**begun, **view.current()), (1, 2));
}

#[test]
fn what_was_goes_once_nobody_looks_at_it() {
    let live = Live::new(Arc::new(()));
    let first = live.current();
    let view = View::new(&live);
    live.swap(Arc::new(()));
    assert_eq!(
        Arc::strong_count(&first),
        2,
        "held by the view that has not looked"
    );
    let _second = view.current();
    assert_eq!(Arc::strong_count(&first), 1);
}
