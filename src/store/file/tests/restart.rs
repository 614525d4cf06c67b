//! Closed and opened again: all that was there is there.

use super::*;
use crate::store::{Find, Newest};

#[tokio::test]
async fn a_restart_is_no_new_epoch() {
    let world = World::new();
    let epoch = world.open(NOW).epoch();
    assert_eq!(world.open(at(1)).epoch(), epoch);
    assert_ne!(World::new().open(NOW).epoch(), epoch);
}

#[tokio::test]
async fn an_end_outlives_a_restart_with_its_reason_and_no_longer_than_it_must() {
    let world = World::new();
    end(&world.open(NOW), session(1)).await;
    let again = world.open(at(1));
    assert_eq!(
        look(&again, session(1), at(3599)).await.ended,
        Some(EndReason::LoggedOut)
    );
    assert_eq!(look(&again, session(2), at(1)).await.ended, None);
    drop(again);
    let late = world.open(at(3600));
    assert_eq!(look(&late, session(1), at(3600)).await.ended, None);
}

#[tokio::test]
async fn the_end_of_many_outlives_a_restart() {
    for whose in [
        Whose::Everybody,
        Whose::Subject("alice"),
        Whose::ProviderSession("sid-1"),
    ] {
        let world = World::new();
        let store = world.open(NOW);
        let ended = store.end_all(ISSUER, whose, everything_before(at(10)), at(10));
        ended.await.unwrap();
        drop(store);
        let again = world.open(at(20));
        let ended = look(&again, session(1), at(20)).await.ended;
        assert_eq!(ended, Some(EndReason::Revoked), "{whose:?}");
    }
}

#[tokio::test]
async fn a_used_state_stays_used() {
    let world = World::new();
    assert!(world.open(NOW).use_once([1; 32], at(600), NOW).await.unwrap());
    let again = world.open(at(1));
    assert!(!again.use_once([1; 32], at(600), at(1)).await.unwrap());
    assert!(again.use_once([2; 32], at(600), at(1)).await.unwrap());
}

#[tokio::test]
async fn generations_and_what_renewals_brought_outlive_a_restart() {
    let world = World::new();
    let store = world.open(NOW);
    for (from, sealed) in [(G0, b"one"), (G1, b"two")] {
        let kept = store.keep_renewal(session(1), from, sealed.to_vec(), at(600), at(3600), NOW);
        assert!(kept.await.unwrap());
    }
    store.presented(session(1), G1.next(), at(10)).await.unwrap();
    drop(store);
    let again = world.open(at(20));
    assert_eq!(
        look(&again, session(1), at(20)).await.newest,
        Some(Newest {
            generation: G1.next(),
            presented: true
        })
    );
    let kept = |from, when| again.renewal(session(1), from, when);
    assert_eq!(kept(G0, at(69)).await.unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(kept(G1, at(69)).await.unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(
        kept(G0, at(70)).await.unwrap(),
        None,
        "the grace goes on, not anew"
    );
}

#[tokio::test]
async fn the_list_the_refusals_and_the_contents_outlive_a_restart() {
    let world = World::new();
    let store = world.open(NOW);
    store.record(session(1), record(1), NOW).await.unwrap();
    store.record(session(2), record(2), NOW).await.unwrap();
    end(&store, session(2)).await;
    store.refused(session(1), G0, NOW).await.unwrap();
    for name in [[1; 32], [2; 32]] {
        let put = store.put_content(name, b"sealed".to_vec(), at(3600), NOW);
        put.await.unwrap();
    }
    store.forget_content([2; 32], at(30), NOW).await.unwrap();
    drop(store);

    let again = world.open(at(10));
    let listed = again.recorded(Find::Subject("alice"), 10, at(10)).await.unwrap();
    assert_eq!(listed, [record(1)]);
    assert_eq!(again.refused(session(1), G0, at(10)).await.unwrap(), NOW);
    assert!(again.content([1; 32], at(3599)).await.unwrap().is_some());
    assert!(again.content([2; 32], at(29)).await.unwrap().is_some());
    assert!(again.content([2; 32], at(30)).await.unwrap().is_none());
    // And a recorded session ends by its handle, across yet another restart.
    let handle = session(1).handle();
    assert!(
        again
            .end_recorded(handle, EndReason::Revoked, at(10))
            .await
            .unwrap()
    );
    drop(again);
    assert!(
        look(&world.open(at(11)), session(1), at(11))
            .await
            .ended
            .is_some()
    );
}

/// Contract §4: a rotation in its two steps loses nothing, and a key that has gone opens no more.
#[tokio::test]
async fn a_rotation_of_the_cookie_keys_loses_nothing() {
    let world = World::new();
    end(&world.try_open(&[7], NOW).unwrap(), session(1)).await;
    for ring in [&[7, 8][..], &[8, 7], &[8]] {
        let store = world.try_open(ring, at(1)).unwrap();
        assert!(look(&store, session(1), at(1)).await.ended.is_some(), "{ring:?}");
    }
    let gone = world.try_open(&[7], at(1)).unwrap_err().to_string();
    assert!(
        gone.contains("cookie keys that are not in `keys.cookie`"),
        "{gone}"
    );

    // In a process that goes on: the ring changes by a reload.
    let store = world.try_open(&[8], at(1)).unwrap();
    store.use_keys(&[key(9)]);
    store.settled().await;
    end(&store, session(2)).await;
    drop(store);
    assert!(world.try_open(&[8], at(2)).is_err());
    let store = world.try_open(&[9], at(2)).unwrap();
    assert!(look(&store, session(1), at(2)).await.ended.is_some());
    assert!(look(&store, session(2), at(2)).await.ended.is_some());
}

/// Attack: a copy of the file. Neither ids nor who signed in can be read from it.
#[tokio::test]
async fn the_file_tells_nobody_who_signed_in() {
    let world = World::new();
    let store = world.open(NOW);
    store.record(session(1), record(1), NOW).await.unwrap();
    end(&store, session(1)).await;
    let ended = store.end_all(ISSUER, Whose::Subject("alice"), everything_before(NOW), NOW);
    ended.await.unwrap();
    assert!(store.use_once([0x6b; 32], at(600), NOW).await.unwrap());
    let put = store.put_content([0x6c; 32], b"sealed-content".to_vec(), at(600), NOW);
    put.await.unwrap();
    drop(store);
    let bytes = std::fs::read(world.path()).unwrap();
    let secrets: [&[u8]; 8] = [
        b"alice",
        b"sid-1",
        b"login.example.com",
        &session(1).0,
        &session(1).handle().0,
        &[0x6b; 32],
        &[0x6c; 32],
        b"sealed-content",
    ];
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|part| part == secret);
        assert!(!found, "{:?}", String::from_utf8_lossy(secret));
    }
}
