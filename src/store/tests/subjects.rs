//! The end of all of a subject's sessions, or of everybody's.

use super::{Kind, NOW, at, end, end_subject, look, look_as, session};
use crate::store::{EndReason, Look, SessionRef};

pub(super) async fn a_subjects_earlier_sessions_end_and_later_ones_do_not(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end_subject(&store, Some("alice"), at(10), at(3600), at(10)).await;
    let alice = |started| look_as(&store, session(1), "alice", started, at(20));
    assert_eq!(alice(at(9)).await.ended, Some(EndReason::Revoked));
    assert_eq!(alice(at(10)).await.ended, None);
    assert_eq!(
        look_as(&store, session(1), "bob", at(9), at(20)).await.ended,
        None
    );
    assert_eq!(look_as(&store, session(1), "", at(9), at(20)).await.ended, None);
    assert_eq!(
        look_as(&store, session(1), "alice", at(9), at(3600)).await.ended,
        None,
        "over"
    );
}

pub(super) async fn the_same_subject_of_another_issuer_is_another(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end_subject(&store, Some("alice"), at(10), at(3600), at(10)).await;
    let other = SessionRef {
        id: session(1),
        issuer: "https://other.example.com",
        subject: "alice",
        provider_session: None,
        started: NOW,
    };
    assert_eq!(store.look(other, at(20)).await.unwrap(), Look::default());
}

pub(super) async fn everybody_of_an_issuer_can_be_ended(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end_subject(&store, None, at(10), at(3600), at(10)).await;
    for subject in ["alice", "bob", ""] {
        assert!(
            look_as(&store, session(1), subject, at(9), at(20))
                .await
                .ended
                .is_some()
        );
        assert!(
            look_as(&store, session(1), subject, at(10), at(20))
                .await
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
    assert_eq!(store.look(other, at(20)).await.unwrap().ended, None);
}

pub(super) async fn a_later_end_of_a_subject_reaches_further_and_undoes_nothing(kind: &dyn Kind) {
    let store = kind.fresh().await;
    for (before, until) in [(at(10), at(3600)), (at(20), at(3000)), (at(5), at(100))] {
        end_subject(&store, Some("alice"), before, until, at(20)).await;
    }
    let alice = |started, when| look_as(&store, session(1), "alice", started, when);
    assert!(alice(at(19), at(3599)).await.ended.is_some());
    assert!(alice(at(20), at(30)).await.ended.is_none());
}

pub(super) async fn the_end_of_the_session_itself_is_told_before_its_subjects(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    end_subject(&store, Some("alice"), at(10), at(3600), at(10)).await;
    assert_eq!(
        look(&store, session(1), at(20)).await.ended,
        Some(EndReason::LoggedOut)
    );
}
