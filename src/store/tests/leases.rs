//! One claimant at a time may renew a session.

use std::time::Duration;

use super::{NOW, at, now, session, store};
use crate::store::{Claimant, LEASE, Store as _};

const ONE: Claimant = Claimant(1);
const TWO: Claimant = Claimant(2);

#[test]
fn a_claim_holds_while_it_is_kept_up_and_until_it_is_released() {
    // Attack 133.
    let store = store();
    assert!(now(store.claim(session(1), ONE, NOW)).unwrap());
    assert!(!now(store.claim(session(1), TWO, at(1))).unwrap());
    assert!(
        now(store.claim(session(2), TWO, at(1))).unwrap(),
        "another session"
    );
    assert!(now(store.claim(session(1), ONE, at(4))).unwrap(), "kept up");
    assert!(!now(store.claim(session(1), TWO, at(9))).unwrap());
    now(store.release(session(1), TWO)).unwrap();
    assert!(
        !now(store.claim(session(1), TWO, at(9))).unwrap(),
        "not its to release"
    );
    now(store.release(session(1), ONE)).unwrap();
    assert!(now(store.claim(session(1), TWO, at(9))).unwrap());
}

#[test]
fn a_claim_that_is_not_kept_up_is_anybodys() {
    // Attack 146: its holder crashed.
    let store = store();
    assert!(now(store.claim(session(1), ONE, NOW)).unwrap());
    let last = NOW.after(LEASE).as_millis() - 1;
    let last = crate::clock::Timestamp::from_millis(last);
    assert!(!now(store.claim(session(1), TWO, last)).unwrap());
    assert!(now(store.claim(session(1), TWO, NOW.after(LEASE))).unwrap());
    let later = NOW.after(LEASE + Duration::from_millis(1));
    assert!(
        !now(store.claim(session(1), ONE, later)).unwrap(),
        "it has lost it"
    );
}

#[test]
fn a_clock_that_is_set_back_makes_no_claim_of_hours() {
    let store = store();
    assert!(now(store.claim(session(1), ONE, at(7200))).unwrap());
    assert!(now(store.claim(session(1), TWO, NOW)).unwrap());
}
