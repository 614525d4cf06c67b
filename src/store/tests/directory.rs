//! Sessions are recorded, found and ended by what others call them.

use super::{ISSUER, NOW, at, end, look, now, session, small, store};
use crate::clock::Timestamp;
use crate::session::SessionHandle;
use crate::store::{Cutoff, EndReason, Find, MemoryStore, Record, Store as _, Whose};

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

fn put(store: &MemoryStore, number: u32, subject: &str, sid: Option<&str>) -> SessionHandle {
    let record = record(number, subject, sid, at(u64::from(number)));
    let handle = record.handle;
    now(store.record(session(number), record, NOW)).unwrap();
    handle
}

fn found(store: &MemoryStore, find: Find<'_>, when: Timestamp) -> Vec<SessionHandle> {
    let records = now(store.recorded(find, 10, when)).unwrap();
    records.into_iter().map(|record| record.handle).collect()
}

#[test]
fn a_session_is_found_by_handle_subject_and_the_providers_session_newest_first() {
    let store = store();
    let one = put(&store, 1, "alice", Some("s-1"));
    let two = put(&store, 2, "alice", None);
    let three = put(&store, 3, "bob", Some("s-1"));
    assert_eq!(found(&store, Find::Everybody, NOW), [three, two, one]);
    assert_eq!(found(&store, Find::Subject("alice"), NOW), [two, one]);
    assert_eq!(found(&store, Find::Subject("carol"), NOW), []);
    assert_eq!(found(&store, Find::Handle(three), NOW), [three]);
    let of = |app, issuer| Find::ProviderSession {
        app,
        issuer,
        sid: "s-1",
    };
    assert_eq!(found(&store, of("shop", ISSUER), NOW), [three, one]);
    assert_eq!(found(&store, of("blog", ISSUER), NOW), []);
    assert_eq!(found(&store, of("shop", "https://else.example.com"), NOW), []);
}

#[test]
fn what_has_ended_or_is_over_is_not_listed() {
    let store = store();
    let one = put(&store, 1, "alice", None);
    let two = put(&store, 2, "bob", Some("s-2"));
    let three = put(&store, 3, "carol", None);
    end(&store, session(1), EndReason::LoggedOut, at(3600), NOW);
    let cutoff = Cutoff {
        before: at(100),
        reason: EndReason::Revoked,
        until: at(3600),
    };
    now(store.end_all(ISSUER, Whose::ProviderSession("s-2"), cutoff, NOW)).unwrap();
    assert_eq!(found(&store, Find::Everybody, NOW), [three]);
    assert_eq!(found(&store, Find::Everybody, at(3600)), []);
    assert_eq!(found(&store, Find::Handle(one), NOW), []);
    assert_eq!(found(&store, Find::Handle(two), NOW), []);
}

#[test]
fn a_recorded_session_ends_by_its_handle() {
    let store = store();
    let handle = put(&store, 1, "alice", None);
    assert!(now(store.end_recorded(handle, EndReason::Revoked, NOW)).unwrap());
    assert_eq!(look(&store, session(1), NOW).ended, Some(EndReason::Revoked));
    let unknown = session(2).handle();
    assert!(!now(store.end_recorded(unknown, EndReason::Revoked, NOW)).unwrap());
    assert_eq!(look(&store, session(2), NOW).ended, None);
}

#[test]
fn records_are_bounded_and_the_oldest_goes_first() {
    let store = small(|capacity| capacity.records = 2);
    put(&store, 1, "alice", Some("s-1"));
    let two = put(&store, 2, "alice", Some("s-2"));
    let three = put(&store, 3, "alice", Some("s-3"));
    assert_eq!(found(&store, Find::Everybody, NOW), [three, two]);
    assert_eq!(found(&store, Find::Subject("alice"), NOW), [three, two]);
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
