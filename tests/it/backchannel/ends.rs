//! Which sessions a logout token ends, and which it spares, in whatever order things happen.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::random::OsRandom;
use cloakroom::store::MemoryStore;
use serde_json::json;

use super::{assert_alive, assert_bad, assert_revoked, log_out, send, signed_in_as};
use crate::world::{Plan, World};

// O-16: two browsers of one user, one of another; a saved cookie is as dead as the one in the browser.
#[tokio::test]
async fn a_logout_token_with_sub_ends_all_sessions_of_the_user() {
    let world = World::new().await;
    let (one, two) = (world.signed_in().await, world.signed_in().await);
    let bob = signed_in_as(&world, "bob").await;
    let saved = one.copy();
    assert_alive(&one).await;
    world.clock.advance_secs(5);
    log_out(&world, &json!({})).await;
    for browser in [&one, &two, &saved] {
        assert_revoked(browser).await;
    }
    assert_alive(&bob).await;
    world.clock.advance_secs(1);
    let again = world.signed_in().await;
    assert_alive(&again).await;
}

#[tokio::test]
async fn a_logout_token_with_sid_ends_that_session_alone() {
    let world = World::new().await;
    world
        .provider
        .script(|script| script.id_token = json!({ "sid": "first" }).as_object().unwrap().clone());
    let first = world.signed_in().await;
    world
        .provider
        .script(|script| script.id_token = json!({ "sid": "second" }).as_object().unwrap().clone());
    let second = world.signed_in().await;
    log_out(&world, &json!({ "sid": "first", "sub": null })).await;
    assert_revoked(&first).await;
    assert_alive(&second).await;
    // Both are there and belong together: `sid` says which.
    log_out(&world, &json!({ "sid": "second" })).await;
    assert_revoked(&second).await;
}

#[tokio::test]
async fn sub_and_sid_of_two_sessions_end_neither() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    let bob = signed_in_as(&world, "bob").await;
    let torn = world
        .provider
        .logout_token(&json!({ "sub": "bob", "sid": "sid-alice" }));
    assert_bad(&send(&world, &torn).await, "torn");
    assert_alive(&alice).await;
    assert_alive(&bob).await;
}

// O-15: also when nobody was signed in.
#[tokio::test]
async fn nobody_to_log_out_is_no_error() {
    let world = World::new().await;
    log_out(&world, &json!({})).await;
    log_out(&world, &json!({ "sid": "nobody", "sub": null })).await;
}

// O-13, attack 118.
#[tokio::test]
async fn a_token_that_is_sent_again_is_refused_and_ends_no_later_session() {
    let world = World::new().await;
    let before = world.signed_in().await;
    world.clock.advance_secs(1);
    let token = world.provider.logout_token(&json!({}));
    assert_eq!(send(&world, &token).await.status, 200);
    world.clock.advance_secs(1);
    let after = world.signed_in().await;
    assert_bad(&send(&world, &token).await, "a replay");
    assert_revoked(&before).await;
    assert_alive(&after).await;
    // The same `jti` under another wrapping, and after the store had time to forget it.
    let claims = world.provider.logout_claims(&json!({ "jti": "one" }));
    assert_eq!(
        send(&world, &world.provider.sign(&json!({}), &claims))
            .await
            .status,
        200
    );
    world.clock.advance_secs(179);
    let again = world.provider.sign(&json!({ "typ": "logout+jwt" }), &claims);
    assert_bad(
        &send(&world, &again).await,
        "late, and expired but for the clocks",
    );
    world.clock.advance_secs(1);
    assert_bad(&send(&world, &again).await, "expired");
}

// Attack 118: `jti` is shared, and so is the end.
#[tokio::test]
async fn replicas_that_share_a_store_share_the_logout() {
    let store = Arc::new(MemoryStore::new(&OsRandom));
    let plan = Plan {
        store: Some(store),
        ..Plan::default()
    };
    let one = World::with(plan.clone()).await;
    let two = World::around(one.provider.clone(), one.upstream.clone(), plan).await;
    one.provider.follow(one.clock.clone());
    let alice = two.signed_in().await;
    for world in [&one, &two] {
        world.clock.advance_secs(1);
    }
    let token = one.provider.logout_token(&json!({}));
    assert_eq!(send(&one, &token).await.status, 200);
    assert_revoked(&alice).await;
    assert_bad(&send(&two, &token).await, "a replay at the other replica");
}

// A login whose code was being redeemed when the logout came must not outlive it.
#[tokio::test]
async fn a_login_that_is_being_finished_ends_with_the_others() {
    let world = World::new().await;
    let browser = world.browser();
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    world.provider.hold();
    let finishing = tokio::spawn({
        let browser = browser.clone();
        async move { browser.come_back(&back).await }
    });
    world
        .provider
        .eventually("the code is redeemed", || {
            world.provider.token_requests("authorization_code") == 1
        })
        .await;
    world.clock.advance_secs(2);
    log_out(&world, &json!({})).await;
    world.clock.advance_secs(2);
    world.provider.release(1_000_000_000);
    finishing.await.unwrap();
    assert_revoked(&browser).await;
}

// The provider's clock, and how long a message is under way, decide nothing that the order of events does not say.
#[tokio::test]
async fn a_token_that_was_long_under_way_spares_who_signed_in_since() {
    let world = World::new().await;
    let before = world.signed_in().await;
    let late = world.provider.logout_token(&json!({}));
    world.clock.advance_secs(90);
    let after = world.signed_in().await;
    world.clock.advance_secs(5);
    assert_eq!(send(&world, &late).await.status, 200);
    assert_revoked(&before).await;
    assert_alive(&after).await;
}

#[tokio::test]
async fn a_providers_clock_that_is_behind_or_ahead_changes_nothing() {
    for skew in [-50i64, 50] {
        let world = World::new().await;
        let before = world.signed_in().await;
        world.clock.advance_secs(1);
        let iat = world.clock.secs().checked_add_signed(skew).unwrap();
        log_out(&world, &json!({ "iat": iat, "exp": iat + 120 })).await;
        assert_revoked(&before).await;
        world.clock.advance_secs(1);
        assert_alive(&world.signed_in().await).await;
    }
}

#[tokio::test]
async fn a_session_that_seems_to_begin_in_the_future_ends_too() {
    let world = World::new().await;
    let before = world.signed_in().await;
    world.clock.turn_back_secs(30);
    log_out(&world, &json!({})).await;
    assert_revoked(&before).await;
}

// Attack 143 and R-12: the end wins over a renewal, whoever said it.
#[tokio::test]
async fn a_renewal_that_is_overtaken_gives_its_tokens_back() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(290);
    world.provider.hold();
    let calling = tokio::spawn({
        let browser = browser.clone();
        async move { browser.get("/api/x").await }
    });
    world
        .provider
        .eventually("the renewal", || {
            world.provider.token_requests("refresh_token") == 1
        })
        .await;
    log_out(&world, &json!({})).await;
    world.provider.release(1_000_000_000);
    let call = calling.await.unwrap();
    assert_eq!(
        (call.status.as_u16(), call.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert!(call.set_cookies().is_empty());
    world
        .provider
        .eventually("the new refresh token is revoked", || {
            world
                .provider
                .revoked()
                .iter()
                .any(|token| token.starts_with("RT"))
        })
        .await;
}

// A refreshed ID token that names another `sid` must not take the session out of reach.
#[tokio::test]
async fn a_refreshed_id_token_with_another_sid_detaches_nobody() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.provider.script(|script| {
        script.id_token = json!({ "sid": "another", "nonce": null })
            .as_object()
            .unwrap()
            .clone();
    });
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    assert_alive(&browser).await;
    log_out(&world, &json!({ "sid": "sid-alice", "sub": null })).await;
    assert_revoked(&browser).await;
}

// Attack 130, contract §9: within two seconds, for every kind of end; `streams` has the others.
#[tokio::test]
async fn a_stream_ends_with_a_logout_at_the_provider() {
    use tokio::io::AsyncReadExt as _;
    let (world, upstream) = crate::streams::world().await;
    let browser = world.signed_in().await;
    let first = "d\r\ndata: first\n\n\r\n";
    let (mut page, _api) =
        crate::streams::open(&world, &upstream, &browser, "text/event-stream", first).await;
    crate::streams::read_until(&mut page, "data: first\n\n").await;
    world.clock.advance_secs(1);
    log_out(&world, &json!({})).await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(2), page.read_to_end(&mut rest));
    assert!(ended.await.is_ok(), "the stream outlives its session");
}
