//! Back-Channel Logout: the provider ends sessions by a token that it signs (O-07 … O-16, attacks 115 to 122).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloakroom::random::OsRandom;
use cloakroom::store::{Capacity, MemoryStore};
use http::Method;
use serde_json::{Value, json};

use crate::world::browser::Request;
use crate::world::provider::Instead;
use crate::world::{Browser, Plan, Reply, World};

const PATH: &str = "/oauth-agent/backchannel-logout";

/// What the provider sends: a form, and nothing of a browser.
fn post<'a>(provider: &'a Browser, token: &str) -> Request<'a> {
    provider.bare(Method::POST, PATH).form(&[("logout_token", token)])
}

async fn send(world: &World, token: &str) -> Reply {
    post(&world.browser(), token).send().await
}

/// Signs a logout token with `changes` and sends it: 200 (§2.8, O-15).
async fn log_out(world: &World, changes: &Value) {
    let reply = send(world, &world.provider.logout_token(changes)).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text().as_str()),
        (200, ""),
        "{reply:?}"
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

/// 400 in the form of §2.8 (O-15).
fn assert_bad(reply: &Reply, why: &str) {
    assert_eq!(reply.status, 400, "{why}: {reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    assert_eq!(body["error"], "invalid_request", "{why}");
    let description = body["error_description"].as_str().unwrap();
    assert!(
        !description.is_empty() && !description.contains(['"', '\\']),
        "{why}: {description}"
    );
    for (name, _) in body.as_object().unwrap() {
        assert!(
            ["error", "error_description"].contains(&name.as_str()),
            "{why}: {name}"
        );
    }
}

async fn signed_in_as(world: &World, user: &str) -> Browser {
    let browser = world.browser();
    let url = browser.start_login(&json!({})).await;
    let landed = browser.come_back(&world.provider.approve_as(&url, user)).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
    browser
}

async fn assert_revoked(browser: &Browser) {
    let call = browser.get("/api/x").await;
    assert_eq!(
        (call.status.as_u16(), call.code().as_deref()),
        (401, Some("session_revoked"))
    );
    assert!(
        call.set_cookies().is_empty(),
        "contract §4: a 401 leaves the jar alone"
    );
    let session = browser.session().await;
    assert_eq!(session, json!({ "is_logged_in": false, "reason": "revoked" }));
}

async fn assert_alive(browser: &Browser) {
    assert_eq!(browser.get("/api/x").await.status, 200);
}

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

// O-07, attack 121.
#[tokio::test]
async fn the_provider_needs_no_cookie_and_no_header_and_may_say_more() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    world.clock.advance_secs(1);
    let provider = world.browser();
    let token = world.provider.logout_token(&json!({}));
    let reply = provider
        .bare(Method::POST, PATH)
        .form(&[
            ("ignored_parameter", "1"),
            ("logout_token", &token),
            ("ignored_parameter", "2"),
        ])
        .send()
        .await;
    assert_eq!(reply.status, 200);
    assert_revoked(&alice).await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let reply = provider.bare(method, PATH).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("allow")),
            (405, Some("POST"))
        );
    }
}

#[tokio::test]
async fn what_is_no_form_with_one_token_is_refused() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    world.clock.advance_secs(1);
    let provider = world.browser();
    let (one, other) = (
        world.provider.logout_token(&json!({})),
        world.provider.logout_token(&json!({})),
    );
    let ask = || provider.bare(Method::POST, PATH);
    assert_bad(&ask().send().await, "nothing");
    assert_bad(&ask().form(&[]).send().await, "an empty form");
    assert_bad(&ask().form(&[("token", &one)]).send().await, "another name");
    assert_bad(
        &ask().form(&[("logout_token", "")]).send().await,
        "an empty token",
    );
    let twice = ask().form(&[("logout_token", &one), ("logout_token", &other)]);
    assert_bad(&twice.send().await, "two tokens");
    assert_bad(
        &ask().json(&json!({ "logout_token": one })).send().await,
        "JSON (§2.5)",
    );
    assert_bad(
        &ask().body("application/jwt", one.clone()).send().await,
        "the token itself",
    );
    assert_bad(
        &ask()
            .body("text/plain", format!("logout_token={one}"))
            .send()
            .await,
        "text",
    );
    let by_query = provider.bare(Method::POST, &format!("{PATH}?logout_token={one}"));
    assert_bad(&by_query.form(&[]).send().await, "in the query");
    let large = ask().form(&[("logout_token", &one), ("more", &"x".repeat(65 * 1024))]);
    assert_eq!(large.send().await.status, 413);
    assert_alive(&alice).await;
}

// O-08 … O-12, attacks 115, 116: each refused, and no session dies.
#[tokio::test]
async fn a_token_that_breaks_a_rule_ends_nothing() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    world.clock.advance_secs(1);
    let now = world.clock.secs();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for wrong in [
        json!({ "iss": null }),
        json!({ "iss": "https://other.example" }),
        json!({ "aud": null }),
        json!({ "aud": "another-client" }),
        json!({ "aud": ["shop-client", "another-client"] }),
        json!({ "azp": "another-client" }),
        json!({ "iat": null }),
        json!({ "iat": now + 61 }),
        json!({ "iat": now - 360 }),
        json!({ "exp": null }),
        json!({ "exp": now - 60 }),
        json!({ "jti": null }),
        json!({ "sub": null }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": { "http://schemas.openid.net/event/other": {} } }),
        json!({ "events": { event: "yes" } }),
        json!({ "nonce": "n" }),
    ] {
        let token = world.provider.logout_token(&wrong);
        assert_bad(&send(&world, &token).await, &wrong.to_string());
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = world.provider.logout_claims(&json!({}));
    let unsigned = format!(
        "{}.{}.",
        part(&json!({ "alg": "none", "typ": "logout+jwt" })),
        part(&claims)
    );
    assert_bad(&send(&world, &unsigned).await, "alg none");
    let secret = jsonwebtoken::EncodingKey::from_secret(world.provider.public_key().to_string().as_bytes());
    let header = jsonwebtoken::Header {
        kid: Some("k1".into()),
        ..jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256)
    };
    let confused = jsonwebtoken::encode(&header, &claims, &secret).unwrap();
    assert_bad(&send(&world, &confused).await, "key confusion");
    assert_bad(&send(&world, "e30.e30.e30.e30.e30").await, "a JWE");
    // T-17: no other token of the provider is one, however fresh.
    for issued in world.provider.issued() {
        assert_bad(&send(&world, &issued).await, "another token");
    }
    let unknown = world
        .provider
        .sign(&json!({ "typ": "logout+jwt", "kid": "k9" }), &claims);
    assert_bad(&send(&world, &unknown).await, "unknown kid");
    assert_alive(&alice).await;
}

// O-14, both settings.
#[tokio::test]
async fn the_type_can_be_required() {
    for (lines, typ, status) in [
        ("", "JWT", 200),
        ("", "logout+jwt", 200),
        ("", "at+jwt", 400),
        ("logout_token_typ = \"required\"", "JWT", 400),
        ("logout_token_typ = \"required\"", "logout+jwt", 200),
    ] {
        let plan = Plan {
            provider: lines.to_owned(),
            ..Plan::default()
        };
        let world = World::with(plan).await;
        let claims = world.provider.logout_claims(&json!({}));
        let token = world.provider.sign(&json!({ "typ": typ }), &claims);
        assert_eq!(send(&world, &token).await.status, status, "{lines} {typ}");
    }
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

// Contract §9: never a false 200. Afterwards the same token is as good as ever.
#[tokio::test]
async fn a_full_store_is_no_success_and_the_provider_may_try_again() {
    let capacity = Capacity {
        subjects: 1,
        ..Capacity::default()
    };
    let plan = Plan {
        store: Some(Arc::new(MemoryStore::with_capacity(&OsRandom, capacity))),
        session: "absolute_timeout = \"2m\"\nidle_timeout = \"2m\"".to_owned(),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    log_out(&world, &json!({ "sub": "somebody" })).await;
    world.clock.advance_secs(60);
    let alice = world.signed_in().await;
    world.clock.advance_secs(1);
    let token = world.provider.logout_token(&json!({}));
    let full = send(&world, &token).await;
    assert_eq!(
        (full.status.as_u16(), full.code().as_deref()),
        (503, Some("store_unavailable"))
    );
    assert!(full.header("retry-after").is_some());
    assert_alive(&alice).await;
    world.clock.advance_secs(60);
    assert_eq!(
        send(&world, &token).await.status,
        200,
        "what is over has made room"
    );
    assert_revoked(&alice).await;
}

#[tokio::test]
async fn a_provider_without_keys_is_asked_to_try_again() {
    let world = World::new().await;
    world.provider.instead("/jwks", Instead::html(500));
    let reply = send(&world, &world.provider.logout_token(&json!({}))).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (503, Some("provider_unavailable"))
    );
}

// Attack 122, contract §9: where nobody could remember the end, never a 200.
#[tokio::test]
async fn without_a_store_there_is_nothing_here() {
    let world = World::with(Plan {
        top: "[store]\nkind = \"none\"\n".to_owned(),
        ..Plan::default()
    })
    .await;
    let alice = world.signed_in().await;
    let told = send(&world, &world.provider.logout_token(&json!({}))).await;
    let frame = world
        .browser()
        .bare(Method::GET, "/oauth-agent/frontchannel-logout?iss=a&sid=b")
        .send()
        .await;
    for reply in [told, frame] {
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (404, Some("route_not_found"))
        );
    }
    assert_alive(&alice).await;
}

// 10 000 forged tokens: the provider hardly hears of them, and API calls go on meanwhile.
#[tokio::test]
async fn a_flood_of_forged_tokens_starves_nobody() {
    let world = World::new().await;
    let alice = world.signed_in().await;
    let sound = world.provider.logout_token(&json!({ "jti": "sound" }));
    let (signed, _) = sound.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 64]));
    let flooding: Vec<_> = (0..50)
        .map(|_| {
            let (browser, forged) = (world.browser(), forged.clone());
            tokio::spawn(async move {
                for _ in 0..200 {
                    let status = post(&browser, &forged).send().await.status.as_u16();
                    assert!([400, 503].contains(&status), "{status}");
                }
            })
        })
        .collect();
    let mut calls = 0;
    while !flooding.iter().all(tokio::task::JoinHandle::is_finished) {
        assert_alive(&alice).await;
        calls += 1;
    }
    for one in flooding {
        one.await.unwrap();
    }
    assert!(calls > 10, "{calls}");
    assert!(world.provider.asked("/jwks").len() <= 6, "T-14");
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
