//! Another configuration while users are signed in: nobody notices but who asks for what is new (attack 202).

#[cfg(unix)]
use std::fmt::Write as _;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

#[cfg(unix)]
use base64::Engine as _;
#[cfg(unix)]
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloakroom::body::RequestBody;
use http::{Method, Request};
use serde_json::json;

use crate::world::jar::From;
#[cfg(unix)]
use crate::world::{Binary, Browser};
use crate::world::{Plan, World};

const MORE: &str = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"
timeout = "29s"

[[app.route]]
path = "/more"
upstream = "{upstream}"
"#;

fn more() -> Plan {
    Plan {
        routes: Some(MORE.to_owned()),
        ..Plan::default()
    }
}

#[cfg(unix)]
fn ring(keys: &str) -> Plan {
    Plan {
        keys: Some(keys.to_owned()),
        ..Plan::default()
    }
}

/// One poll: whether it waits.
async fn waits<F: Future>(future: Pin<&mut F>) -> bool {
    let mut future = future;
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// A renewal that began under the old configuration is the only one of its session under the new one.
#[tokio::test]
async fn a_renewal_in_flight_stays_one_across_a_reload() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.clock.advance_secs(280);
    let cookies = browser.jar().header("/api", From::SameSite).unwrap();
    let call = || {
        Request::builder()
            .uri("/api/orders")
            .header("host", world.host())
            .header("cookie", &cookies)
            .header("token-handler-version", "1")
            .body(RequestBody::Empty)
            .unwrap()
    };
    world.provider.hold();
    let before = world.handler.clone();
    let mut old = pin!(before.handle(call(), [127, 0, 0, 1].into()));
    assert!(waits(old.as_mut()).await);
    world
        .provider
        .eventually("the renewal is under way", || {
            world.provider.token_requests("refresh_token") == 1
        })
        .await;
    world.reload(&more());
    let mut new = pin!(before.handle(call(), [127, 0, 0, 1].into()));
    assert!(waits(new.as_mut()).await);
    world.provider.release(2);
    let (old, new) = (old.await, new.await);
    assert_eq!((old.status().as_u16(), new.status().as_u16()), (200, 200));
    assert_eq!(world.provider.token_requests("refresh_token"), 1);
    // Both hand out the new generation.
    for answer in [old, new] {
        assert!(answer.headers().contains_key("set-cookie"));
    }
}

/// What a login began with, it ends with: the pending login is in the browser, the used state in the store.
#[tokio::test]
async fn a_login_that_was_started_before_a_reload_ends_behind_it_and_once() {
    let world = World::new().await;
    let browser = world.browser();
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    let copy = browser.copy();
    world.reload(&more());
    let landed = browser.come_back(&back).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
    assert_eq!(browser.get("/more").await.status, 200);
    world.reload(&Plan::default());
    assert_eq!(browser.get("/more").await.status, 404);
    assert_eq!(browser.get("/api").await.status, 200);
    // The store is the same: what was used stays used.
    let again = copy.come_back(&back).await;
    assert_eq!(
        again.location_parameter("login_error").as_deref(),
        Some("login_state_invalid")
    );
}

/// An end that the store knows is known under every configuration, and the epoch is the same: nobody is renewed for it.
#[tokio::test]
async fn ended_sessions_stay_ended_and_live_ones_are_not_renewed() {
    let world = World::new().await;
    let (alive, leaving) = (world.signed_in().await, world.signed_in().await);
    let thief = leaving.copy();
    assert_eq!(leaving.post("/oauth-agent/logout", &json!({})).await.status, 200);
    world.reload(&more());
    assert_eq!(thief.get("/api").await.code().as_deref(), Some("session_revoked"));
    assert_eq!(alive.get("/api").await.status, 200);
    assert_eq!(world.provider.token_requests("refresh_token"), 0);
}

/// The binary: a file that is broken, a file that is right, and in between nobody notices anything.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_survive_a_broken_file_and_a_good_one() {
    let mut service = Binary::serve(&Plan::default()).await;
    let browser = service.browser();
    browser.sign_in(&service.provider).await;
    service.hang_up("[server]\nlissten = \"127.0.0.1:0\"\n");
    service.wait_for("reload_refused").await;
    assert_eq!(browser.get("/api").await.status, 200);
    assert_eq!(browser.get("/more").await.status, 404);
    service.reload(&more()).await;
    assert_eq!(browser.get("/more").await.status, 200);
    assert!(browser.is_signed_in().await);
    assert_eq!(service.provider.token_requests("refresh_token"), 0);
}

/// docs/how-to/keys.md without a restart: the new key last, then first, then alone.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_by_reloads_and_nobody_is_signed_out() {
    let mut service = Binary::serve(&Plan::default()).await;
    let early = service.browser();
    early.sign_in(&service.provider).await;
    let old = sealed_under(&early);
    let added = service
        .reload(&ring("\"env:COOKIE_KEY\", \"env:OTHER_KEY\""))
        .await;
    assert!(early.is_signed_in().await);
    let moved = service
        .reload(&ring("\"env:OTHER_KEY\", \"env:COOKIE_KEY\""))
        .await;
    assert!(early.is_signed_in().await);
    assert_eq!(early.get("/api").await.status, 200);
    // Who is sealed anew is sealed under the new key.
    let late = service.browser();
    late.sign_in(&service.provider).await;
    let new = sealed_under(&late);
    assert_ne!(old, new);
    // The log names the keys as the sealed values do.
    let told = |said: &[String]| {
        let line = said.iter().find(|line| line.contains("keys.cookie")).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["change"].as_str().unwrap().to_owned()
    };
    let (before, between) = (format!("{old} seals"), format!("{old} seals, {new} opens"));
    assert_eq!(told(&added), format!("{before} -> {between}"));
    assert_eq!(told(&moved), format!("{between} -> {new} seals, {old} opens"));
    assert_eq!(early.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    let forgotten = service.browser();
    service.reload(&ring("\"env:OTHER_KEY\"")).await;
    for browser in [&early, &late] {
        assert!(browser.is_signed_in().await);
        assert_eq!(browser.get("/api").await.status, 200);
    }
    assert!(!forgotten.is_signed_in().await);
    let told = early.fetch(Method::GET, "/oauth-agent/session").send().await;
    assert!(told.set_cookies().is_empty(), "{told:?}");
}

/// The key id in the clear part of a session cookie, in hex (docs/sessions.md).
#[cfg(unix)]
fn sealed_under(browser: &Browser) -> String {
    let jar = browser.jar();
    let value = jar.value("__Host-Http-shop-at").unwrap();
    let sealed = URL_SAFE_NO_PAD.decode(&value[..8]).unwrap();
    sealed[1..5].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
