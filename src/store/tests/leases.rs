//! One claimant at a time may renew a session.

use std::time::Duration;

use super::{Kind, NOW, at, session};
use crate::store::{Claimant, LEASE};

const ONE: Claimant = Claimant(1);
const TWO: Claimant = Claimant(2);

pub(super) async fn a_claim_holds_while_it_is_kept_up_and_until_it_is_released(kind: &dyn Kind) {
    // Attack 133.
    let store = kind.fresh().await;
    assert!(store.claim(session(1), ONE, NOW).await.unwrap());
    assert!(!store.claim(session(1), TWO, at(1)).await.unwrap());
    assert!(
        store.claim(session(2), TWO, at(1)).await.unwrap(),
        "another session"
    );
    assert!(store.claim(session(1), ONE, at(4)).await.unwrap(), "kept up");
    assert!(!store.claim(session(1), TWO, at(9)).await.unwrap());
    store.release(session(1), TWO).await.unwrap();
    assert!(
        !store.claim(session(1), TWO, at(9)).await.unwrap(),
        "not its to release"
    );
    store.release(session(1), ONE).await.unwrap();
    assert!(store.claim(session(1), TWO, at(9)).await.unwrap());
}

pub(super) async fn a_claim_that_is_not_kept_up_is_anybodys(kind: &dyn Kind) {
    // Attack 146: its holder crashed.
    let store = kind.fresh().await;
    assert!(store.claim(session(1), ONE, NOW).await.unwrap());
    let last = NOW.after(LEASE).as_millis() - 1;
    let last = crate::clock::Timestamp::from_millis(last);
    assert!(!store.claim(session(1), TWO, last).await.unwrap());
    assert!(store.claim(session(1), TWO, NOW.after(LEASE)).await.unwrap());
    let later = NOW.after(LEASE + Duration::from_millis(1));
    assert!(
        !store.claim(session(1), ONE, later).await.unwrap(),
        "it has lost it"
    );
}

pub(super) async fn a_clock_that_is_set_back_makes_no_claim_of_hours(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert!(store.claim(session(1), ONE, at(7200)).await.unwrap());
    assert!(store.claim(session(1), TWO, NOW).await.unwrap());
}
