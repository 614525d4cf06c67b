//! All rules together, in any order.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{G0, NOW, at, end, end_subject, keep, look, now, present, session, small, store};
use crate::session::Generation;
use crate::store::{EndReason, Store as _};

#[test]
fn each_store_has_an_epoch_of_its_own() {
    assert_ne!(store().epoch(), store().epoch());
    let one = store();
    assert_eq!(one.epoch(), one.epoch());
}

#[test]
fn debug_tells_no_more_than_numbers() {
    let store = store();
    keep(&store, session(0x5151_5151), G0, b"sealed-bytes", NOW);
    end_subject(&store, Some("alice"), at(10), at(3600), at(10));
    now(store.use_once([0x51; 32], at(600), NOW)).unwrap();
    let shown = format!("{store:?}");
    for secret in ["sealed", "alice", "81, 81", "5151", "login.example"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    End(u32),
    Keep(u32, u64),
    Present(u32, u64),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let session = 0..6_u32;
    let generation = 0..4_u64;
    prop_oneof![
        session.clone().prop_map(Step::End),
        (session.clone(), generation.clone()).prop_map(|(id, from)| Step::Keep(id, from)),
        (session, generation).prop_map(|(id, generation)| Step::Present(id, generation)),
        (0..400_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens in whatever order: ended stays ended, the newest only grows, nothing is kept for the ended,
    /// and when all is over all room has come back.
    #[test]
    fn the_rules_hold_in_any_order(steps in prop::collection::vec(any_step(), 0..60)) {
        let store = small(|capacity| {
            capacity.sessions = 100;
            capacity.result_bytes = 100_000;
        });
        let (mut when, mut ended) = (NOW, HashSet::new());
        let far = at(1_000_000);
        let mut newest = [None; 6];
        for step in steps {
            match step {
                Step::End(id) => {
                    end(&store, session(id), EndReason::Revoked, far, when);
                    ended.insert(id);
                }
                Step::Keep(id, from) => {
                    let until = when.after(Duration::from_secs(600));
                    let done = now(store.keep_renewal(session(id), Generation(from), vec![0; 50], until, far, when));
                    prop_assert_eq!(done, Ok(!ended.contains(&id)));
                }
                Step::Present(id, generation) => present(&store, session(id), Generation(generation), when),
                Step::Wait(seconds) => when = when.after(Duration::from_secs(seconds)),
            }
            for (id, newest) in (0..).zip(newest.iter_mut()) {
                let seen = look(&store, session(id), when);
                prop_assert_eq!(seen.ended.is_some(), ended.contains(&id));
                let generation = seen.newest.map(|newest| newest.generation);
                prop_assert!(generation >= *newest);
                *newest = generation;
            }
        }
        let (over, later) = (at(2_000_000), at(3_000_000));
        let all_bytes = vec![0; 100_000];
        prop_assert_eq!(now(store.keep_renewal(session(1000), G0, all_bytes, later, later, over)), Ok(true));
        for number in 1000..1100 {
            end(&store, session(number), EndReason::Revoked, later, over);
        }
        prop_assert!(now(store.end(session(2000), EndReason::Revoked, later, over)).is_err());
    }
}
