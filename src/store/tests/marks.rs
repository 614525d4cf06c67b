//! One-time values: used once, forgotten when over, bounded.

use super::{NOW, at, now, small, store};
use crate::store::Store as _;

#[test]
fn a_mark_is_used_once() {
    let store = store();
    assert!(now(store.use_once([1; 32], at(600), NOW)).unwrap());
    assert!(!now(store.use_once([1; 32], at(600), NOW)).unwrap());
    assert!(!now(store.use_once([1; 32], at(900), at(599))).unwrap());
    assert!(now(store.use_once([2; 32], at(600), NOW)).unwrap());
}

#[test]
fn a_mark_is_forgotten_when_it_is_over() {
    let store = store();
    assert!(now(store.use_once([1; 32], at(600), NOW)).unwrap());
    assert!(now(store.use_once([1; 32], at(1200), at(600))).unwrap());
    assert!(!now(store.use_once([1; 32], at(1200), at(601))).unwrap());
}

/// A mark that is over behind one that is not: neither kept for ever nor taken for used.
#[test]
fn marks_may_be_over_in_any_order() {
    let store = small(|capacity| capacity.marks = 2);
    assert!(now(store.use_once([1; 32], at(600), NOW)).unwrap());
    for round in 0..10 {
        assert!(now(store.use_once([2; 32], at(10 + round * 10), at(round * 10))).unwrap());
    }
    assert!(!now(store.use_once([1; 32], at(600), at(100))).unwrap());
}

#[test]
fn the_oldest_mark_goes_first_when_all_room_is_taken() {
    let store = small(|capacity| capacity.marks = 3);
    for mark in 1..=4 {
        assert!(now(store.use_once([mark; 32], at(600), NOW)).unwrap());
    }
    for mark in 2..=4 {
        assert!(!now(store.use_once([mark; 32], at(600), NOW)).unwrap(), "{mark}");
    }
    assert!(now(store.use_once([1; 32], at(600), NOW)).unwrap());
}

/// The race of two callbacks with one state (attack: a copied login cookie): one wins.
#[test]
fn only_one_of_many_at_once_uses_a_mark() {
    let store = store();
    let wins = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..200_u8)
                        .filter(|mark| now(store.use_once([*mark; 32], at(600), NOW)).unwrap())
                        .count()
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
    });
    assert_eq!(wins, 200);
}
