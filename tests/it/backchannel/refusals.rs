//! Who may say it, in which form, and what is not believed.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloakroom::random::OsRandom;
use cloakroom::store::{Capacity, MemoryStore};
use http::Method;
use serde_json::{Value, json};

use super::{PATH, assert_alive, assert_bad, assert_revoked, log_out, post, send};
use crate::last_resort::Mined;
use crate::world::provider::Instead;
use crate::world::{Plan, World};

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
        store: Some(Mined::alone()),
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

// The provider hardly hears of them, and API calls go on meanwhile.
#[tokio::test]
async fn a_flood_of_forged_tokens_starves_nobody() {
    flood(20).await;
}

#[tokio::test]
#[ignore = "long"]
async fn a_flood_of_ten_thousand_forged_tokens_starves_nobody() {
    flood(200).await;
}

/// Fifty at a time, so many times.
async fn flood(times: usize) {
    let world = World::new().await;
    let alice = world.signed_in().await;
    let sound = world.provider.logout_token(&json!({ "jti": "sound" }));
    let (signed, _) = sound.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 64]));
    let flooding: Vec<_> = (0..50)
        .map(|_| {
            let (browser, forged) = (world.browser(), forged.clone());
            tokio::spawn(async move {
                for _ in 0..times {
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
    assert!(calls > 0, "{calls}");
    assert!(world.provider.asked("/jwks").len() <= 6, "T-14");
}
