//! Renewals: kept for those who come late, for as long as contract §9 says.

use super::{G0, G1, G2, Kind, NOW, at, end, keep, kept, look, present, session};
use crate::store::{EndReason, Look, Newest};

pub(super) async fn a_renewal_is_kept_and_makes_the_next_generation_the_newest(kind: &dyn Kind) {
    let store = kind.fresh().await;
    assert_eq!(kept(&store, session(1), G0, NOW).await, None);
    assert!(keep(&store, session(1), G0, b"sealed", NOW).await);
    assert_eq!(
        kept(&store, session(1), G0, at(1)).await.as_deref(),
        Some(&b"sealed"[..])
    );
    assert_eq!(kept(&store, session(1), G1, at(1)).await, None);
    assert_eq!(kept(&store, session(2), G0, at(1)).await, None);
    assert_eq!(
        look(&store, session(1), at(1)).await,
        Look {
            ended: None,
            newest: Some(Newest {
                generation: G1,
                presented: false
            })
        }
    );
}

pub(super) async fn a_result_that_nobody_asks_for_goes_at_its_time_and_the_newest_stays_known(
    kind: &dyn Kind,
) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    assert!(kept(&store, session(1), G0, at(599)).await.is_some());
    assert!(kept(&store, session(1), G0, at(600)).await.is_none());
    assert_eq!(
        look(&store, session(1), at(3599))
            .await
            .newest
            .unwrap()
            .generation,
        G1
    );
    assert_eq!(look(&store, session(1), at(3600)).await.newest, None);
}

/// The end wins over renewal: nothing is kept for a session that has ended meanwhile.
pub(super) async fn the_end_wins_over_renewal(kind: &dyn Kind) {
    let store = kind.fresh().await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    assert!(!keep(&store, session(1), G0, b"sealed", at(1)).await);
    assert_eq!(kept(&store, session(1), G0, at(1)).await, None);
    assert_eq!(
        look(&store, session(1), at(1)).await,
        Look {
            ended: Some(EndReason::LoggedOut),
            newest: None
        }
    );
}

/// Who ends a session finds what the last renewal brought, to revoke it.
pub(super) async fn a_result_outlives_the_end_for_its_time(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), at(1)).await;
    assert!(kept(&store, session(1), G0, at(2)).await.is_some());
    assert_eq!(
        look(&store, session(1), at(2)).await.ended,
        Some(EndReason::LoggedOut)
    );
}

/// Older generations are served for 60 s after the new one was presented, then no more.
pub(super) async fn the_grace_ends_a_minute_after_the_new_generation_was_presented(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    present(&store, session(1), G1, at(100)).await;
    assert!(look(&store, session(1), at(100)).await.newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(159)).await.is_some());
    assert!(kept(&store, session(1), G0, at(160)).await.is_none());
}

pub(super) async fn presenting_again_does_not_prolong_the_grace(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    present(&store, session(1), G1, at(100)).await;
    present(&store, session(1), G1, at(150)).await;
    assert!(kept(&store, session(1), G0, at(160)).await.is_none());
}

pub(super) async fn presenting_never_prolongs_a_result(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    present(&store, session(1), G1, at(590)).await;
    assert!(kept(&store, session(1), G0, at(600)).await.is_none());
}

pub(super) async fn presenting_the_old_generation_starts_no_grace(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"sealed", NOW).await;
    present(&store, session(1), G0, at(100)).await;
    assert!(!look(&store, session(1), at(100)).await.newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(599)).await.is_some());
}

pub(super) async fn presenting_the_middle_of_three_generations_ends_only_what_is_older(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"one", NOW).await;
    keep(&store, session(1), G1, b"two", at(10)).await;
    present(&store, session(1), G1, at(20)).await;
    assert!(!look(&store, session(1), at(20)).await.newest.unwrap().presented);
    assert!(kept(&store, session(1), G0, at(80)).await.is_none());
    assert_eq!(
        kept(&store, session(1), G1, at(80)).await.as_deref(),
        Some(&b"two"[..])
    );
}

/// The newest never becomes an older one, whatever comes in late.
pub(super) async fn a_late_result_does_not_turn_back_the_newest(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G1, b"two", NOW).await;
    present(&store, session(1), G2, at(1)).await;
    assert!(keep(&store, session(1), G0, b"late", at(2)).await);
    let newest = look(&store, session(1), at(2)).await.newest.unwrap();
    assert_eq!(
        newest,
        Newest {
            generation: G2,
            presented: true
        }
    );
    // And it lives no longer than older results may.
    assert!(kept(&store, session(1), G0, at(61)).await.is_some());
    assert!(kept(&store, session(1), G0, at(62)).await.is_none());
}

pub(super) async fn a_second_result_for_one_generation_replaces_the_first(kind: &dyn Kind) {
    let store = kind.fresh().await;
    keep(&store, session(1), G0, b"first", NOW).await;
    keep(&store, session(1), G0, b"second", NOW).await;
    assert_eq!(
        kept(&store, session(1), G0, at(1)).await.as_deref(),
        Some(&b"second"[..])
    );
}
