//! Sessions are recorded, found and ended by what others call them.

use std::sync::Arc;

use super::{ISSUER, Kind, NOW, at, end, look, session};
use crate::clock::Timestamp;
use crate::session::SessionHandle;
use crate::store::{Cutoff, EndReason, Find, Record, Store, Whose};

fn record(number: u32, subject: &str, sid: Option<&str>, started: Timestamp) -> Record {
    Record {
        handle: session(number).handle(),
        app: "shop".into(),
        issuer: ISSUER.into(),
        subject: subject.into(),
        provider_session: sid.map(Into::into),
        started,
        until: at(3600),
    }
}

pub(super) async fn put(
    store: &Arc<dyn Store>,
    number: u32,
    subject: &str,
    sid: Option<&str>,
) -> SessionHandle {
    let record = record(number, subject, sid, at(u64::from(number)));
    let handle = record.handle;
    store.record(session(number), record, NOW).await.unwrap();
    handle
}

pub(super) async fn found(store: &Arc<dyn Store>, find: Find<'_>, when: Timestamp) -> Vec<SessionHandle> {
    let records = store.recorded(find, 10, when).await.unwrap();
    records.into_iter().map(|record| record.handle).collect()
}

pub(super) async fn a_session_is_found_by_handle_subject_and_the_providers_session_newest_first(
    kind: &dyn Kind,
) {
    let store = kind.fresh().await;
    let one = put(&store, 1, "alice", Some("s-1")).await;
    let two = put(&store, 2, "alice", None).await;
    let three = put(&store, 3, "bob", Some("s-1")).await;
    assert_eq!(found(&store, Find::Everybody, NOW).await, [three, two, one]);
    assert_eq!(found(&store, Find::Subject("alice"), NOW).await, [two, one]);
    assert_eq!(found(&store, Find::Subject("carol"), NOW).await, []);
    assert_eq!(found(&store, Find::Handle(three), NOW).await, [three]);
    let of = |app, issuer| Find::ProviderSession {
        app,
        issuer,
        sid: "s-1",
    };
    assert_eq!(found(&store, of("shop", ISSUER), NOW).await, [three, one]);
    assert_eq!(found(&store, of("blog", ISSUER), NOW).await, []);
    assert_eq!(
        found(&store, of("shop", "https://else.example.com"), NOW).await,
        []
    );
}

pub(super) async fn what_has_ended_or_is_over_is_not_listed(kind: &dyn Kind) {
    let store = kind.fresh().await;
    let one = put(&store, 1, "alice", None).await;
    let two = put(&store, 2, "bob", Some("s-2")).await;
    let three = put(&store, 3, "carol", None).await;
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW).await;
    let cutoff = Cutoff {
        before: at(100),
        reason: EndReason::Revoked,
        until: at(3600),
    };
    store
        .end_all(ISSUER, Whose::ProviderSession("s-2"), cutoff, NOW)
        .await
        .unwrap();
    assert_eq!(found(&store, Find::Everybody, NOW).await, [three]);
    assert_eq!(found(&store, Find::Everybody, at(3600)).await, []);
    assert_eq!(found(&store, Find::Handle(one), NOW).await, []);
    assert_eq!(found(&store, Find::Handle(two), NOW).await, []);
}

pub(super) async fn a_recorded_session_ends_by_its_handle(kind: &dyn Kind) {
    let store = kind.fresh().await;
    let handle = put(&store, 1, "alice", None).await;
    assert!(store.end_recorded(handle, EndReason::Revoked, NOW).await.unwrap());
    assert_eq!(
        look(&store, session(1), NOW).await.ended,
        Some(EndReason::Revoked)
    );
    let unknown = session(2).handle();
    assert!(
        !store
            .end_recorded(unknown, EndReason::Revoked, NOW)
            .await
            .unwrap()
    );
    assert_eq!(look(&store, session(2), NOW).await.ended, None);
}

#[test]
fn a_handle_is_read_as_it_is_written_and_tells_nothing_of_the_id() {
    let handle = session(7).handle();
    let text = handle.to_string();
    assert_eq!(text.parse::<SessionHandle>(), Ok(handle));
    assert_eq!(text.to_uppercase().parse::<SessionHandle>(), Ok(handle));
    assert!(!text.starts_with("07000000"));
    for wrong in [
        "",
        "0",
        &text[1..],
        &format!("{text}0"),
        &format!("+{}", &text[1..]),
    ] {
        assert!(wrong.parse::<SessionHandle>().is_err(), "{wrong}");
    }
}
