//! Out of reach, back again, emptied.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_holds_for_the_grace_and_everything_else_fails_at_once() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    end(&one, SESSION).await.unwrap();
    server.kill();
    down(&one).await;
    assert!(look(&one, SESSION).await.ended.is_some());
    assert_eq!(look(&one, SessionId([1; 16])).await, Look::default());
    let began = Instant::now();
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.is_err());
    assert!(one.claim(SESSION, Claimant(1), now(&one)).await.is_err());
    assert!(
        one.put_content([1; 32], vec![1], hour(&one), now(&one))
            .await
            .is_err()
    );
    assert!(
        began.elapsed() < Duration::from_millis(500),
        "nobody waits for what is known to be away"
    );
    let later = now(&one).after(Duration::from_secs(620));
    assert!(one.look(of(SESSION, now(&one)), later).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_of_an_outage_hold_here_at_once_and_everywhere_when_it_is_over() {
    // The restart loses everything: what was known before is told again, too.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    let (before, during, many) = (SessionId([1; 16]), SessionId([2; 16]), SessionId([3; 16]));
    end(&one, before).await.unwrap();
    server.kill();
    down(&one).await;
    down(&two).await;
    end(&one, during).await.unwrap_err();
    let cutoff = Cutoff {
        before: now(&one),
        reason: EndReason::Revoked,
        until: hour(&one),
    };
    one.end_all(ISSUER, Whose::Subject("alice"), cutoff, now(&one))
        .await
        .unwrap_err();
    assert!(look(&one, during).await.ended.is_some() && look(&one, many).await.ended.is_some());
    assert_eq!(look(&two, during).await.ended, None);
    server.run();
    up(&one).await;
    up(&two).await;
    tokio::time::timeout(Duration::from_secs(5), one.settled())
        .await
        .unwrap();
    eventually("the other knows", async || {
        look(&two, during).await.ended.is_some() && look(&two, many).await.ended.is_some()
    })
    .await;
    let three = replica(&server).await;
    for session in [before, during, many] {
        assert!(look(&three, session).await.ended.is_some(), "{:?}", session.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_a_login_or_a_renewal_wanted_is_nothing_where_it_failed() {
    // Contract §3: an existing session survives a failure.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    server.kill();
    down(&one).await;
    for reason in [EndReason::Replaced, EndReason::Expired] {
        one.end(SESSION, reason, hour(&one), now(&one)).await.unwrap_err();
        assert_eq!(look(&one, SESSION).await.ended, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_loses_nothing_is_the_same_epoch() {
    let Some(server) = RedisServer::persistent() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    let epoch = one.epoch();
    assert!(one.claim(SESSION, Claimant(1), now(&one)).await.unwrap());
    server.kill();
    down(&one).await;
    down(&two).await;
    server.run();
    up(&one).await;
    up(&two).await;
    assert_eq!((one.epoch(), two.epoch()), (epoch, epoch));
    assert!(
        !two.claim(SESSION, Claimant(2), now(&two)).await.unwrap(),
        "the right is remembered"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_redis_is_another_epoch_and_is_told_what_is_known() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    let epoch = one.epoch();
    end(&one, SESSION).await.unwrap();
    assert!(
        one.keep_renewal(SessionId([1; 16]), G0, vec![1], hour(&one), hour(&one), now(&one))
            .await
            .unwrap()
    );
    server.ask("FLUSHALL");
    // Who meets the emptied store first is answered all the same.
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.unwrap());
    eventually("both know", async || {
        one.epoch() != epoch && one.epoch() == two.epoch()
    })
    .await;
    up(&one).await;
    up(&two).await;
    let three = replica(&server).await;
    assert_eq!(three.epoch(), one.epoch());
    assert!(look(&three, SESSION).await.ended.is_some());
    // Who presents the cookies of before that renewal is still handed its result, by every replica.
    assert_eq!(
        three.renewal(SessionId([1; 16]), G0, now(&three)).await.unwrap(),
        Some(vec![1])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_new_renews_while_replicas_come_back_and_who_was_at_it_goes_on() {
    // A replica that has not come back yet may hold the only copy of a new refresh token.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    assert!(one.claim(SESSION, Claimant(1), now(&one)).await.unwrap());
    server.kill();
    down(&one).await;
    down(&two).await;
    // What came of it cannot be kept there; here it can.
    let kept = one.keep_renewal(SESSION, G0, vec![1], hour(&one), hour(&one), now(&one));
    kept.await.unwrap_err();
    assert_eq!(one.renewal(SESSION, G0, now(&one)).await.unwrap(), Some(vec![1]));
    server.run();
    up(&two).await;
    assert!(
        !two.claim(SessionId([9; 16]), Claimant(2), now(&two))
            .await
            .unwrap()
    );
    up(&one).await;
    assert!(
        one.claim(SESSION, Claimant(1), now(&one)).await.unwrap(),
        "it goes on"
    );
    one.release(SESSION, Claimant(1)).await.unwrap();
    eventually("the others' turn", async || {
        two.claim(SESSION, Claimant(2), now(&two)).await.unwrap()
    })
    .await;
    assert_eq!(look(&two, SESSION).await.newest.unwrap().generation, G0.next());
    assert_eq!(two.renewal(SESSION, G0, now(&two)).await.unwrap(), Some(vec![1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stands_still_is_out_of_reach_within_seconds_and_then_back() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    server.pause();
    let began = Instant::now();
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    down(&one).await;
    assert_eq!(look(&one, SESSION).await, Look::default());
    server.resume();
    up(&one).await;
    assert!(one.use_once([2; 32], hour(&one), now(&one)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_without_redis_admits_nobody_until_it_has_read_what_holds() {
    let Some(server) = RedisServer::persistent() else {
        return;
    };
    let one = replica(&server).await;
    end(&one, SESSION).await.unwrap();
    server.kill();
    let two = with(&settings(&server.url(), "t:"), &[fixture::key(7)], SystemClock);
    assert!(two.look(of(SESSION, now(&two)), now(&two)).await.is_err());
    assert_eq!(two.health(), Health::Down);
    server.run();
    up(&two).await;
    assert!(look(&two, SESSION).await.ended.is_some());
}
