//! Refusals: the first is remembered.

use super::{G0, G1, NOW, at, now, session, small, store};
use crate::store::Store as _;

#[test]
fn the_first_refusal_of_a_generation_is_remembered() {
    let store = store();
    assert_eq!(now(store.refused(session(1), G0, NOW)).unwrap(), NOW);
    assert_eq!(now(store.refused(session(1), G0, at(5))).unwrap(), NOW);
    assert_eq!(now(store.refused(session(1), G0, at(60))).unwrap(), NOW);
    assert_eq!(now(store.refused(session(1), G1, at(60))).unwrap(), at(60));
    assert_eq!(now(store.refused(session(2), G0, at(61))).unwrap(), at(61));
}

#[test]
fn refusals_are_bounded() {
    let store = small(|capacity| capacity.refusals = 2);
    for number in 0..3 {
        now(store.refused(session(number), G0, NOW)).unwrap();
    }
    assert_eq!(now(store.refused(session(2), G0, at(5))).unwrap(), NOW);
    assert_eq!(
        now(store.refused(session(0), G0, at(5))).unwrap(),
        at(5),
        "the oldest went"
    );
}
