//! How a session ends: here at once, at the provider in its own time.

use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::json;

use super::world::{Jar, World, query_of};
use crate::config::{LogoutHint, LogoutMode};

const LOGOUT_URL: &str = "https://app.test/oauth-agent/end-session";

/// O-01, O-02, attack 128.
#[tokio::test]
async fn logout_ends_the_session_for_every_copy_and_revokes_its_tokens() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.start(&mut jar, "").await;
    let mut copy = jar.clone();
    let answer = world.post(&mut jar, "/logout", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({"logout_url": LOGOUT_URL}));
    assert_eq!(jar.0.keys().collect::<Vec<_>>(), ["__Host-Http-shop-end"]);
    assert_eq!(
        world.session(&mut copy).await,
        json!({"is_logged_in": false, "reason": "logged_out"})
    );
    let revoked = world.wait_for("/revoke", 2).await;
    assert!(revoked[0]["token"].starts_with("refresh-of-") && revoked[1]["token"].starts_with("access-of-"));
}

/// O-03, attack 125.
#[tokio::test]
async fn end_session_leads_to_the_provider_once() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.post(&mut jar, "/logout", &[]).await;
    let mut copy = jar.clone();

    let answer = world.open(&mut jar, "/end-session").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(
        answer
            .location()
            .starts_with(&format!("{}/logout?", world.app.provider.issuer))
    );
    let fields = query_of(answer.location());
    assert!(fields["id_token_hint"].starts_with("eyJ"));
    assert_eq!(fields["client_id"], "shop");
    assert_eq!(
        fields["post_logout_redirect_uri"],
        "https://app.test/oauth-agent/logged-out"
    );
    assert_eq!(fields["state"].len(), 43);
    assert_eq!(jar, Jar::default());

    for jar in [&mut jar, &mut copy] {
        assert_eq!(world.open(jar, "/end-session").await.location(), "/");
        assert_eq!(*jar, Jar::default());
    }
}

#[tokio::test]
async fn end_session_waits_two_minutes() {
    let world = World::configured(|app| app.post_logout_path = "/bye".into()).await;
    for (waited, landed) in [(120, "http://op.localhost"), (121, "/bye")] {
        let mut jar = Jar::default();
        world.log_in(&mut jar).await;
        world.post(&mut jar, "/logout", &[]).await;
        world.advance(Duration::from_secs(waited));
        world.provider(|provider| provider.claims = json!({"iat": super::world::NOW + waited}));
        assert!(
            world
                .open(&mut jar, "/end-session")
                .await
                .location()
                .starts_with(landed),
            "{waited}"
        );
    }
}

#[tokio::test]
async fn the_hint_is_the_configured_one() {
    for (hint, name, value) in [
        (LogoutHint::Sid, "logout_hint", Some("sid-1")),
        (LogoutHint::ClientId, "logout_hint", None),
    ] {
        let world = World::configured(|app| app.provider.logout_hint = hint).await;
        let mut jar = Jar::default();
        world.log_in(&mut jar).await;
        world.post(&mut jar, "/logout", &[]).await;
        let fields = query_of(world.open(&mut jar, "/end-session").await.location());
        assert_eq!(fields.get(name).map(String::as_str), value);
        assert!(!fields.contains_key("id_token_hint"));
    }
}

#[tokio::test]
async fn where_the_provider_offers_nothing_there_is_nothing_to_follow() {
    for local in [false, true] {
        let world = World::configured(|app| {
            if local {
                app.provider.logout_mode = LogoutMode::Local;
            }
        })
        .await;
        world.provider(|provider| provider.metadata = json!({"end_session_endpoint": null}));
        let mut jar = Jar::default();
        world.log_in(&mut jar).await;
        let answer = world.post(&mut jar, "/logout", &[]).await;
        assert_eq!(answer.json(), json!({}));
        assert_eq!(jar, Jar::default());
    }
}

/// Attack 127.
#[tokio::test]
async fn a_provider_that_is_down_keeps_nobody_logged_in() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let mut copy = jar.clone();
    world.provider(|provider| provider.down = true);
    let answer = world.post(&mut jar, "/logout", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!jar.has_session());
    assert_eq!(world.session(&mut copy).await["reason"], "logged_out");
}

#[tokio::test]
async fn without_a_session_logout_has_nothing_to_say() {
    let world = World::new().await;
    let mut jar = Jar::default();
    assert_eq!(world.post(&mut jar, "/logout", &[]).await.json(), json!({}));
    let request = jar.request(Method::POST, "/logout").body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.json(), json!({}));
    // A second click.
    world.log_in(&mut jar).await;
    let mut copy = jar.clone();
    world.post(&mut jar, "/logout", &[]).await;
    assert_eq!(world.post(&mut copy, "/logout", &[]).await.json(), json!({}));
    assert!(!copy.has_session());
    assert!(world.seen("/authorize").is_empty());
}

#[tokio::test]
async fn an_odd_body_is_refused_before_anything_ends() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    for path in ["/logout", "/refresh"] {
        let request = jar
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "text/plain")
            .body(Body::from("x"))
            .unwrap();
        assert_eq!(world.send(request).await.code(), "invalid_request");
    }
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

/// O-04.
#[tokio::test]
async fn coming_back_from_the_provider_changes_nothing_whatever_state_says() {
    let world = World::configured(|app| app.post_logout_path = "/bye?x#y".into()).await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let before = jar.clone();
    for query in ["", "?state=x", "?state=a&state=b", "?error=x"] {
        let answer = world.open(&mut jar, &format!("/logged-out{query}")).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/bye?x#y")
        );
        assert_eq!(jar, before);
    }
}
