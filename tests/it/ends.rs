//! Each kind of end, and a saved cookie afterwards: worth nothing at once, at the process that heard of it and at the other
//! (O-01, O-13, O-16, O-18, O-22; attacks 115, 118, 121).

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use crate::redis_server::RedisServer;
use crate::world::operator::{self, list, revoke, signed_in};
use crate::world::{Binary, Browser, Plan};

/// Two processes with an admin listener each, on one Redis.
async fn two(server: &RedisServer) -> [Binary; 2] {
    let plan = Plan {
        top: format!(
            "[store]\nkind = \"redis\"\nurl = \"{}\"\n{}",
            server.url(),
            operator::plan().top
        ),
        ..Plan::default()
    };
    let one = Binary::serve(&plan).await;
    let other = one.beside(&plan).await;
    [one, other]
}

/// The jar and a copy of it, asked at both until they say so.
async fn assert_over(replicas: &[Binary; 2], browsers: [&Browser; 2], reason: &str) {
    for browser in browsers {
        for replica in replicas {
            let here = browser.by_way_of(replica.address());
            let began = Instant::now();
            let call = loop {
                let call = here.get("/api/x").await;
                if call.status != 200 || began.elapsed() > Duration::from_secs(5) {
                    break call;
                }
            };
            assert_eq!(
                (call.status.as_u16(), call.code().as_deref()),
                (401, Some("session_revoked")),
                "{reason}"
            );
            let told = here.copy().session().await;
            assert_eq!(told, json!({ "is_logged_in": false, "reason": reason }));
        }
    }
}

/// Signed in at the first, seen at both, and what somebody saved of it.
async fn watched(replicas: &[Binary; 2], user: &str) -> (Browser, Browser) {
    let browser = signed_in(&replicas[0], user).await;
    for replica in replicas {
        assert_eq!(
            browser.by_way_of(replica.address()).get("/api/x").await.status,
            200
        );
    }
    let saved = browser.copy();
    (browser, saved)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_cookie_is_worth_nothing_after_each_kind_of_end_at_each_replica() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let replicas = two(&server).await;
    let [one, other] = &replicas;

    let (browser, saved) = watched(&replicas, "alice").await;
    let logout = browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(logout.status, 200);
    assert_over(&replicas, [&saved, &saved.copy()], "logged_out").await;

    // The provider says it to one of them, and says it again to the other.
    let (browser, saved) = watched(&replicas, "alice").await;
    let token = one.provider.logout_token(&json!({}));
    let said = async |replica: &Binary| {
        let stranger = one.browser().by_way_of(replica.address());
        let request = stranger.bare(Method::POST, "/oauth-agent/backchannel-logout");
        request.form(&[("logout_token", &token)]).send().await.status
    };
    assert_eq!(said(one).await, 200);
    assert_over(&replicas, [&browser, &saved], "revoked").await;
    assert_eq!(said(other).await, 400, "the same `jti`");

    let (browser, saved) = watched(&replicas, "bob").await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("iss", &*one.provider.issuer), ("sid", "sid-bob")])
        .finish();
    let frame = other.browser().by_way_of(other.address());
    let target = format!("/oauth-agent/frontchannel-logout?{query}");
    assert_eq!(frame.bare(Method::GET, &target).send().await.status, 200);
    assert_over(&replicas, [&browser, &saved], "logged_out").await;

    // An administrator finds it in the list of the other process.
    let (browser, saved) = watched(&replicas, "carol").await;
    let listed = list(other, "?sub=carol").await;
    let done = revoke(other, &json!({ "sid": listed["sessions"][0]["sid"] })).await;
    assert_eq!(done, (200, json!({ "ended": 1 })));
    assert_over(&replicas, [&browser, &saved], "revoked").await;

    let (browser, saved) = watched(&replicas, "carol").await;
    let all = revoke(one, &json!({ "iss": *one.provider.issuer, "sub": "carol" })).await;
    assert_eq!(all.0, 200, "{all:?}");
    assert_over(&replicas, [&browser, &saved], "revoked").await;
}
