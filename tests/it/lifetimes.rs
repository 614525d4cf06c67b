//! How long a session lives, whatever the browser does with its cookies. Standard K-10; attack 145.

use serde_json::json;

use crate::world::{Plan, World};

const AT: &str = "__Host-Http-shop-at";
const RT: &str = "__Host-Http-shop-rt";
const ID: &str = "__Host-Http-shop-id";

#[tokio::test]
async fn lifetimes_are_inside_and_end_a_copied_cookie_too() {
    // K-10; attack 145.
    let world = World::new().await;
    world.provider.script(|script| script.expires_in = 100_000);
    let browser = world.signed_in().await;
    let idle = browser.copy();
    world.clock.advance_secs(30 * 60 + 1);
    let reply = idle.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_expired"))
    );
    assert!(
        idle.jar().value(AT).is_some(),
        "a 401 for an expired session leaves the jar alone (contract §4)"
    );
    assert_eq!(
        idle.session().await,
        json!({ "is_logged_in": false, "reason": "expired" })
    );
    assert!(idle.jar().names().is_empty(), "the session endpoint clears it");

    let busy = world.signed_in().await;
    for _ in 0..35 {
        world.clock.advance_secs(20 * 60);
        let reply = busy.get("/api/x").await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    world.clock.advance_secs(20 * 60 + 1);
    let reply = busy.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (401, Some("session_expired")),
        "twelve hours are twelve hours"
    );
}

#[tokio::test]
async fn the_idle_timeout_slides_with_calls_but_never_with_looking() {
    let world = World::new().await;
    world.provider.script(|script| script.expires_in = 100_000);
    let browser = world.signed_in().await;
    world.clock.advance_secs(60);
    assert!(
        browser.get("/api/x").await.set_cookies().is_empty(),
        "not at every call"
    );
    world.clock.advance_secs(600);
    let slid = browser.get("/api/x").await;
    assert_eq!(slid.set_cookies().len(), 1, "{slid:?}");
    assert_eq!(slid.header("cache-control"), Some("no-store"));
    assert_eq!(browser.session().await["session_idle_expires_in"], 1800);
    world.clock.advance_secs(1500);
    assert_eq!(browser.session().await["session_idle_expires_in"], 300);
    world.clock.advance_secs(301);
    assert_eq!(
        browser.session().await["reason"],
        "expired",
        "looking does not slide"
    );
}

#[tokio::test]
async fn persistent_cookies_carry_what_is_left_of_the_absolute_lifetime() {
    let world = World::with(Plan {
        session: "persistent = true".into(),
        ..Plan::default()
    })
    .await;
    let browser = world.browser();
    let landed = browser.sign_in(&world.provider).await;
    for name in [AT, RT, ID] {
        let field = landed
            .set_cookies()
            .into_iter()
            .find(|field| field.starts_with(&format!("{name}=")))
            .unwrap();
        assert!(field.contains("Max-Age=43200"), "{field}");
    }
}
