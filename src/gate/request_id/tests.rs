//! Ids that do not repeat, across threads and processes.

use std::collections::HashSet;

use super::*;
use crate::random::OsRandom;

#[test]
fn ids_are_unique_across_threads() {
    let ids = RequestIds::new(&OsRandom);
    let all: HashSet<u128> = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..5000).map(|_| ids.next().0).collect::<Vec<_>>()))
            .collect();
        makers
            .into_iter()
            .flat_map(|maker| maker.join().unwrap())
            .collect()
    });
    assert_eq!(all.len(), 20_000);
}

#[test]
fn two_processes_do_not_share_a_prefix() {
    let (one, other) = (RequestIds::new(&OsRandom), RequestIds::new(&OsRandom));
    assert_ne!(one.next().0 >> 64, other.next().0 >> 64);
}

#[test]
fn header_and_display_agree() {
    let id = RequestId(0x0123_4567_89ab_cdef_0011_2233_4455_66ff);
    assert_eq!(id.header().to_str().unwrap(), id.to_string());
    assert_eq!(id.to_string(), "0123456789abcdef00112233445566ff");
}
