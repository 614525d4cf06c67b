//! Renewals: kept for those who come late, for as long as contract §9 says.

use super::{G0, G1, G2, NOW, at, end, keep, kept, look, now, present, session, small, store};
use crate::session::Generation;
use crate::store::{EndReason, Look, Newest, Store as _};

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
