//! The rules of the store (contract §9), one by one, on the memory store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{Answer, Capacity, EndReason, Look, MemoryStore, Newest, SessionRef, Store, StoreError};
use crate::clock::Timestamp;
use crate::random::OsRandom;
use crate::session::{Generation, SessionId};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ISSUER: &str = "https://login.example.com";
const G0: Generation = Generation(0);
const G1: Generation = Generation(1);
const G2: Generation = Generation(2);

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

fn store() -> MemoryStore {
    MemoryStore::new(&OsRandom)
}

fn small(change: impl FnOnce(&mut Capacity)) -> MemoryStore {
    let mut capacity = Capacity::default();
    change(&mut capacity);
    MemoryStore::with_capacity(&OsRandom, capacity)
}

fn session(number: u32) -> SessionId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    SessionId(id)
}

/// The memory store never waits.
fn now<T>(answer: Answer<'_, T>) -> Result<T, StoreError> {
    answer.now_or_never().expect("the memory store waits for nobody")
}

fn look_as(store: &MemoryStore, id: SessionId, subject: &str, started: Timestamp, when: Timestamp) -> Look {
    let session = SessionRef {
        id,
        issuer: ISSUER,
        subject,
        started,
    };
    now(store.look(session, when)).unwrap()
}

fn look(store: &MemoryStore, id: SessionId, when: Timestamp) -> Look {
    look_as(store, id, "alice", NOW, when)
}

fn end(store: &MemoryStore, id: SessionId, reason: EndReason, until: Timestamp, when: Timestamp) {
    now(store.end(id, reason, until, when)).unwrap();
}

/// Keeps `sealed` as what the renewal of `from` brought, for 600 s; the session ends after an hour.
fn keep(store: &MemoryStore, id: SessionId, from: Generation, sealed: &[u8], when: Timestamp) -> bool {
    let until = when.after(Duration::from_secs(600));
    now(store.keep_renewal(id, from, sealed.to_vec(), until, at(3600), when)).unwrap()
}

fn kept(store: &MemoryStore, id: SessionId, from: Generation, when: Timestamp) -> Option<Vec<u8>> {
    now(store.renewal(id, from, when)).unwrap()
}

fn present(store: &MemoryStore, id: SessionId, generation: Generation, when: Timestamp) {
    now(store.presented(id, generation, when)).unwrap();
}

#[test]
fn each_store_has_an_epoch_of_its_own() {
    assert_ne!(store().epoch(), store().epoch());
    let one = store();
    assert_eq!(one.epoch(), one.epoch());
}

// --- One-time values -----------------------------------------------------------------------------------------------

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

// --- The end of a session ------------------------------------------------------------------------------------------

#[test]
fn nothing_is_known_of_a_session_that_nothing_happened_to() {
    let store = store();
    assert_eq!(look(&store, session(1), NOW), Look::default());
    end(&store, session(2), EndReason::Revoked, at(3600), NOW);
    assert_eq!(look(&store, session(1), NOW), Look::default());
}

#[test]
fn an_ended_session_stays_ended_until_its_absolute_end() {
    let store = store();
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    assert_eq!(
        look(&store, session(1), at(3599)).ended,
        Some(EndReason::LoggedOut)
    );
    assert_eq!(look(&store, session(1), at(3600)).ended, None);
}

#[test]
fn the_first_reason_stays() {
    let store = store();
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    end(&store, session(1), EndReason::Revoked, at(3600), at(1));
    assert_eq!(look(&store, session(1), at(1)).ended, Some(EndReason::LoggedOut));
}

#[test]
fn a_second_end_does_not_shorten_the_first() {
    let store = store();
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    end(&store, session(1), EndReason::LoggedOut, at(10), NOW);
    assert!(look(&store, session(1), at(3599)).ended.is_some());
}

/// Never evicted: when full, a new one is an error and the old ones hold (contract §9).
#[test]
fn revocations_are_never_evicted() {
    let store = small(|capacity| capacity.sessions = 100);
    for number in 0..100 {
        end(&store, session(number), EndReason::Revoked, at(3600), NOW);
    }
    assert!(now(store.end(session(100), EndReason::Revoked, at(3600), NOW)).is_err());
    assert!((0..100).all(|number| look(&store, session(number), at(10)).ended.is_some()));
    // One that has ended may end again.
    end(&store, session(5), EndReason::Revoked, at(3600), NOW);
    // What is over makes room, wherever it lies.
    end(&store, session(100), EndReason::Revoked, at(7200), at(3600));
    assert!(look(&store, session(100), at(3601)).ended.is_some());
}

#[test]
fn renewals_leave_room_for_revocations() {
    let store = small(|capacity| capacity.sessions = 100);
    let renew = |number| now(store.keep_renewal(session(number), G0, vec![1], at(600), at(3600), NOW));
    assert!((0..75).all(|number| renew(number) == Ok(true)));
    assert!(renew(75).is_err());
    // A session that is known already needs no more room.
    assert!(keep(&store, session(0), G1, b"next", NOW));
    for number in 75..100 {
        end(&store, session(number), EndReason::Revoked, at(3600), NOW);
    }
    // Nor does the end of a session that has been renewed.
    end(&store, session(0), EndReason::Revoked, at(3600), NOW);
    assert!(now(store.end(session(100), EndReason::Revoked, at(3600), NOW)).is_err());
}

#[test]
fn what_is_over_is_forgotten_as_others_come() {
    let store = small(|capacity| capacity.sessions = 1000);
    // Twenty times what there is room for, never more than a tenth of it alive.
    for number in 0..20_000 {
        let when = at(u64::from(number));
        end(
            &store,
            session(number),
            EndReason::Revoked,
            when.after(Duration::from_secs(100)),
            when,
        );
    }
    let held: usize = format!("{store:?}")
        .split("Sessions(")
        .nth(1)
        .and_then(|rest| rest.split(')').next()?.parse().ok())
        .unwrap();
    assert!((100..=300).contains(&held), "{held}");
}

#[test]
fn the_count_holds_when_many_write_at_once() {
    let store = small(|capacity| capacity.sessions = 500);
    let ended = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..4)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    (0..400)
                        .filter(|number| {
                            let id = session(thread * 1000 + number);
                            now(store.end(id, EndReason::Revoked, at(3600), NOW)).is_ok()
                        })
                        .count()
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
    });
    assert_eq!(ended, 500);
}

// --- The end of a subject's sessions -------------------------------------------------------------------------------

fn end_subject(
    store: &MemoryStore,
    subject: Option<&str>,
    before: Timestamp,
    until: Timestamp,
    when: Timestamp,
) {
    now(store.end_subject(ISSUER, subject, before, EndReason::Revoked, until, when)).unwrap();
}

#[test]
fn a_subjects_earlier_sessions_end_and_later_ones_do_not() {
    let store = store();
    end_subject(&store, Some("alice"), at(10), at(3600), at(10));
    let alice = |started| look_as(&store, session(1), "alice", started, at(20)).ended;
    assert_eq!(alice(at(9)), Some(EndReason::Revoked));
    assert_eq!(alice(at(10)), None);
    assert_eq!(look_as(&store, session(1), "bob", at(9), at(20)).ended, None);
    assert_eq!(look_as(&store, session(1), "", at(9), at(20)).ended, None);
    assert_eq!(
        look_as(&store, session(1), "alice", at(9), at(3600)).ended,
        None,
        "over"
    );
}

#[test]
fn the_same_subject_of_another_issuer_is_another() {
    let store = store();
    end_subject(&store, Some("alice"), at(10), at(3600), at(10));
    let other = SessionRef {
        id: session(1),
        issuer: "https://other.example.com",
        subject: "alice",
        started: NOW,
    };
    assert_eq!(now(store.look(other, at(20))).unwrap(), Look::default());
}

#[test]
fn everybody_of_an_issuer_can_be_ended() {
    let store = store();
    end_subject(&store, None, at(10), at(3600), at(10));
    for subject in ["alice", "bob", ""] {
        assert!(
            look_as(&store, session(1), subject, at(9), at(20))
                .ended
                .is_some()
        );
        assert!(
            look_as(&store, session(1), subject, at(10), at(20))
                .ended
                .is_none()
        );
    }
    let other = SessionRef {
        id: session(1),
        issuer: "https://other.example.com",
        subject: "alice",
        started: NOW,
    };
    assert_eq!(now(store.look(other, at(20))).unwrap().ended, None);
}

#[test]
fn a_later_end_of_a_subject_reaches_further_and_undoes_nothing() {
    let store = store();
    for (before, until) in [(at(10), at(3600)), (at(20), at(3000)), (at(5), at(100))] {
        end_subject(&store, Some("alice"), before, until, at(20));
    }
    let alice = |started, when| {
        look_as(&store, session(1), "alice", started, when)
            .ended
            .is_some()
    };
    assert!(alice(at(19), at(3599)));
    assert!(!alice(at(20), at(30)));
}

#[test]
fn the_end_of_the_session_itself_is_told_before_its_subjects() {
    let store = store();
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    end_subject(&store, Some("alice"), at(10), at(3600), at(10));
    assert_eq!(look(&store, session(1), at(20)).ended, Some(EndReason::LoggedOut));
}

#[test]
fn ends_of_subjects_are_never_evicted() {
    let store = small(|capacity| capacity.subjects = 20);
    for number in 0..20 {
        end_subject(&store, Some(&format!("s{number}")), at(10), at(3600), NOW);
    }
    let more =
        |when| now(store.end_subject(ISSUER, Some("more"), at(10), EndReason::Revoked, at(7200), when));
    assert!(more(at(1)).is_err());
    assert!((0..20).all(|number| {
        look_as(&store, session(1), &format!("s{number}"), NOW, at(2))
            .ended
            .is_some()
    }));
    assert!(more(at(3600)).is_ok());
}

// --- Renewal -------------------------------------------------------------------------------------------------------

#[test]
fn a_renewal_is_kept_and_makes_the_next_generation_the_newest() {
    let store = store();
    assert_eq!(kept(&store, session(1), G0, NOW), None);
    assert!(keep(&store, session(1), G0, b"sealed", NOW));
    assert_eq!(
        kept(&store, session(1), G0, at(1)).as_deref(),
        Some(&b"sealed"[..])
    );
    assert_eq!(kept(&store, session(1), G1, at(1)), None);
    assert_eq!(kept(&store, session(2), G0, at(1)), None);
    assert_eq!(
        look(&store, session(1), at(1)),
        Look {
            ended: None,
            newest: Some(Newest {
                generation: G1,
                presented: false
            })
        }
    );
}

#[test]
fn a_result_that_nobody_asks_for_goes_at_its_time_and_the_newest_stays_known() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    assert!(kept(&store, session(1), G0, at(599)).is_some());
    assert!(kept(&store, session(1), G0, at(600)).is_none());
    assert_eq!(look(&store, session(1), at(3599)).newest.unwrap().generation, G1);
    assert_eq!(look(&store, session(1), at(3600)).newest, None);
}

/// The end wins over renewal: nothing is kept for a session that has ended meanwhile.
#[test]
fn the_end_wins_over_renewal() {
    let store = store();
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    assert!(!keep(&store, session(1), G0, b"sealed", at(1)));
    assert_eq!(kept(&store, session(1), G0, at(1)), None);
    assert_eq!(
        look(&store, session(1), at(1)),
        Look {
            ended: Some(EndReason::LoggedOut),
            newest: None
        }
    );
}

/// Who ends a session finds what the last renewal brought, to revoke it.
#[test]
fn a_result_outlives_the_end_for_its_time() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    end(&store, session(1), EndReason::LoggedOut, at(3600), at(1));
    assert!(kept(&store, session(1), G0, at(2)).is_some());
    assert_eq!(look(&store, session(1), at(2)).ended, Some(EndReason::LoggedOut));
}

/// Older generations are served for 60 s after the new one was presented, then no more.
#[test]
fn the_grace_ends_a_minute_after_the_new_generation_was_presented() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    present(&store, session(1), G1, at(100));
    assert!(look(&store, session(1), at(100)).newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(159)).is_some());
    assert!(kept(&store, session(1), G0, at(160)).is_none());
}

#[test]
fn presenting_again_does_not_prolong_the_grace() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    present(&store, session(1), G1, at(100));
    present(&store, session(1), G1, at(150));
    assert!(kept(&store, session(1), G0, at(160)).is_none());
}

#[test]
fn presenting_never_prolongs_a_result() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    present(&store, session(1), G1, at(590));
    assert!(kept(&store, session(1), G0, at(600)).is_none());
}

#[test]
fn presenting_the_old_generation_starts_no_grace() {
    let store = store();
    keep(&store, session(1), G0, b"sealed", NOW);
    present(&store, session(1), G0, at(100));
    assert!(!look(&store, session(1), at(100)).newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(599)).is_some());
}

#[test]
fn presenting_the_middle_of_three_generations_ends_only_what_is_older() {
    let store = store();
    keep(&store, session(1), G0, b"one", NOW);
    keep(&store, session(1), G1, b"two", at(10));
    present(&store, session(1), G1, at(20));
    assert!(!look(&store, session(1), at(20)).newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(80)).is_none());
    assert_eq!(kept(&store, session(1), G1, at(80)).as_deref(), Some(&b"two"[..]));
}

#[test]
fn presenting_a_session_that_was_never_renewed_is_not_remembered() {
    let store = small(|capacity| capacity.sessions = 1);
    for number in 0..100 {
        present(&store, session(number), G0, NOW);
        assert_eq!(look(&store, session(number), NOW), Look::default());
    }
    end(&store, session(0), EndReason::Revoked, at(3600), NOW);
}

/// The newest never becomes an older one, whatever comes in late.
#[test]
fn a_late_result_does_not_turn_back_the_newest() {
    let store = store();
    keep(&store, session(1), G1, b"two", NOW);
    present(&store, session(1), G2, at(1));
    assert!(keep(&store, session(1), G0, b"late", at(2)));
    let newest = look(&store, session(1), at(2)).newest.unwrap();
    assert_eq!(
        newest,
        Newest {
            generation: G2,
            presented: true
        }
    );
    // And it lives no longer than older results may.
    assert!(kept(&store, session(1), G0, at(61)).is_some());
    assert!(kept(&store, session(1), G0, at(62)).is_none());
}

#[test]
fn a_second_result_for_one_generation_replaces_the_first() {
    let store = store();
    keep(&store, session(1), G0, b"first", NOW);
    keep(&store, session(1), G0, b"second", NOW);
    assert_eq!(
        kept(&store, session(1), G0, at(1)).as_deref(),
        Some(&b"second"[..])
    );
}

#[test]
fn results_are_bounded_in_number_and_in_bytes() {
    let store = small(|capacity| capacity.result_bytes = 10_000);
    // Of one session, the last few.
    for generation in 0..100 {
        assert!(keep(&store, session(1), Generation(generation), &[0; 1000], NOW));
    }
    let held =
        (0..100).filter(|generation| kept(&store, session(1), Generation(*generation), at(1)).is_some());
    assert_eq!(held.collect::<Vec<_>>(), (92..100).collect::<Vec<_>>());
    // Of all together, until there is no more room; then it is an error, and what is there stays.
    assert!(keep(&store, session(2), G0, &[0; 1000], NOW));
    assert!(now(store.keep_renewal(session(3), G0, vec![0; 1001], at(600), at(3600), NOW)).is_err());
    assert!(kept(&store, session(2), G0, at(1)).is_some());
    assert_eq!(look(&store, session(3), at(1)), Look::default());
    // Bytes come back: from what is over, from what was refused, from what was replaced.
    assert!(keep(&store, session(3), G0, &[0; 10_000], at(600)));
    end(&store, session(4), EndReason::Revoked, at(3600), at(600));
    assert!(!keep(&store, session(4), G0, b"", at(600)));
    assert!(now(store.keep_renewal(session(5), G0, vec![0], at(900), at(3600), at(600))).is_err());
    assert!(keep(&store, session(5), G0, &[0; 10_000], at(1200)));
}

/// Refused bytes are given back: a session that has ended cannot be used to fill the store.
#[test]
fn a_refused_renewal_takes_no_room() {
    let store = small(|capacity| capacity.result_bytes = 1000);
    end(&store, session(1), EndReason::Revoked, at(3600), NOW);
    for _ in 0..10 {
        assert!(!keep(&store, session(1), G0, &[0; 900], NOW));
    }
    assert!(keep(&store, session(2), G0, &[0; 900], NOW));
}

// --- Refusals ------------------------------------------------------------------------------------------------------

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

// --- All together --------------------------------------------------------------------------------------------------

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
