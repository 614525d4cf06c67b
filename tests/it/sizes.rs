//! Large tokens, and browsers that keep no cookie: named, never a loop, nothing lost. Standards K-05, K-06; attack 85.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::world::{Plan, World};

#[tokio::test]
async fn a_renewal_that_grows_past_the_budget_is_named_and_loses_nothing() {
    let world = World::new().await;
    world.provider.script(|script| script.expires_in = 300);
    let browser = world.signed_in().await;
    let before = browser.jar().clone();
    world.clock.advance(Duration::from_secs(280));
    world
        .provider
        .script(|script| script.access_token_length = 20_000);
    for _ in 0..3 {
        let reply = browser.get("/api/x").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (502, Some("session_too_large"))
        );
        assert_eq!(reply.set_cookies(), [""; 0]);
    }
    let reply = browser.post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(reply.code().as_deref(), Some("session_too_large"));
    assert_eq!(*browser.jar(), before, "the jar is as it was");
    assert!(browser.is_signed_in().await);
    assert_eq!(
        world.provider.token_requests("refresh_token"),
        1,
        "what the one renewal brought is kept"
    );
}

#[tokio::test]
async fn a_budget_of_64_kib_carries_tokens_of_48_kilobytes_to_the_api() {
    let world = World::with(Plan {
        session: "cookie_budget = \"64KiB\"".into(),
        ..Plan::default()
    })
    .await;
    world
        .provider
        .script(|script| script.access_token_length = 47_000);
    let browser = world.signed_in().await;
    assert!(browser.jar().refused.is_empty(), "{:?}", browser.jar().refused);
    assert!(
        browser
            .jar()
            .names()
            .contains(&"__Host-Http-shop-at.15".to_owned())
    );
    assert_eq!(browser.get("/api/x").await.status, 200);
    let arrived = world.upstream.last().one("authorization").unwrap().to_owned();
    assert_eq!(arrived.len(), "Bearer ".len() + 47_000);
    assert!(
        world
            .provider
            .issued()
            .iter()
            .any(|token| arrived.ends_with(token))
    );
}

#[tokio::test]
async fn a_login_that_does_not_fit_leaves_the_session_of_before() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world
        .provider
        .script(|script| script.access_token_length = 20_000);
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    let landed = browser.come_back(&back).await;
    assert_eq!(
        landed.location_parameter("login_error").as_deref(),
        Some("session_too_large")
    );
    assert!(browser.is_signed_in().await);
    assert_eq!(browser.get("/api/x").await.status, 200);
}

/// Each try ends at the same named error: the agent sends nobody back to the provider by itself.
#[tokio::test]
async fn a_browser_that_refuses_cookies_is_told_so_and_never_goes_round() {
    let world = World::new().await;
    let browser = world.browser();
    browser.jar().refuses_all = true;
    for _ in 0..2 {
        let back = world.provider.approve(&browser.start_login(&json!({})).await);
        let landed = browser.come_back(&back).await;
        assert_eq!(landed.status, 303);
        assert!(
            landed.location().starts_with("/?login_error="),
            "{}",
            landed.location()
        );
        assert_eq!(
            landed.location_parameter("login_error").as_deref(),
            Some("login_state_invalid")
        );
        let parameters: Map<String, Value> = Url::parse(&back)
            .unwrap()
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
        let ended = browser
            .post("/oauth-agent/login/end", &Value::Object(parameters))
            .await;
        assert_eq!(
            (ended.status.as_u16(), ended.code().as_deref()),
            (400, Some("login_state_invalid"))
        );
        let detail = ended.json()["detailed_error"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("cookie") && detail.contains("Allow cookies"),
            "{detail}"
        );
    }
    assert_eq!(
        browser.session().await,
        json!({ "is_logged_in": false, "reason": "none" })
    );
    let reply = browser.fetch(Method::GET, "/api/x").send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_missing"))
    );
    assert_eq!(
        world.provider.token_requests("authorization_code"),
        0,
        "no code is redeemed for a browser that cannot hold the session"
    );
}

/// Who has a login cookie, but not of this login, does keep cookies.
#[tokio::test]
async fn an_old_login_is_not_blamed_on_cookies() {
    let world = World::new().await;
    let browser = world.browser();
    browser.start_login(&json!({})).await;
    let ended = browser
        .post(
            "/oauth-agent/login/end",
            &json!({ "code": "c", "state": "another" }),
        )
        .await;
    assert_eq!(ended.code().as_deref(), Some("login_state_invalid"));
    let detail = ended.json()["detailed_error"].as_str().unwrap().to_owned();
    assert!(!detail.contains("cookie"), "{detail}");
}
