//! Several processes, one Redis.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_end_at_one_replica_is_known_at_the_other_within_a_moment() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    end(&one, SESSION).await.unwrap();
    assert_eq!(look(&one, SESSION).await.ended, Some(EndReason::LoggedOut));
    let took = eventually("the other knows", async || {
        look(&two, SESSION).await.ended.is_some()
    })
    .await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(look(&two, SESSION).await.ended, Some(EndReason::LoggedOut));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_of_many_is_known_at_the_other_and_at_one_that_comes_later() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    for whose in [
        Whose::Subject("alice"),
        Whose::ProviderSession("sid-1"),
        Whose::Everybody,
    ] {
        let cutoff = Cutoff {
            before: now(&one),
            reason: EndReason::Revoked,
            until: hour(&one),
        };
        one.end_all(ISSUER, whose, cutoff, now(&one)).await.unwrap();
    }
    eventually("the other knows", async || {
        look(&two, SESSION).await.ended.is_some()
    })
    .await;
    let three = replica(&server).await;
    assert_eq!(look(&three, SESSION).await.ended, Some(EndReason::Revoked));
    let later = three.look(of(SESSION, hour(&three)), now(&three)).await.unwrap();
    assert_eq!(later.ended, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_reads_everything_that_holds() {
    // More than a page.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    let session = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let mut id = [0; 16];
        id[..2].copy_from_slice(&[high, low]);
        SessionId(id)
    };
    for number in 0..2000 {
        end(&one, session(number)).await.unwrap();
    }
    assert!(
        one.keep_renewal(SESSION, G0, vec![1], hour(&one), hour(&one), now(&one))
            .await
            .unwrap()
    );
    let two = replica(&server).await;
    for number in 0..2000 {
        assert!(look(&two, session(number)).await.ended.is_some(), "{number}");
    }
    assert_eq!(look(&two, SESSION).await.newest.unwrap().generation, G0.next());
    assert_eq!(two.renewal(SESSION, G0, now(&two)).await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_renew_is_one_replicas_and_whoever_gets_it_knows_of_the_renewal_before() {
    // R-03, attack 146.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    assert!(one.claim(SESSION, Claimant(1), now(&one)).await.unwrap());
    assert!(!two.claim(SESSION, Claimant(2), now(&two)).await.unwrap());
    assert!(
        one.keep_renewal(SESSION, G0, vec![1], hour(&one), hour(&one), now(&one))
            .await
            .unwrap()
    );
    one.release(SESSION, Claimant(1)).await.unwrap();
    assert!(two.claim(SESSION, Claimant(2), now(&two)).await.unwrap());
    // At once, not a moment later.
    assert_eq!(look(&two, SESSION).await.newest.unwrap().generation, G0.next());
    // Whoever died with it holds it for the lease, not longer.
    assert!(!one.claim(SESSION, Claimant(3), now(&one)).await.unwrap());
    assert!(
        one.claim(SESSION, Claimant(3), now(&one).after(LEASE))
            .await
            .unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_is_safe_from_who_is_a_moment_behind() {
    // Replicas agree on the time to a fraction of a second only.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    let ahead = now(&one).after(Duration::from_millis(250));
    assert!(one.claim(SESSION, Claimant(1), ahead).await.unwrap());
    assert!(!two.claim(SESSION, Claimant(2), now(&two)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_wins_over_a_renewal_of_another_replica() {
    // The renewing replica has not heard of the end, and Redis has.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    end(&one, SESSION).await.unwrap();
    let kept = two.keep_renewal(SESSION, G0, vec![1], hour(&two), hour(&two), now(&two));
    assert!(!kept.await.unwrap());
    assert_eq!(look(&two, SESSION).await.ended, Some(EndReason::LoggedOut));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_used_once_among_all() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.unwrap());
    assert!(!two.use_once([1; 32], hour(&two), now(&two)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_that_share_one_redis_are_kept_apart_by_their_prefix() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (
        replica(&server).await,
        replica_with(&server, "other:", &[7]).await,
    );
    assert_ne!(one.epoch(), two.epoch());
    end(&one, SESSION).await.unwrap();
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.unwrap());
    assert!(two.use_once([1; 32], hour(&two), now(&two)).await.unwrap());
    assert!(two.claim(SESSION, Claimant(1), now(&two)).await.unwrap());
    assert_eq!(look(&two, SESSION).await, Look::default());
    let keys = server.ask("KEYS *");
    let ours = keys.lines().filter(|line| line.contains(':'));
    assert!(ours.clone().count() > 5);
    for key in ours {
        assert!(key.starts_with("t:") || key.starts_with("other:"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_cookie_keys_under_one_prefix_share_nothing_and_disturb_nobody() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica_with(&server, "t:", &[8]).await);
    end(&one, SESSION).await.unwrap();
    end(&two, SessionId([8; 16])).await.unwrap();
    let three = replica(&server).await;
    assert_eq!(look(&two, SESSION).await, Look::default());
    assert!(look(&three, SESSION).await.ended.is_some());
    assert_eq!(look(&three, SessionId([8; 16])).await, Look::default());
    assert_eq!((one.health(), two.health()), (Health::Up, Health::Up));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_cookie_keys_loses_no_end() {
    // Contract §4, attack 93: two steps, the ends of before each are known after all.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica_with(&server, "t:", &[1]).await;
    end(&one, SESSION).await.unwrap();
    let epoch = one.epoch();
    one.use_keys(&[fixture::key(1), fixture::key(2)]);
    eventually("the new key opens the store", async || {
        replica_with(&server, "t:", &[2, 1]).await.epoch() == epoch
    })
    .await;
    let last = replica_with(&server, "t:", &[2]).await;
    assert_eq!(last.epoch(), epoch);
    assert_eq!(look(&last, SESSION).await.ended, Some(EndReason::LoggedOut));
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart_agree_on_the_time_of_redis() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let settings = settings(&server.url(), "t:");
    for off in [-30_000, 0, 30_000] {
        let store = with(&settings, &[fixture::key(7)], Wrong(AtomicI64::new(off)));
        store.found().await.unwrap();
        let agreed = store.time(Wrong(AtomicI64::new(off)).now()).as_millis();
        assert!(agreed.abs_diff(SystemClock.now().as_millis()) < 1000, "{off}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_redis_tells_neither_sessions_nor_users() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    end(&one, SESSION).await.unwrap();
    let id = SessionId(*b"SixteenBytesHere");
    let record = crate::store::Record {
        handle: id.handle(),
        app: "shop".into(),
        issuer: ISSUER.into(),
        subject: "alice-of-wonderland".into(),
        provider_session: Some("sid-of-alice".into()),
        started: now(&one),
        until: hour(&one),
    };
    one.record(id, record, now(&one)).await.unwrap();
    let cutoff = Cutoff {
        before: now(&one),
        reason: EndReason::Revoked,
        until: hour(&one),
    };
    one.end_all(ISSUER, Whose::Subject("alice-of-wonderland"), cutoff, now(&one))
        .await
        .unwrap();
    one.put_content([9; 32], b"sealed-by-who-asks".to_vec(), hour(&one), now(&one))
        .await
        .unwrap();
    let dump = server.dump();
    let holds = |what: &[u8]| dump.windows(what.len()).any(|part| part == what);
    // What is looked for could be found: the content is there as it came.
    assert!(holds(b"sealed-by-who-asks"));
    for secret in [
        &SESSION.0[..],
        &id.0,
        &id.handle().0,
        b"wonderland",
        b"sid-of",
        ISSUER.as_bytes(),
        &[9; 32],
    ] {
        assert!(!holds(secret), "{}", String::from_utf8_lossy(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_and_a_master_behind_sentinels_serve_as_one_server_does() {
    let Some(cluster) = RedisServer::cluster() else {
        return;
    };
    let master = RedisServer::start().unwrap();
    let sentinel = master.sentinel().unwrap();
    for url in [
        format!("redis+cluster://127.0.0.1:{}", cluster.port),
        format!("redis+sentinel://127.0.0.1:{}/mymaster", sentinel.port),
    ] {
        let settings = settings(&url, "t:");
        let one = with(&settings, &[fixture::key(7)], SystemClock);
        let two = with(&settings, &[fixture::key(7)], SystemClock);
        up(&one).await;
        up(&two).await;
        assert!(
            one.use_once([1; 32], hour(&one), now(&one)).await.unwrap(),
            "{url}"
        );
        assert!(one.claim(SESSION, Claimant(1), now(&one)).await.unwrap());
        assert!(!two.claim(SESSION, Claimant(2), now(&two)).await.unwrap());
        one.put_content([1; 32], vec![1], hour(&one), now(&one))
            .await
            .unwrap();
        assert_eq!(two.content([1; 32], now(&two)).await.unwrap(), Some(vec![1]));
        end(&one, SESSION).await.unwrap();
        eventually("the other knows", async || {
            look(&two, SESSION).await.ended.is_some()
        })
        .await;
    }
}
