//! Refresh: one flight, no session lost. Standards R-; attacks H; contract §9.

use futures_util::future::join_all;
use serde_json::json;

use crate::world::provider::Instead;
use crate::world::{Plan, World};

#[tokio::test]
async fn fifty_calls_at_the_instant_of_expiry_make_one_token_request() {
    // attack 131.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    world.provider.hold();
    let calls: Vec<_> = (0..50)
        .map(|n| {
            let browser = browser.copy();
            tokio::spawn(async move { browser.get(&format!("/api/{n}")).await })
        })
        .collect();
    world
        .provider
        .eventually("the token request arrives", || {
            world.provider.token_requests("refresh_token") == 1
        })
        .await;
    world.provider.release(1);
    for reply in join_all(calls).await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(
            reply
                .set_cookies()
                .iter()
                .filter(|field| field.contains("-at="))
                .count(),
            1,
            "renewed cookies go out with each"
        );
    }
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
    let bearers: std::collections::HashSet<String> = world
        .upstream
        .seen()
        .iter()
        .map(|seen| seen.one("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(bearers.len(), 1, "all of them carried the new token");
}

#[tokio::test]
async fn the_old_cookies_of_a_live_session_get_the_new_ones() {
    // Attack 134: the answer with the new cookies was lost, or another tab is a moment behind.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let behind = browser.copy();
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/x").await.status, 200);
    for _ in 0..3 {
        let reply = behind.copy().get("/api/x").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(
            reply.set_cookies().iter().any(|field| field.contains("-rt=")),
            "{reply:?}"
        );
    }
    world.clock.advance_secs(30);
    assert_eq!(behind.get("/api/x").await.status, 200);
    assert!(behind.is_signed_in().await && browser.is_signed_in().await);
    assert_eq!(
        world.provider.token_requests("refresh_token"),
        1,
        "a superseded refresh token is never sent"
    );
}

#[tokio::test]
async fn an_older_generation_after_the_grace_is_reuse_and_ends_the_session() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let thief = browser.copy();
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(
        browser.get("/api/x").await.status,
        200,
        "the new generation has been presented"
    );
    world.clock.advance_secs(61);
    let reused = thief.get("/api/x").await;
    assert_eq!(
        (reused.status.as_u16(), reused.code().as_deref()),
        (401, Some("session_revoked"))
    );
    let ended = browser.get("/api/x").await;
    assert_eq!(
        (ended.status.as_u16(), ended.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert_eq!(
        browser.session().await,
        json!({ "is_logged_in": false, "reason": "revoked" })
    );
    assert!(browser.jar().names().is_empty());
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_provider_that_fails_costs_nobody_a_session() {
    // R-08; attack 137.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.provider.instead("/token", Instead::html(500));
    world.clock.advance_secs(280);
    assert_eq!(
        browser.get("/api/x").await.status,
        200,
        "the token is still valid: it is used"
    );
    world.clock.advance_secs(60);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (503, Some("provider_unavailable"))
    );
    assert!(reply.header("retry-after").is_some());
    assert!(reply.set_cookies().is_empty());
    assert!(browser.is_signed_in().await);
    world.provider.heal();
    world.clock.advance_secs(5);
    assert_eq!(browser.get("/api/x").await.status, 200);
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_stormed() {
    //
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.provider.instead("/token", Instead::html(500));
    world.clock.advance_secs(400);
    for _ in 0..50 {
        assert_eq!(browser.get("/api/x").await.status, 503);
    }
    let asked = world.provider.token_requests("refresh_token");
    assert!(asked <= 3, "{asked} token requests for 50 calls in one moment");
}

#[tokio::test]
async fn a_final_refusal_ends_the_session_once_and_clears_its_cookies() {
    // R-07; attack 136.
    let world = World::new().await;
    let (browser, other) = (world.signed_in().await, world.signed_in().await);
    world
        .provider
        .script(|script| script.token_turns.push_back(Instead::error("invalid_grant")));
    world.clock.advance_secs(400);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_expired"))
    );
    assert!(browser.jar().names().is_empty(), "{:?}", browser.jar().names());
    assert_eq!(other.get("/api/x").await.status, 200, "nobody else is touched");
}

#[tokio::test]
async fn what_a_refresh_does_not_bring_is_kept() {
    // R-02; attack 139.
    let world = World::new().await;
    world.provider.script(|script| script.keep_refresh = true);
    let browser = world.signed_in().await;
    world.provider.script(|script| {
        script.token_response = json!({ "refresh_token": null, "id_token": null })
            .as_object()
            .unwrap()
            .clone();
    });
    for _ in 0..3 {
        world.clock.advance_secs(290);
        assert_eq!(browser.get("/api/x").await.status, 200);
    }
    assert_eq!(world.provider.token_requests("refresh_token"), 3);
    assert_eq!(browser.session().await["id_token_claims"]["sub"], "alice");
}

#[tokio::test]
async fn a_refreshed_id_token_of_somebody_else_never_changes_who_the_user_is() {
    // R-05; attack 140.
    let world = World::new().await;
    for claims in [
        json!({ "sub": "mallory" }),
        json!({ "iss": "https://other.example" }),
        json!({ "aud": "other" }),
    ] {
        let browser = world.signed_in().await;
        world
            .provider
            .script(|script| script.id_token = claims.as_object().unwrap().clone());
        world.clock.advance_secs(290);
        let reply = browser.get("/api/x").await;
        assert_ne!(reply.status, 200, "{claims}");
        let session = browser.session().await;
        assert_ne!(session["id_token_claims"]["sub"], "mallory");
        assert_eq!(session["is_logged_in"], false, "{claims}");
        world.provider.script(|script| script.id_token.clear());
    }
}

#[tokio::test]
async fn a_session_without_a_refresh_token_lives_as_long_as_its_access_token() {
    let world = World::new().await;
    world.provider.script(|script| {
        script.token_response = json!({ "refresh_token": null }).as_object().unwrap().clone()
    });
    let browser = world.signed_in().await;
    assert_eq!(browser.jar().names().len(), 2, "{:?}", browser.jar().names());
    assert_eq!(browser.get("/api/x").await.status, 200);
    let refreshed = browser.post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(
        (
            refreshed.status.as_u16(),
            refreshed.json()["access_token_expires_in"].as_u64()
        ),
        (200, Some(300))
    );
    world.clock.advance_secs(301);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_expired"))
    );
    assert_eq!(world.provider.token_requests("refresh_token"), 0);
}

#[tokio::test]
async fn refresh_asks_the_provider_unless_somebody_just_did() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(60);
    let other_tab = browser.copy();
    let reply = browser.post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({ "access_token_expires_in": 300 }))
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let second = other_tab.post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(second.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
    let nobody = world.browser().post("/oauth-agent/refresh", &json!({})).await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.code().as_deref()),
        (401, Some("session_missing"))
    );
}

#[tokio::test]
async fn in_spa_mode_only_refresh_renews() {
    let world = World::with(Plan {
        session: "refresh = \"spa\"".into(),
        ..Plan::default()
    })
    .await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    assert_eq!(browser.get("/api/x").await.status, 200);
    world.clock.advance_secs(20);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("access_token_expired"))
    );
    assert_eq!(world.provider.token_requests("refresh_token"), 0);
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    assert_eq!(browser.get("/api/x").await.status, 200);
}

#[tokio::test]
async fn a_browser_that_goes_away_does_not_burn_the_rotated_token() {
    // R-04; dependencies: a handler future is dropped when the connection closes.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    world.provider.hold();
    let gone = browser.copy();
    let call = tokio::spawn(async move { gone.get("/api/x").await });
    world
        .provider
        .eventually("the token request arrives", || {
            world.provider.token_requests("refresh_token") == 1
        })
        .await;
    call.abort();
    drop(call.await);
    world.provider.release(1);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(
        world.provider.token_requests("refresh_token"),
        1,
        "the result was kept for whoever comes next"
    );
}

#[tokio::test]
async fn a_logout_during_a_renewal_wins() {
    // R-12; contract §9.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    world.provider.hold();
    let (calling, leaving) = (browser.copy(), browser.copy());
    let call = tokio::spawn(async move { calling.get("/api/x").await });
    world
        .provider
        .eventually("the token request arrives", || {
            world.provider.token_requests("refresh_token") == 1
        })
        .await;
    let logout = tokio::spawn(async move { leaving.post("/oauth-agent/logout", &json!({})).await });
    // The logout has been decided once the session is refused elsewhere.
    loop {
        let look = browser.copy().session().await;
        if look["is_logged_in"] == false {
            break;
        }
        tokio::task::yield_now().await;
    }
    world.provider.release(1);
    let (call, logout) = (call.await.unwrap(), logout.await.unwrap());
    assert_eq!(logout.status, 200);
    assert!(
        !call
            .set_cookies()
            .iter()
            .any(|field| field.contains("-at=") && !field.contains("Max-Age=0")),
        "{call:?}"
    );
    world
        .provider
        .eventually("what came out is revoked", || {
            let last = world
                .provider
                .issued()
                .into_iter()
                .rev()
                .find(|token| token.starts_with("RT"))
                .unwrap();
            world.provider.revoked().contains(&last)
        })
        .await;
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_revoked"))
    );
}
