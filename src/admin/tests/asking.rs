//! Who may ask, and how the list is asked for.

use super::*;

/// DNS rebinding: a page whose own name was pointed here sends that name, whatever else it leaves out.
#[tokio::test]
async fn only_loopback_names_and_the_address_itself_are_answered() {
    let world = World::listening("192.0.2.7:9080", None);
    for host in [
        "192.0.2.7:9080",
        "192.0.2.7",
        "localhost:9080",
        "LOCALHOST",
        "admin.localhost",
        "127.0.0.1:18080",
        "127.8.9.1",
        "[::1]:9080",
    ] {
        let asked = Request::get("/livez").header("host", host).body("").unwrap();
        assert_eq!(world.ask(asked).await.0, 200, "{host}");
    }
    for host in [
        "evil.example",
        "evil.example:9080",
        "192.0.2.8:9080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "2130706433",
        "",
    ] {
        let asked = Request::get("/livez").header("host", host).body("").unwrap();
        let (status, said) = world.ask(asked).await;
        assert_eq!(status, 403, "{host}: {said}");
        assert!(!said.contains("evil"), "{said}");
    }
    // Two names are none.
    let asked = request("GET", "/livez")
        .header("host", "evil.example")
        .body("")
        .unwrap();
    assert_eq!(world.ask(asked).await.0, 400);
}

/// On every interface any address is its own: none can be pointed elsewhere. Names still can.
#[tokio::test]
async fn on_every_interface_addresses_are_answered_and_names_are_not() {
    let world = World::listening("0.0.0.0:9080", None);
    for (host, status) in [
        ("10.1.2.3:9080", 200),
        ("[fd00::1]:9080", 200),
        ("evil.example", 403),
    ] {
        let asked = Request::get("/livez").header("host", host).body("").unwrap();
        assert_eq!(world.ask(asked).await.0, status, "{host}");
    }
}

/// Before anything is said about a path or a token.
#[tokio::test]
async fn a_browser_learns_nothing() {
    let world = World::new();
    for path in ["/livez", "/sessions", "/no-such-path"] {
        let asked = authorized("GET", path)
            .header("sec-fetch-dest", "image")
            .body("")
            .unwrap();
        assert_eq!(world.ask(asked).await.0, 403, "{path}");
    }
}

/// Without a token there is nothing to ask for: not even another method is told.
#[tokio::test]
async fn without_a_token_there_are_only_probes_and_metrics() {
    let world = World::listening("127.0.0.1:9080", None);
    for (method, path) in [
        ("GET", "/sessions"),
        ("POST", "/revoke"),
        ("GET", "/revoke"),
        ("GET", "/"),
    ] {
        let asked = authorized(method, path).body("{\"sid\":\"x\"}").unwrap();
        assert_eq!(world.ask(asked).await.0, 404, "{method} {path}");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(
            world.ask(request("GET", path).body("").unwrap()).await.0,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let world = World::new();
    for (method, path) in [
        ("POST", "/livez"),
        ("OPTIONS", "/metrics"),
        ("DELETE", "/sessions"),
        ("GET", "/revoke"),
    ] {
        let asked = authorized(method, path).body("").unwrap();
        assert_eq!(world.ask(asked).await.0, 405, "{method} {path}");
    }
    let (status, body) = world.ask(request("HEAD", "/readyz").body("").unwrap()).await;
    assert_eq!((status.as_u16(), &*body), (200, ""));
}

/// One guess a second on each connection: the time is not that of the machine here.
#[tokio::test(start_paused = true)]
async fn a_wrong_token_waits_and_the_right_one_does_not() {
    let world = World::new();
    let began = tokio::time::Instant::now();
    assert_eq!(world.get("/sessions").await.0, 200);
    assert!(began.elapsed().is_zero());
    for wrong in [
        "Bearer a.token.of.the.tests.012345678",
        "Bearer a.token.of.the.tests.01234567890",
        "Bearer x",
    ] {
        let began = tokio::time::Instant::now();
        let asked = request("GET", "/sessions")
            .header("authorization", wrong)
            .body("")
            .unwrap();
        assert_eq!(world.ask(asked).await.0, 401);
        assert!(began.elapsed() >= Duration::from_secs(1));
    }
    // Two fields: nobody knows which one is meant.
    let twice = authorized("GET", "/sessions")
        .header("authorization", "Bearer x")
        .body("")
        .unwrap();
    assert_eq!(world.ask(twice).await.0, 401);
}

#[tokio::test]
async fn the_list_is_narrowed_and_bounded() {
    let world = World::new();
    for byte in 1..=5 {
        world.begun(byte, "alice", Some("s"), 100 - u64::from(byte)).await;
    }
    world.begun(9, "bob", None, 1).await;
    let shown = async |query: &str| {
        let (status, text) = world.get(&format!("/sessions{query}")).await;
        assert_eq!(status, 200, "{query}: {text}");
        // What the provider calls the session is a secret between it and us.
        assert!(!text.contains("\"s\""), "{text}");
        let list: Value = serde_json::from_str(&text).unwrap();
        list["sessions"].as_array().unwrap().len()
    };
    assert_eq!(shown("").await, 6);
    assert_eq!(shown("?sub=alice").await, 5);
    assert_eq!(shown("?sub=alice&limit=2").await, 2);
    assert_eq!(shown("?sub=carol").await, 0);
    assert_eq!(shown("?app=shop&sub=bob").await, 1);
    assert_eq!(shown("?app=other").await, 0);
    for query in [
        "?user=alice",
        "?sub=alice&sub=bob",
        "?limit=0",
        "?limit=1001",
        "?limit=-1",
        "?limit=many",
        "?iss=x",
    ] {
        assert_eq!(world.get(&format!("/sessions{query}")).await.0, 400, "{query}");
    }
}

#[derive(Debug)]
struct Later;

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(NOW + 13 * 3600)
    }
}

/// In memory nobody knows who came before the process; once the longest session from then is over, everybody is known.
#[tokio::test]
async fn the_list_says_whether_it_is_complete() {
    let complete = async |world: &World, query: &str| -> bool {
        let list: Value = serde_json::from_str(&world.get(query).await.1).unwrap();
        list["complete"].as_bool().unwrap()
    };
    let young = World::new();
    young.begun(1, "alice", None, 0).await;
    assert!(!complete(&young, "/sessions").await);

    let small = Capacity {
        records: 2,
        ..Capacity::default()
    };
    let old = |capacity| -> World {
        let mut world = World::around(
            Arc::new(MemoryStore::with_capacity(&OsRandom, capacity)),
            "127.0.0.1:9080",
            Some(TOKEN),
        );
        let environment = Environment {
            clock: Arc::new(Later),
            random: Arc::new(OsRandom),
            store: Some(Arc::clone(&world.store)),
        };
        let handler = TokenHandler::new(&fixture::config(vec![app()]), environment).unwrap();
        world.admin = Admin::new(handler, world.admin.settings(), world.admin.0.listen);
        world
    };
    let roomy = old(Capacity::default());
    // It was there, thirteen hours ago.
    roomy.begun(1, "alice", None, 0).await;
    assert!(complete(&roomy, "/sessions").await);
    for byte in 2..5 {
        let id = SessionId([byte; 16]);
        let started = Timestamp::from_secs(NOW + 13 * 3600);
        let record = Record {
            handle: id.handle(),
            app: "shop".into(),
            issuer: ISSUER.into(),
            subject: "bob".into(),
            provider_session: None,
            started,
            until: started.after(Duration::from_secs(3600)),
        };
        roomy.store.record(id, record, started).await.unwrap();
    }
    assert!(complete(&roomy, "/sessions?limit=3").await);
    assert!(!complete(&roomy, "/sessions?limit=2").await, "one is not shown");

    let full = old(small);
    for byte in 1..=3 {
        full.begun(byte, "alice", None, 0).await;
    }
    // The first one had to go while it was open.
    let list = full
        .store
        .recorded(crate::store::Find::Everybody, 10, Timestamp::from_secs(NOW));
    assert_eq!(list.await.unwrap().len(), 2);
    assert!(full.store.recorded_since() > Some(Timestamp::from_secs(NOW)));
}
