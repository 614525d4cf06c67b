//! What a store outside this process is given opens for whom it is for, and for nobody else.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail loudly")]

use std::sync::Arc;

use super::Sealer;
use crate::config::tests::fixture::key;
use crate::random::OsRandom;

fn sealer(keys: &[u8]) -> Sealer {
    let keys: Vec<_> = keys.iter().map(|byte| key(*byte)).collect();
    Sealer::new(&keys, Arc::new(OsRandom))
}

#[test]
fn what_is_sealed_opens_for_its_purpose_and_name_only() {
    let sealer = sealer(&[7]);
    let value = sealer.seal("record", b"name", b"alice").unwrap();
    assert_eq!(&**sealer.open("record", b"name", &value).unwrap(), b"alice");
    assert!(sealer.open("end", b"name", &value).is_none());
    assert!(sealer.open("record", b"eman", &value).is_none());
    assert!(!value.windows(5).any(|part| part == b"alice"));
}

#[test]
fn no_byte_of_it_can_be_changed_or_left_out() {
    let sealer = sealer(&[7]);
    let value = sealer.seal("record", b"name", b"alice").unwrap();
    for at in 0..value.len() {
        let mut changed = value.clone();
        changed[at] ^= 1;
        assert!(sealer.open("record", b"name", &changed).is_none(), "{at}");
        assert!(sealer.open("record", b"name", &value[..at]).is_none(), "{at}");
    }
}

#[test]
fn every_key_of_the_ring_opens_and_the_first_seals() {
    let old = sealer(&[7]).seal("record", b"name", b"alice").unwrap();
    let both = sealer(&[8, 7]);
    assert!(both.open("record", b"name", &old).is_some());
    let new = both.seal("record", b"name", b"alice").unwrap();
    assert!(sealer(&[7]).open("record", b"name", &new).is_none());
    assert!(sealer(&[8]).open("record", b"name", &new).is_some());
    assert!(sealer(&[8]).open("record", b"name", &old).is_none());
}

#[test]
fn two_seals_of_one_thing_share_nothing() {
    let sealer = sealer(&[7]);
    let one = sealer.seal("record", b"name", b"alice").unwrap();
    let two = sealer.seal("record", b"name", b"alice").unwrap();
    assert_ne!(one[8..], two[8..]);
}
