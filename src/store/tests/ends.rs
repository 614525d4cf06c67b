//! The end of a session: stays, is never evicted, is bounded all the same.

use std::time::Duration;

use super::{G0, G1, NOW, at, end, keep, look, now, session, small, store};
use crate::store::{EndReason, Look, Store as _};

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
