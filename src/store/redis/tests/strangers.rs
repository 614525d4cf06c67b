//! What answers is not Redis, or says something else: an error in time, never a panic.

use super::*;

/// A peer that reads what comes and says always the same, or nothing.
fn peer(says: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut asked = [0; 4096];
                while stream.read(&mut asked).is_ok_and(|length| length > 0) {
                    if stream.write_all(says).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_answers_in_its_place_is_an_error_in_time() {
    for says in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"+OK\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"*2\r\n$1\r\na\r\n$1\r\nb\r\n",
        b"-ERR no\r\n",
        b"-NOAUTH Authentication required.\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-CLOAKROOM another store\r\n",
        b"$2147483647\r\n",
        b"*2147483647\r\n",
        b"\x16\x03\x01\x00\x00",
    ] {
        let store = with(&settings(&peer(says), "t:"), &[fixture::key(7)], SystemClock);
        let began = Instant::now();
        assert!(store.use_once([1; 32], hour(&store), now(&store)).await.is_err());
        assert!(store.look(of(SESSION, now(&store)), now(&store)).await.is_err());
        assert_eq!(store.health(), Health::Down);
        assert!(
            began.elapsed() < Duration::from_secs(6),
            "{says:?}: {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_kind_is_an_error_and_nothing_is_lost_by_it() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server).await;
    server.ask("SET t:{facts}:marks something");
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.is_err());
    server.ask("DEL t:{facts}:marks");
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.unwrap());
    assert_eq!(one.health(), Health::Up);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_into_the_feed_is_passed_over() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (one, two) = (replica(&server).await, replica(&server).await);
    end(&one, SESSION).await.unwrap();
    server.ask("ZADD t:{facts}:held 4000000000000 garbage");
    server.ask("INCR t:{facts}:count");
    server.ask("XADD t:{facts}:feed * n 2 e garbage");
    end(&one, SessionId([1; 16])).await.unwrap();
    eventually("it goes on", async || {
        look(&two, SessionId([1; 16])).await.ended.is_some()
    })
    .await;
    assert_eq!(two.health(), Health::Up);
    // A number that is missing, an entry without one: everything is read again.
    server.ask("XADD t:{facts}:feed * n 99 e garbage");
    server.ask("XADD t:{facts}:feed * x y");
    let three = replica_when_up(&server).await;
    assert!(look(&three, SESSION).await.ended.is_some());
}

/// The feed's last entry has no number: nobody can follow it until the next one comes.
async fn replica_when_up(server: &RedisServer) -> RedisStore {
    let store = with(&settings(&server.url(), "t:"), &[fixture::key(7)], SystemClock);
    server.ask("DEL t:{facts}:feed");
    up(&store).await;
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_needed_and_shown_nowhere() {
    // Attack 534.
    let Some(server) = RedisServer::start() else {
        return;
    };
    server.ask("CONFIG SET requirepass hunter2-of-redis");
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", server.port);
    let right = with(
        &settings(&url("hunter2-of-redis"), "t:"),
        &[fixture::key(7)],
        SystemClock,
    );
    up(&right).await;
    let wrong = with(&settings(&url("not-it"), "t:"), &[fixture::key(7)], SystemClock);
    let error = wrong
        .use_once([1; 32], hour(&wrong), now(&wrong))
        .await
        .unwrap_err();
    for shown in [
        format!("{right:?}"),
        format!("{wrong:?}"),
        format!("{error:?} {error}"),
    ] {
        assert!(!shown.contains("hunter2") && !shown.contains("not-it"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_that_the_manual_gives_a_user_of_redis_are_enough() {
    // docs/how-to/replicas.md
    let Some(server) = RedisServer::start() else {
        return;
    };
    let manual = include_str!("../../../../docs/how-to/replicas.md");
    let rights = manual
        .lines()
        .find_map(|line| line.strip_prefix("ACL SETUSER cloakroom on >password ~cloakroom:* "))
        .unwrap();
    server.ask(&format!(
        "ACL SETUSER cloakroom on >password ~cloakroom:* {rights}"
    ));
    let url = format!("redis://cloakroom:password@127.0.0.1:{}", server.port);
    let one = with(&settings(&url, "cloakroom:"), &[fixture::key(7)], SystemClock);
    let two = with(&settings(&url, "cloakroom:"), &[fixture::key(7)], SystemClock);
    one.found().await.unwrap();
    two.found().await.unwrap();
    assert!(one.use_once([1; 32], hour(&one), now(&one)).await.unwrap());
    assert!(one.claim(SESSION, Claimant(1), now(&one)).await.unwrap());
    assert!(
        one.keep_renewal(SESSION, G0, vec![1], hour(&one), hour(&one), now(&one))
            .await
            .unwrap()
    );
    one.presented(SESSION, G0.next(), now(&one)).await.unwrap();
    one.release(SESSION, Claimant(1)).await.unwrap();
    one.refused(SESSION, G0, now(&one)).await.unwrap();
    one.put_content([1; 32], vec![1], hour(&one), now(&one))
        .await
        .unwrap();
    assert_eq!(two.content([1; 32], now(&two)).await.unwrap(), Some(vec![1]));
    one.forget_content([1; 32], now(&one), now(&one)).await.unwrap();
    assert_eq!(
        two.recorded(crate::store::Find::Everybody, 10, now(&two))
            .await
            .unwrap(),
        []
    );
    end(&one, SESSION).await.unwrap();
    eventually("the other knows", async || {
        look(&two, SESSION).await.ended.is_some()
    })
    .await;
}
