//! What cannot be seen from outside: that appointments do not pile up.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::time::Duration;

use super::{Kept, Sessions};
use crate::clock::Timestamp;
use crate::session::{Generation, SessionId};
use crate::store::Capacity;

/// A session of twelve hours that is renewed every five minutes, each renewal presented half a minute later.
#[test]
fn a_long_session_keeps_few_appointments() {
    let sessions = Sessions::default();
    let at = |seconds| Timestamp::from_secs(1_800_000_000).after(Duration::from_secs(seconds));
    let id = SessionId([1; 16]);
    for number in 0..144 {
        let now = at(number * 300);
        let result = Kept {
            from: Generation(number),
            sealed: vec![0; 100],
            until: now.after(Duration::from_secs(1800)),
        };
        let kept = sessions.keep_renewal(id, result, at(43_200), now, &Capacity::default());
        assert!(kept.unwrap());
        sessions.presented(id, Generation(number + 1), now.after(Duration::from_secs(30)));
        let appointments: usize = sessions
            .shards
            .iter()
            .map(|shard| shard.read().unwrap().due.len())
            .sum();
        // One that counts, and those of the last idle timeout that have been overtaken.
        assert!(appointments <= 12, "{appointments} after {number} renewals");
        // Results of generations past are gone.
        assert_eq!(format!("{:?}", sessions.result_bytes), "100");
    }
}
