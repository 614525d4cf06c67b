//! Every answer of the token endpoint and what becomes of the session.

use http::StatusCode;
use serde_json::{Value, json};

use super::script::{Asked, broken, invalid_grant, rotated};
use super::world::{World, said};
use crate::refusal::Code;
use crate::store::Capacity;

/// Claims of a refreshed ID token as this provider would send them.
fn claims(world: &World) -> Value {
    json!({
        "iss": world.provider.issuer, "aud": "shop", "sub": "alice", "sid": "sid-1",
        "iat": world.sessions.now().as_secs(), "exp": world.sessions.now().as_secs() + 300,
        "auth_time": 1_799_999_990,
    })
}

/// From now on every refresh brings this ID token.
fn brings(world: &World, id_token: String) {
    world.provider.replies(move |asked: &Asked| {
        let (status, mut body) = rotated(asked);
        body["id_token"] = json!(id_token);
        (status, body)
    });
}

#[tokio::test]
async fn a_failing_provider_is_no_end_of_a_session() {
    // Attack 137, R-08.
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.provider.replies(broken);
    world.clock.advance(575);
    let admitted = world.call(&mut browser).await.unwrap();
    assert_eq!(admitted.session.access.token.expose(), "at-0");
    assert!(!admitted.renewed);
    world.clock.advance(25);
    let refusal = world.call(&mut browser).await.unwrap_err();
    assert_eq!(refusal.code, Code::ProviderUnavailable);
    assert!(refusal.retry_after.is_some());
    assert!(refusal.set_cookies.is_empty());
    assert!(world.peek(&mut browser).await.is_ok());
    world.clock.advance(2);
    world.provider.replies(rotated);
    assert!(world.call(&mut browser).await.unwrap().renewed);
}

#[tokio::test]
async fn a_refresh_says_that_the_provider_failed() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.provider.replies(broken);
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::ProviderUnavailable, false)
    );
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-0"
    );
}

#[tokio::test]
async fn invalid_grant_for_the_newest_generation_is_final() {
    // Attack 136, R-07.
    let world = World::new().await;
    let (mut browser, mut other) = (world.browser().await, world.browser().await);
    let mut copy = browser.clone();
    world.clock.advance(580);
    world.provider.replies(invalid_grant);
    assert_eq!(said(world.call(&mut browser).await), (Code::SessionExpired, true));
    assert!(browser.is_empty(), "cleared once");
    assert_eq!(
        said(world.call(&mut copy).await),
        (Code::SessionExpired, false),
        "and not again"
    );
    assert_eq!(world.provider.asked().len(), 1, "no loop");
    assert_eq!(world.peek(&mut copy).await, Err("expired"));
    world.provider.replies(rotated);
    assert!(
        world.call(&mut other).await.unwrap().renewed,
        "nobody else is touched"
    );
}

#[tokio::test]
async fn invalid_grant_after_a_renewal_is_final_too() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    world.refresh(&mut browser).await.unwrap();
    world.provider.replies(invalid_grant);
    world.clock.advance(600);
    assert_eq!(said(world.call(&mut browser).await), (Code::SessionExpired, true));
    assert_eq!(world.provider.asked(), ["rt-0", "rt-1"]);
}

#[tokio::test]
async fn what_the_response_leaves_out_stays() {
    // Attack 139, R-02.
    let world = World::with(|app| app.provider.default_expires_in = None).await;
    world.provider.replies(|asked| {
        let number = asked.number;
        (
            StatusCode::OK,
            json!({ "access_token": format!("at-{number}"), "token_type": "Bearer" }),
        )
    });
    let mut browser = world.browser().await;
    world.clock.advance(590);
    world.call(&mut browser).await.unwrap();
    let session = world.call(&mut browser).await.unwrap().session;
    assert_eq!(session.access.token.expose(), "at-1");
    assert_eq!(session.access.expires, None);
    assert_eq!(session.access.scope.as_deref(), Some("openid profile"));
    assert_eq!(session.refresh.as_ref().unwrap().expose(), "rt-0");
    assert_eq!(
        session.id_token.as_ref().unwrap().expose(),
        "header.alice.signature"
    );
    // Of unknown lifetime: never due by time.
    world.clock.advance(1200);
    world.call(&mut browser).await.unwrap();
    assert_eq!(world.provider.asked(), ["rt-0"]);
    world.refresh(&mut browser).await.unwrap();
    assert_eq!(world.provider.asked(), ["rt-0", "rt-0"]);
}

#[tokio::test]
async fn a_narrower_scope_is_honoured_a_wider_one_is_not_believed() {
    //
    let world = World::new().await;
    world.provider.replies(|asked| {
        let (status, mut body) = rotated(asked);
        body["scope"] = json!(if asked.number == 1 {
            "openid admin"
        } else {
            "openid profile"
        });
        (status, body)
    });
    let mut browser = world.browser().await;
    let session = world.refresh(&mut browser).await.unwrap().session;
    assert_eq!(session.access.scope.as_deref(), Some("openid"));
    world.clock.advance(10);
    let session = world.refresh(&mut browser).await.unwrap().session;
    assert_eq!(session.access.scope.as_deref(), Some("openid"));
}

#[tokio::test]
async fn a_refreshed_id_token_that_checks_out_replaces_the_old_one() {
    //
    let world = World::new().await;
    let mut said = claims(&world);
    said["acr"] = json!("gold");
    let id_token = world.provider.id_token(&said);
    brings(&world, id_token.clone());
    let mut browser = world.browser().await;
    world.refresh(&mut browser).await.unwrap();
    let session = world.call(&mut browser).await.unwrap().session;
    assert_eq!(session.id_token.as_ref().unwrap().expose(), id_token);
    assert_eq!(session.identity.acr.as_deref(), Some("gold"));
    assert_eq!(session.identity.auth_time, Some(1_799_999_990));
}

#[tokio::test]
async fn a_refreshed_id_token_of_somebody_else_ends_the_session() {
    // Attack 140, R-05.
    for (claim, value) in [
        ("sub", json!("mallory")),
        ("iss", json!("https://elsewhere.test")),
        ("aud", json!("another-client")),
        ("auth_time", json!(1_700_000_000)),
    ] {
        let world = World::new().await;
        let mut wrong = claims(&world);
        wrong[claim] = value;
        brings(&world, world.provider.id_token(&wrong));
        let mut browser = world.browser().await;
        let refused = world.refresh(&mut browser).await;
        assert_eq!(said(refused), (Code::ProviderResponseInvalid, false), "{claim}");
        assert_eq!(
            said(world.call(&mut browser).await),
            (Code::SessionRevoked, false),
            "{claim}"
        );
        assert_eq!(world.provider.revoked(2).await, ["at-1", "rt-1"], "{claim}");
    }
}

#[tokio::test]
async fn a_refreshed_id_token_with_a_bad_signature_ends_the_session() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    brings(&world, elsewhere.provider.id_token(&claims(&world)));
    let mut browser = world.browser().await;
    assert_eq!(
        said(world.refresh(&mut browser).await),
        (Code::ProviderResponseInvalid, false)
    );
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::SessionRevoked, false)
    );
}

#[tokio::test]
async fn an_id_token_that_nobody_can_check_now_is_left_out() {
    // The keys cannot be had, the refresh token is spent: an outage ends nobody's session.
    let world = World::new().await;
    brings(&world, world.provider.id_token(&claims(&world)));
    *world.provider.keys.lock().unwrap() = Value::Null;
    let mut browser = world.browser().await;
    world.refresh(&mut browser).await.unwrap();
    let session = world.call(&mut browser).await.unwrap().session;
    assert_eq!(session.access.token.expose(), "at-1");
    assert_eq!(
        session.id_token.as_ref().unwrap().expose(),
        "header.alice.signature"
    );
}

#[tokio::test]
async fn a_refused_client_is_the_operators_fault_not_the_sessions_end() {
    let world = World::new().await;
    world
        .provider
        .replies(|_| (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client" })));
    let mut browser = world.browser().await;
    world.clock.advance(600);
    assert_eq!(
        said(world.call(&mut browser).await),
        (Code::ProviderResponseInvalid, false)
    );
    assert!(world.peek(&mut browser).await.is_ok());
}

#[tokio::test]
async fn a_store_without_room_for_the_result_loses_nobody_the_session() {
    // The refresh token is spent: who waits gets what there is.
    let full = Capacity {
        result_bytes: 0,
        ..Capacity::default()
    };
    let world = World::with_room(|_| (), full).await;
    let mut browser = world.browser().await;
    assert!(world.refresh(&mut browser).await.unwrap().renewed);
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-1"
    );
    world.clock.advance(580);
    assert_eq!(
        world
            .call(&mut browser)
            .await
            .unwrap()
            .session
            .access
            .token
            .expose(),
        "at-2"
    );
}
