//! Room: what a store that counts it holds, what goes when there is none left, and what never goes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::directory::{found, put};
pub(super) use super::together::room_comes_back_whatever_happened;
use super::{G0, G1, ISSUER, Kind, NOW, at, end, end_subject, keep, kept, look, look_as, present, session};
use crate::session::Generation;
use crate::store::{Cutoff, EndReason, Find, Look, Whose};

pub(super) async fn content_is_bounded_and_what_is_over_makes_room(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.content_bytes = 10).await;
    store.put_content([1; 32], vec![0; 6], at(10), NOW).await.unwrap();
    assert!(
        store.put_content([2; 32], vec![0; 6], at(20), NOW).await.is_err(),
        "never evicted"
    );
    store
        .put_content([1; 32], vec![0; 10], at(10), NOW)
        .await
        .unwrap();
    store
        .put_content([2; 32], vec![0; 6], at(20), at(10))
        .await
        .unwrap();
    assert!(store.content([2; 32], at(10)).await.unwrap().is_some());
}

pub(super) async fn records_are_bounded_and_the_oldest_goes_first(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.records = 2).await;
    put(&store, 1, "alice", Some("s-1")).await;
    let two = put(&store, 2, "alice", Some("s-2")).await;
    let three = put(&store, 3, "alice", Some("s-3")).await;
    assert_eq!(found(&store, Find::Everybody, NOW).await, [three, two]);
    assert_eq!(found(&store, Find::Subject("alice"), NOW).await, [three, two]);
}

/// Never evicted: when full, a new one is an error and the old ones hold (contract §9).
pub(super) async fn revocations_are_never_evicted(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.sessions = 100).await;
    for number in 0..100 {
        end(&store, session(number), EndReason::Revoked, at(3600), NOW).await;
    }
    assert!(
        store
            .end(session(100), EndReason::Revoked, at(3600), NOW)
            .await
            .is_err()
    );
    for number in 0..100 {
        assert!(look(&store, session(number), at(10)).await.ended.is_some());
    }
    // One that has ended may end again.
    end(&store, session(5), EndReason::Revoked, at(3600), NOW).await;
    // What is over makes room, wherever it lies.
    end(&store, session(100), EndReason::Revoked, at(7200), at(3600)).await;
    assert!(look(&store, session(100), at(3601)).await.ended.is_some());
}

pub(super) async fn renewals_leave_room_for_revocations(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.sessions = 100).await;
    let renew = |number| store.keep_renewal(session(number), G0, vec![1], at(600), at(3600), NOW);
    for number in 0..75 {
        assert_eq!(renew(number).await, Ok(true));
    }
    assert!(renew(75).await.is_err());
    // A session that is known already needs no more room.
    assert!(keep(&store, session(0), G1, b"next", NOW).await);
    for number in 75..100 {
        end(&store, session(number), EndReason::Revoked, at(3600), NOW).await;
    }
    // Nor does the end of a session that has been renewed.
    end(&store, session(0), EndReason::Revoked, at(3600), NOW).await;
    assert!(
        store
            .end(session(100), EndReason::Revoked, at(3600), NOW)
            .await
            .is_err()
    );
}

pub(super) async fn what_is_over_is_forgotten_as_others_come(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.sessions = 1000).await;
    // Ten times what there is room for, never more than a tenth of it alive.
    for minute in 0..100 {
        let when = at(minute * 100);
        let ends = (0..100_u32).map(|number| {
            let id = session(u32::try_from(minute).unwrap() * 100 + number);
            store.end(id, EndReason::Revoked, when.after(Duration::from_secs(100)), when)
        });
        assert!(join_all(ends).await.into_iter().all(|ended| ended.is_ok()));
    }
    let held: usize = format!("{:?}", *store)
        .split("Sessions(")
        .nth(1)
        .and_then(|rest| rest.split(')').next()?.parse().ok())
        .unwrap();
    assert!((100..=300).contains(&held), "{held}");
}

pub(super) async fn the_count_holds_when_many_write_at_once(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.sessions = 500).await;
    let tries = (0..4_u32).map(|thread| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let ends = (0..400).map(|number| {
                let id = session(thread * 1000 + number);
                store.end(id, EndReason::Revoked, at(3600), NOW)
            });
            let ended = join_all(ends).await;
            ended.into_iter().flatten().count()
        })
    });
    let ended: usize = join_all(tries).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(ended, 500);
}

/// A mark that is over behind one that is not: neither kept for ever nor taken for used.
pub(super) async fn marks_may_be_over_in_any_order(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.marks = 2).await;
    assert!(store.use_once([1; 32], at(600), NOW).await.unwrap());
    for round in 0..10 {
        assert!(
            store
                .use_once([2; 32], at(10 + round * 10), at(round * 10))
                .await
                .unwrap()
        );
    }
    assert!(!store.use_once([1; 32], at(600), at(100)).await.unwrap());
}

pub(super) async fn the_oldest_mark_goes_first_when_all_room_is_taken(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.marks = 3).await;
    for mark in 1..=4 {
        assert!(store.use_once([mark; 32], at(600), NOW).await.unwrap());
    }
    for mark in 2..=4 {
        assert!(!store.use_once([mark; 32], at(600), NOW).await.unwrap(), "{mark}");
    }
    assert!(store.use_once([1; 32], at(600), NOW).await.unwrap());
}

pub(super) async fn refusals_are_bounded(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.refusals = 2).await;
    for number in 0..3 {
        store.refused(session(number), G0, NOW).await.unwrap();
    }
    assert_eq!(store.refused(session(2), G0, at(5)).await.unwrap(), NOW);
    assert_eq!(
        store.refused(session(0), G0, at(5)).await.unwrap(),
        at(5),
        "the oldest went"
    );
}

pub(super) async fn presenting_a_session_that_was_never_renewed_is_not_remembered(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.sessions = 1).await;
    for number in 0..100 {
        present(&store, session(number), G0, NOW).await;
        assert_eq!(look(&store, session(number), NOW).await, Look::default());
    }
    end(&store, session(0), EndReason::Revoked, at(3600), NOW).await;
}

pub(super) async fn results_are_bounded_in_number_and_in_bytes(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.result_bytes = 10_000).await;
    // Of one session, the last few.
    for generation in 0..100 {
        assert!(keep(&store, session(1), Generation(generation), &[0; 1000], NOW).await);
    }
    for generation in 0..100 {
        let kept = kept(&store, session(1), Generation(generation), at(1)).await;
        assert_eq!(kept.is_some(), generation >= 92, "{generation}");
    }
    // Of all together, until there is no more room; then it is an error, and what is there stays.
    assert!(keep(&store, session(2), G0, &[0; 1000], NOW).await);
    assert!(
        store
            .keep_renewal(session(3), G0, vec![0; 1001], at(600), at(3600), NOW)
            .await
            .is_err()
    );
    assert!(kept(&store, session(2), G0, at(1)).await.is_some());
    assert_eq!(look(&store, session(3), at(1)).await, Look::default());
    // Bytes come back: from what is over, from what was refused, from what was replaced.
    assert!(keep(&store, session(3), G0, &[0; 10_000], at(600)).await);
    end(&store, session(4), EndReason::Revoked, at(3600), at(600)).await;
    assert!(!keep(&store, session(4), G0, b"", at(600)).await);
    assert!(
        store
            .keep_renewal(session(5), G0, vec![0], at(900), at(3600), at(600))
            .await
            .is_err()
    );
    assert!(keep(&store, session(5), G0, &[0; 10_000], at(1200)).await);
}

/// Refused bytes are given back: a session that has ended cannot be used to fill the store.
pub(super) async fn a_refused_renewal_takes_no_room(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.result_bytes = 1000).await;
    end(&store, session(1), EndReason::Revoked, at(3600), NOW).await;
    for _ in 0..10 {
        assert!(!keep(&store, session(1), G0, &[0; 900], NOW).await);
    }
    assert!(keep(&store, session(2), G0, &[0; 900], NOW).await);
}

pub(super) async fn ends_of_subjects_are_never_evicted(kind: &dyn Kind) {
    let store = kind.small(|capacity| capacity.subjects = 20).await;
    for number in 0..20 {
        end_subject(&store, Some(&format!("s{number}")), at(10), at(3600), NOW).await;
    }
    let cutoff = Cutoff {
        before: at(10),
        reason: EndReason::Revoked,
        until: at(7200),
    };
    let more = |when| store.end_all(ISSUER, Whose::Subject("more"), cutoff, when);
    assert!(more(at(1)).await.is_err());
    for number in 0..20 {
        let look = look_as(&store, session(1), &format!("s{number}"), NOW, at(2)).await;
        assert!(look.ended.is_some());
    }
    assert!(more(at(3600)).await.is_ok());
}
