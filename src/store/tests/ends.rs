//! The end of a session: stays as long as it must.

use super::{Kind, NOW, at, end, look, session};
use crate::store::{EndReason, Look};

pub(super) async fn nothing_is_known_of_a_session_that_nothing_happened_to(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert_eq!(look(&store, session(1), NOW).await, Look::default());
    end(&store, session(2), EndReason::Revoked, at(3600), NOW).await;
    assert_eq!(look(&store, session(1), NOW).await, Look::default());
}

pub(super) async fn an_ended_session_stays_ended_until_its_absolute_end(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    assert_eq!(
        look(&store, session(1), at(3599)).await.ended,
        Some(EndReason::LoggedOut)
    );
    assert_eq!(look(&store, session(1), at(3600)).await.ended, None);
}

pub(super) async fn the_first_reason_stays(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    end(&store, session(1), EndReason::Revoked, at(3600), at(1)).await;
    assert_eq!(
        look(&store, session(1), at(1)).await.ended,
        Some(EndReason::LoggedOut)
    );
}

pub(super) async fn a_second_end_does_not_shorten_the_first(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    end(&store, session(1), EndReason::LoggedOut, at(10), NOW).await;
    assert!(look(&store, session(1), at(3599)).await.ended.is_some());
}
