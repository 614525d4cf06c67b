//! Sessions in the store, from outside: `session.mode = "store"`. Contract §4, §9.

use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::world::jar::From;
use crate::world::{Browser, Plan, World};

fn in_store() -> Plan {
    Plan {
        session: "mode = \"store\"".into(),
        ..Plan::default()
    }
}

fn session_cookies(browser: &Browser) -> Vec<String> {
    let mut names = browser.jar().names();
    names.retain(|name| !name.contains("-login-") && !name.ends_with("-end"));
    names
}

#[tokio::test]
async fn from_login_to_logout_the_cookies_hold_a_handle_and_the_store_the_tokens() {
    let world = World::with(in_store()).await;
    world.provider.script(|script| {
        script.access_token_length = 60_000;
        script.expires_in = 300;
    });
    let browser = world.signed_in().await;
    assert_eq!(
        session_cookies(&browser),
        ["__Host-Http-shop-at", "__Host-Http-shop-rt"]
    );
    let field = browser.jar().header("/api", From::SameSite).unwrap();
    assert!(field.len() < 800, "{} bytes", field.len());

    assert_eq!(browser.get("/api/x").await.status, 200);
    let arrived = world.upstream.last().one("authorization").unwrap().to_owned();
    let issued = world.provider.issued();
    assert!(issued.iter().any(|token| arrived == format!("Bearer {token}")));
    assert_eq!(browser.session().await["is_logged_in"], true);
    assert_eq!(browser.session().await["id_token_claims"]["sub"], "alice");
    assert_eq!(browser.get("/oauth-agent/userinfo").await.status, 200);

    let before = browser.copy();
    world.clock.advance(Duration::from_secs(280));
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
    let renewed = world.upstream.last().one("authorization").unwrap().to_owned();
    assert_ne!(renewed, arrived);
    assert_eq!(
        before.get("/api/x").await.status,
        200,
        "a lost answer is made up for"
    );
    assert_eq!(world.upstream.last().one("authorization"), Some(renewed.as_str()));
    assert_eq!(world.provider.token_requests("refresh_token"), 1);

    let saved = [browser.copy(), before];
    let out = browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(out.status, 200);
    assert_eq!(session_cookies(&browser), [""; 0]);
    for saved in saved {
        let replayed = saved.get("/api/x").await;
        assert_eq!(
            (replayed.status.as_u16(), replayed.code().as_deref()),
            (401, Some("session_revoked"))
        );
        assert_eq!(
            saved.session().await,
            json!({ "is_logged_in": false, "reason": "logged_out" })
        );
    }
    let revoked = world.provider.revoked();
    assert!(revoked.iter().any(|token| renewed == format!("Bearer {token}")));
    // The way to the provider's own logout has its hint.
    let url = out.json()["logout_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&world.origin).unwrap().to_owned();
    let left = browser.visit(&path).send().await;
    assert_eq!(left.status, 303);
    assert!(left.location_parameter("id_token_hint").is_some());
}

#[tokio::test]
async fn many_calls_at_the_instant_of_expiry_make_one_token_request() {
    // R-03, attack 131.
    let world = World::with(in_store()).await;
    world.provider.script(|script| script.expires_in = 300);
    let browser = world.signed_in().await;
    world.clock.advance(Duration::from_secs(280));
    let calls = futures_util::future::join_all((0..20).map(|_| browser.get("/api/x"))).await;
    assert!(calls.iter().all(|reply| reply.status == 200));
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
    assert_eq!(browser.get("/api/x").await.status, 200);
}

#[tokio::test]
async fn a_handle_that_was_changed_exchanged_or_lost_opens_nothing() {
    // K-07, K-11; attacks 70, 76.
    let world = World::with(in_store()).await;
    let (alice, mallory) = (world.signed_in().await, world.signed_in().await);
    for name in ["__Host-Http-shop-at", "__Host-Http-shop-rt"] {
        let theirs = alice.jar().value(name).unwrap().to_owned();
        let mixed = mallory.copy();
        mixed.jar().plant(name, &theirs);
        let cut = mallory.copy();
        cut.jar().remove(name);
        let changed = mallory.copy();
        let mut value = mallory.jar().value(name).unwrap().to_owned();
        let middle = value.len() / 2;
        let other = if value[middle..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        value.replace_range(middle..=middle, other);
        changed.jar().plant(name, &value);
        for browser in [mixed, cut, changed] {
            let reply = browser.get("/api/x").await;
            assert_eq!(
                (reply.status.as_u16(), reply.code().as_deref()),
                (401, Some("session_missing")),
                "{name}"
            );
        }
    }
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(mallory.get("/api/x").await.status, 200);
}

#[tokio::test]
async fn another_mode_after_a_reload_signs_nobody_out() {
    let world = World::new().await;
    world.provider.script(|script| script.expires_in = 300);
    let (early, idle) = (world.signed_in().await, world.signed_in().await);
    assert_eq!(session_cookies(&early).len(), 3);
    for (plan, cookies) in [(in_store(), 2), (Plan::default(), 3), (in_store(), 2)] {
        world.reload(&plan);
        assert_eq!(early.get("/api/x").await.status, 200);
        assert_ne!(
            session_cookies(&early).len(),
            cookies,
            "as it was, until it is renewed"
        );
        world.clock.advance(Duration::from_secs(280));
        assert_eq!(early.get("/api/x").await.status, 200);
        assert_eq!(session_cookies(&early).len(), cookies);
        assert_eq!(world.signed_in().await.jar().names().len(), cookies);
    }
    assert_eq!(idle.get("/api/x").await.status, 200);
    let out = early.fetch(Method::POST, "/oauth-agent/logout").json(&json!({}));
    assert_eq!(out.send().await.status, 200);
    assert_eq!(session_cookies(&early), [""; 0]);
}
