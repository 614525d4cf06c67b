//! The end of all of a subject's sessions, or of everybody's.

use super::{ISSUER, NOW, at, end, end_subject, look, look_as, now, session, small, store};
use crate::store::{Cutoff, EndReason, Look, SessionRef, Store as _, Whose};

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
        provider_session: None,
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
        provider_session: None,
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
    let more = |when| {
        let cutoff = Cutoff {
            before: at(10),
            reason: EndReason::Revoked,
            until: at(7200),
        };
        now(store.end_all(ISSUER, Whose::Subject("more"), cutoff, when))
    };
    assert!(more(at(1)).is_err());
    assert!((0..20).all(|number| {
        look_as(&store, session(1), &format!("s{number}"), NOW, at(2))
            .ended
            .is_some()
    }));
    assert!(more(at(3600)).is_ok());
}
