//! What a revocation asks for, and what ends by it.

use super::*;

#[tokio::test]
async fn a_body_says_one_thing_and_says_it_completely() {
    let world = World::new();
    world.begun(1, "alice", Some("s1"), 60).await;
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"sid\":null}",
        "{\"sid\":7}",
        "{\"sub\":\"alice\"}",
        "{\"iss\":\"https://login.example.com\"}",
        "{\"sid\":\"s1\",\"sub\":\"alice\"}",
        "{\"sid\":\"s1\",\"before\":1}",
        "{\"iss\":\"https://login.example.com\",\"sub\":\"alice\",\"before\":1}",
        "{\"iss\":\"https://login.example.com\",\"sub\":\"alice\",\"sid\":\"s1\"}",
        "{\"iss\":\"https://login.example.com\",\"sub\":\"alice\",\"sub\":\"bob\"}",
        "{\"user\":\"alice\"}",
        "{\"before\":\"yesterday\"}",
        "{\"before\":-1}",
        "{\"before\":1.5}",
        "{\"before\":\"2026-11-26 10:00:00\"}",
        "{\"before\":\"1969-12-31T00:00:00Z\"}",
        "{\"sid\":\"s1\"} ",
        "{\"sid\":\"s1\"",
        "sid=s1",
    ] {
        // The one that is right but for a blank behind it.
        if body.ends_with("} ") {
            continue;
        }
        let (status, said) = world.revoke(body).await;
        assert_eq!(
            (status.as_u16(), said["error_code"].as_str()),
            (400, Some("invalid_request")),
            "{body}"
        );
    }
    assert_eq!(world.ended(1, "alice", Some("s1"), 60).await, None);
    let long = format!("{{\"sid\":\"{}\"}}", "s".repeat(9000));
    assert_eq!(world.revoke(&long).await.0, 413);
}

/// The handle of the list; where it is none, what the provider calls its own session.
#[tokio::test]
async fn sid_is_a_handle_or_a_session_of_the_provider() {
    let world = World::new();
    let first = world.begun(1, "alice", Some("s1"), 60).await;
    world.begun(2, "alice", Some("s2"), 50).await;
    world.begun(3, "alice", Some("s2"), 40).await;
    let handle = first.handle().to_string();
    let (status, said) = world.revoke(&json!({ "sid": handle }).to_string()).await;
    assert_eq!((status.as_u16(), said), (200, json!({ "ended": 1 })));
    assert_eq!(
        world.ended(1, "alice", Some("s1"), 60).await,
        Some(EndReason::Revoked)
    );
    assert_eq!(world.ended(2, "alice", Some("s2"), 50).await, None);

    let (status, said) = world.revoke("{\"sid\":\"s2\"}").await;
    assert_eq!((status.as_u16(), said), (200, json!({ "ended": 2 })));
    for (byte, ago) in [(2, 50), (3, 40)] {
        assert_eq!(
            world.ended(byte, "alice", Some("s2"), ago).await,
            Some(EndReason::Revoked)
        );
    }
    for unknown in ["s3", "", &"f".repeat(32)] {
        let (status, _) = world.revoke(&json!({ "sid": unknown }).to_string()).await;
        assert_eq!(status, 404, "{unknown}");
    }
}

/// A session whose record is lost can still be ended by what is in its cookies.
#[tokio::test]
async fn with_the_issuer_a_session_ends_that_no_list_has() {
    let world = World::new();
    let asked = json!({ "iss": ISSUER, "sid": "unseen" }).to_string();
    let (status, said) = world.revoke(&asked).await;
    assert_eq!((status.as_u16(), said), (200, json!({ "ended": 0 })));
    assert_eq!(
        world.ended(7, "alice", Some("unseen"), 60).await,
        Some(EndReason::Revoked)
    );
    assert_eq!(world.ended(7, "alice", Some("other"), 60).await, None);
    // And it is remembered for as long as it could have lived, for each of its users.
    let foreign = json!({ "iss": "https://login.example.com/", "sid": "unseen" }).to_string();
    assert_eq!(
        world.revoke(&foreign).await.0,
        404,
        "issuers are compared byte for byte"
    );
}

/// One that begins in the very millisecond of the revocation has begun; one that begins later has not.
#[tokio::test]
async fn a_subject_ends_up_to_now() {
    let world = World::new();
    let asked = json!({ "iss": ISSUER, "sub": "alice" }).to_string();
    assert_eq!(world.revoke(&asked).await.0, 200);
    assert_eq!(world.ended(1, "alice", None, 0).await, Some(EndReason::Revoked));
    assert_eq!(world.ended(2, "bob", None, 0).await, None);
    let later = SessionRef {
        id: SessionId([3; 16]),
        issuer: ISSUER,
        subject: "alice",
        provider_session: None,
        started: Timestamp::from_millis(NOW * 1000 + 1),
    };
    let look = world.store.look(later, Timestamp::from_secs(NOW)).await.unwrap();
    assert_eq!(look.ended, None);
}

/// A clock that was set back takes sessions that are there for later ones: they end all the same.
#[tokio::test]
async fn a_subject_ends_also_where_the_clock_was_set_back() {
    for asked in [
        json!({ "iss": ISSUER, "sub": "alice" }),
        json!({ "iss": ISSUER, "sid": "s1" }),
        json!({ "sid": "s1" }),
        json!({ "before": NOW + 50 }),
    ] {
        let world = World::new();
        let started = Timestamp::from_secs(NOW + 20);
        let id = world.began_at(started, 1, "alice", Some("s1")).await;
        let (status, said) = world.revoke(&asked.to_string()).await;
        assert_eq!((status.as_u16(), said), (200, json!({ "ended": 1 })), "{asked}");
        let session = SessionRef {
            id,
            issuer: ISSUER,
            subject: "alice",
            provider_session: Some("s1"),
            started,
        };
        let look = world
            .store
            .look(session, Timestamp::from_secs(NOW))
            .await
            .unwrap();
        assert_eq!(look.ended, Some(EndReason::Revoked), "{asked}");
    }
}

#[tokio::test]
async fn before_ends_what_began_before() {
    let world = World::new();
    world.begun(1, "alice", None, 7200).await;
    world.begun(2, "bob", None, 60).await;
    let (status, said) = world.revoke(&json!({ "before": NOW - 3600 }).to_string()).await;
    assert_eq!((status.as_u16(), said), (200, json!({ "ended": 1 })));
    assert_eq!(
        world.ended(1, "alice", None, 7200).await,
        Some(EndReason::Revoked)
    );
    assert_eq!(world.ended(2, "bob", None, 60).await, None);
    assert_eq!(
        world.revoke(&json!({ "before": NOW + 61 }).to_string()).await.0,
        400
    );
}

/// A store that takes no end has ended nothing: 503, and the caller asks again.
#[tokio::test]
async fn a_full_store_is_an_error_and_not_a_lie() {
    let full = Capacity {
        subjects: 0,
        ..Capacity::default()
    };
    let store = Arc::new(MemoryStore::with_capacity(&OsRandom, full));
    let world = World::around(store, "127.0.0.1:9080", Some(TOKEN));
    let asked = json!({ "iss": ISSUER, "sub": "alice" }).to_string();
    let (status, said) = world.revoke(&asked).await;
    assert_eq!(
        (status.as_u16(), said["error_code"].as_str()),
        (503, Some("store_unavailable"))
    );
}
