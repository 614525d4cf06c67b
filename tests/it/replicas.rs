//! Several processes, one Redis, a real one: what users see. Contract §9; attacks E, G, H.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cloakroom::random::OsRandom;
use cloakroom::{Environment, TokenHandler};
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::redis_server::RedisServer;
use crate::world::{Browser, Plan, Reply, TestClock, World};

/// The second replica of a world. Dropped, it takes no connections any more.
struct Replica {
    address: std::net::SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Replica {
    /// Serves the same configuration on another port, with a clock of its own.
    async fn beside(world: &World, plan: &Plan, clock: Arc<TestClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let environment = Environment {
            clock,
            random: Arc::new(OsRandom),
            store: None,
        };
        let handler = TokenHandler::new(&world.config(plan), environment).unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            cloakroom::server::serve(vec![listener], handler, async { drop(stopped.await) }).await;
        });
        Self { address, _stop: stop }
    }

    /// The same browser, whose requests arrive here.
    fn seen_by(&self, browser: &Browser) -> Browser {
        browser.by_way_of(self.address)
    }
}

fn plan(server: &RedisServer) -> Plan {
    Plan {
        top: format!("[store]\nkind = \"redis\"\nurl = \"{}\"\n", server.url()),
        ..Plan::default()
    }
}

/// Two replicas that share `server`, at the same time of day.
async fn two(server: &RedisServer) -> (World, Replica) {
    let world = World::with(plan(server)).await;
    let other = Replica::beside(&world, &plan(server), world.clock.clone()).await;
    know_the_time(&world, &other).await;
    (world, other)
}

/// Both have asked Redis for the time before a test moves it: a login waits for that.
async fn know_the_time(world: &World, other: &Replica) {
    for browser in [world.browser(), other.seen_by(&world.browser())] {
        browser.sign_in(&world.provider).await;
    }
}

fn said(reply: &Reply) -> (u16, Option<String>) {
    (reply.status.as_u16(), reply.code())
}

fn refused(status: u16, code: &str) -> (u16, Option<String>) {
    (status, Some(code.to_owned()))
}

/// Calls again and again until it is answered so; how long that took.
async fn until_answered(browser: &Browser, wanted: (u16, Option<String>)) -> Duration {
    let began = Instant::now();
    loop {
        let reply = browser.get("/api/x").await;
        if said(&reply) == wanted {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{reply:?}");
    }
}

#[tokio::test]
async fn a_session_of_one_replica_is_one_of_the_other_and_so_is_its_end() {
    // Attack 121: a saved cookie after logout, on each replica.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, other) = two(&server).await;
    let browser = world.signed_in().await;
    let saved = browser.copy();
    let saved_elsewhere = other.seen_by(&saved.copy());
    assert_eq!(saved_elsewhere.get("/api/x").await.status, 200);
    assert_eq!(browser.post("/oauth-agent/logout", &json!({})).await.status, 200);
    assert_eq!(said(&saved.get("/api/x").await), refused(401, "session_revoked"));
    let took = until_answered(&saved_elsewhere, refused(401, "session_revoked")).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert_eq!(saved_elsewhere.session().await["reason"], "logged_out");
    // And at one that starts afterwards.
    let third = Replica::beside(&world, &plan(&server), world.clock.clone()).await;
    let reply = third.seen_by(&saved).get("/api/x").await;
    assert_eq!(said(&reply), refused(401, "session_revoked"));
}

#[tokio::test]
async fn fifty_calls_over_two_replicas_at_the_instant_of_expiry_make_one_token_request() {
    // attack 131.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, other) = two(&server).await;
    let browser = world.signed_in().await;
    for round in 1..=5 {
        world.clock.advance_secs(290);
        world.provider.hold();
        let calls: Vec<_> = (0..50)
            .map(|n| {
                let browser = if n % 2 == 0 {
                    browser.copy()
                } else {
                    other.seen_by(&browser.copy())
                };
                tokio::spawn(async move { browser.get(&format!("/api/{n}")).await })
            })
            .collect();
        let asked = || world.provider.token_requests("refresh_token");
        world
            .provider
            .eventually("the token request arrives", || asked() == round)
            .await;
        world.provider.release(1);
        for reply in join_all(calls).await {
            let reply = reply.unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            assert!(
                reply.set_cookies().iter().any(|field| field.contains("-rt=")),
                "{reply:?}"
            );
        }
        assert_eq!(asked(), round);
        // The browser goes on with what one of them brought.
        assert_eq!(browser.get("/api/x").await.status, 200);
        assert_eq!(other.seen_by(&browser).get("/api/x").await.status, 200);
    }
    assert_eq!(world.provider.token_requests("refresh_token"), 5);
}

#[tokio::test]
async fn reuse_of_an_old_generation_at_one_replica_ends_the_session_at_both() {
    // RFC 9700 §4.14.2, attack 134.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, other) = two(&server).await;
    let browser = world.signed_in().await;
    let thief = other.seen_by(&browser.copy());
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(
        browser.get("/api/x").await.status,
        200,
        "the new generation is presented"
    );
    world.clock.advance_secs(61);
    until_answered(&thief, refused(401, "session_revoked")).await;
    assert_eq!(
        said(&browser.get("/api/x").await),
        refused(401, "session_revoked")
    );
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn redis_out_of_reach_ends_nobodys_session_and_lets_nobody_in() {
    // Contract §9; O-13.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, other) = two(&server).await;
    let browser = world.signed_in().await;
    let leaving = world.signed_in().await;
    let (copy, elsewhere) = (leaving.copy(), other.seen_by(&leaving.copy()));
    server.kill();
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(other.seen_by(&browser).get("/api/x").await.status, 200);
    // A login needs the store.
    let newcomer = world.browser();
    let back = world.provider.approve(&newcomer.start_login(&json!({})).await);
    let failed = newcomer.come_back(&back).await;
    assert_eq!(
        failed.location_parameter("login_error").as_deref(),
        Some("store_unavailable")
    );
    assert!(!newcomer.is_signed_in().await);
    // A logout is no 200 while another replica cannot know of it; but here it holds, and its tokens are taken back.
    let logout = leaving.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(said(&logout), refused(503, "store_unavailable"));
    assert!(
        leaving.jar().names().is_empty(),
        "who sits at it next is not signed in"
    );
    assert_eq!(said(&copy.get("/api/x").await), refused(401, "session_revoked"));
    world
        .provider
        .eventually("its tokens are revoked", || world.provider.revoked().len() == 2)
        .await;
    let again = copy.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(
        said(&again),
        refused(503, "store_unavailable"),
        "still not everywhere"
    );
    assert!(copy.jar().names().is_empty());
    assert_eq!(elsewhere.get("/api/x").await.status, 200);
    // Back, and empty: what was decided meanwhile is made up for.
    server.run();
    until_answered(&elsewhere, refused(401, "session_revoked")).await;
    let done = elsewhere.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(elsewhere.jar().names().is_empty());
}

#[tokio::test]
async fn after_the_grace_nobody_is_believed() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, _other) = two(&server).await;
    let browser = world.signed_in().await;
    server.kill();
    assert_eq!(browser.get("/api/x").await.status, 200);
    // The token is good for 300 s: what is refused below is refused for the store's sake alone.
    world.provider.script(|script| script.expires_in = 3600);
    until_down(&world).await;
    world.clock.advance_secs(601);
    let reply = browser.get("/api/x").await;
    assert_eq!(said(&reply), refused(503, "store_unavailable"));
    assert!(reply.header("retry-after").is_some() && reply.set_cookies().is_empty());
}

#[tokio::test]
async fn who_leaves_while_the_store_tells_nothing_about_the_session_has_left_all_the_same() {
    // Contract §9: the end wins. Here the tokens lie in Redis, there the grace is over.
    let Some(server) = RedisServer::persistent() else {
        return;
    };
    for (session, away) in [("mode = \"store\"", 1), ("", 601)] {
        let plan = Plan {
            session: session.into(),
            ..plan(&server)
        };
        let world = World::with(plan.clone()).await;
        let other = Replica::beside(&world, &plan, world.clock.clone()).await;
        know_the_time(&world, &other).await;
        world.provider.script(|script| script.expires_in = 3600);
        let browser = world.signed_in().await;
        let (copy, elsewhere) = (browser.copy(), other.seen_by(&browser.copy()));
        assert_eq!(elsewhere.get("/api/x").await.status, 200);
        server.kill();
        until_down(&world).await;
        world.clock.advance_secs(away);
        let unknown = refused(503, "store_unavailable");
        assert_eq!(
            said(&browser.post("/oauth-agent/logout", &json!({})).await),
            unknown
        );
        assert!(
            browser.jar().names().is_empty(),
            "who sits at it next is not signed in"
        );
        assert_eq!(
            said(&copy.post("/oauth-agent/logout", &json!({})).await),
            unknown,
            "nor is it forgotten"
        );
        server.run();
        until_answered(&elsewhere, refused(401, "session_revoked")).await;
    }
}

/// A login that fails says that the store is known to be away.
async fn until_down(world: &World) {
    let newcomer = world.browser();
    let back = world.provider.approve(&newcomer.start_login(&json!({})).await);
    let failed = newcomer.come_back(&back).await;
    assert_eq!(
        failed.location_parameter("login_error").as_deref(),
        Some("store_unavailable")
    );
}

#[tokio::test]
async fn renewal_needs_the_store_and_a_token_that_is_still_good_is_used_meanwhile() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, _other) = two(&server).await;
    let browser = world.signed_in().await;
    server.kill();
    world.clock.advance_secs(280);
    assert_eq!(browser.get("/api/x").await.status, 200, "20 s are left");
    world.clock.advance_secs(21);
    let reply = browser.get("/api/x").await;
    assert_eq!(said(&reply), refused(503, "store_unavailable"));
    assert!(reply.set_cookies().is_empty());
    assert_eq!(world.provider.token_requests("refresh_token"), 0);
    assert!(browser.is_signed_in().await, "the session is kept");
}

#[tokio::test]
async fn an_emptied_redis_has_every_session_renewed_at_the_provider_before_it_is_used() {
    // Contract §9: the epoch.
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, other) = two(&server).await;
    let browser = world.signed_in().await;
    let gone = world.signed_in().await;
    let saved = other.seen_by(&gone.copy());
    assert_eq!(gone.post("/oauth-agent/logout", &json!({})).await.status, 200);
    server.ask("FLUSHALL");
    let renewed = || world.provider.token_requests("refresh_token");
    let began = Instant::now();
    while renewed() == 0 {
        assert_eq!(browser.get("/api/x").await.status, 200);
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(other.seen_by(&browser).get("/api/x").await.status, 200);
    assert_eq!(renewed(), 1);
    // What was ended before stays ended: the replicas have told the emptied store.
    assert_eq!(said(&saved.get("/api/x").await), refused(401, "session_revoked"));
    let third = Replica::beside(&world, &plan(&server), world.clock.clone()).await;
    let reply = third.seen_by(&saved).get("/api/x").await;
    assert_eq!(said(&reply), refused(401, "session_revoked"));
}

#[tokio::test]
async fn clocks_that_are_thirty_seconds_apart_do_no_harm() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let world = World::with(plan(&server)).await;
    let ahead = Arc::new(TestClock::default());
    ahead.advance_secs(30);
    let other = Replica::beside(&world, &plan(&server), ahead.clone()).await;
    know_the_time(&world, &other).await;
    let browser = world.signed_in().await;
    let elsewhere = other.seen_by(&browser);
    let left = |session: serde_json::Value| session["access_token_expires_in"].as_u64().unwrap();
    let (here, there) = (left(browser.session().await), left(elsewhere.session().await));
    assert!(here.abs_diff(there) <= 1 && here >= 298, "{here} {there}");
    // Due at both at the same moment, whatever their clocks say; and once.
    world.clock.advance_secs(265);
    ahead.advance_secs(265);
    assert_eq!(elsewhere.get("/api/x").await.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 0, "35 s are left");
    world.clock.advance_secs(10);
    ahead.advance_secs(10);
    assert_eq!(elsewhere.get("/api/x").await.status, 200);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn neither_tokens_nor_users_are_in_redis() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let (world, _other) = two(&server).await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/x").await.status, 200);
    let saved = browser.copy();
    assert_eq!(browser.post("/oauth-agent/logout", &json!({})).await.status, 200);
    assert_eq!(said(&saved.get("/api/x").await), refused(401, "session_revoked"));
    let dump = server.dump();
    assert!(
        dump.windows(6).any(|part| part == b"facts}"),
        "something is there"
    );
    for secret in world
        .provider
        .issued()
        .iter()
        .map(String::as_str)
        .chain(["alice", "127.0.0.1"])
    {
        assert!(
            !dump.windows(secret.len()).any(|part| part == secret.as_bytes()),
            "{secret}"
        );
    }
}
