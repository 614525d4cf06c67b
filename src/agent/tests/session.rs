//! What a session tells of itself: `session`, `refresh`, `userinfo`.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::world::{Jar, NOW, World};
use crate::config::RefreshMode;

#[tokio::test]
async fn a_session_tells_who_and_how_long() {
    let world = World::new().await;
    world.provider(|provider| {
        provider.claims = json!({"at_hash": null, "c_hash": "x", "s_hash": "x"});
    });
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.advance(Duration::from_secs(10));
    let mut session = world.session(&mut jar).await;
    session.as_object_mut().unwrap().remove("session_handle");
    assert_eq!(
        session,
        json!({
            "is_logged_in": true,
            "id_token_claims": {
                "iss": &*world.app.provider.issuer,
                "sub": "alice",
                "aud": "shop",
                "exp": NOW + 3600,
                "iat": NOW,
                "auth_time": NOW,
                "name": "Alice",
                "roles": ["a", {"b": 1}],
            },
            "access_token_expires_in": 290,
            "session_expires_in": 12 * 3600 - 10,
            "session_idle_expires_in": 30 * 60 - 10,
        })
    );
}

/// What a tab tells sign-ins apart by: claims may be narrowed, and `iat` changes with each renewal.
#[tokio::test]
async fn the_handle_stays_through_renewals_and_is_another_after_the_next_login() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let mut handles = Vec::new();
    for _ in 0..2 {
        world.log_in(&mut jar).await;
        for _ in 0..2 {
            let handle = world.session(&mut jar).await["session_handle"].clone();
            handles.push(handle.as_str().unwrap().to_owned());
            world.advance(Duration::from_secs(100));
            assert_eq!(world.post(&mut jar, "/refresh", &[]).await.status, StatusCode::OK);
        }
    }
    let [first, renewed, second, renewed_too] = &*handles else {
        panic!("{handles:?}")
    };
    assert_eq!((first, second), (renewed, renewed_too));
    assert_ne!(first, second);
    assert!(
        handles
            .iter()
            .all(|handle| { handle.len() == 32 && handle.chars().all(|digit| digit.is_ascii_hexdigit()) })
    );
}

/// Attack 190.
#[tokio::test]
async fn claims_are_narrowed_and_never_widened() {
    let world =
        World::configured(|app| app.session.claims = Some(vec!["sub".into(), "nonce".into(), "sid".into()]))
            .await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    assert_eq!(
        world.session(&mut jar).await["id_token_claims"],
        json!({"sub": "alice"})
    );
}

#[tokio::test]
async fn without_a_session_there_is_a_reason() {
    let world = World::new().await;
    let mut jar = Jar::default();
    assert_eq!(
        world.session(&mut jar).await,
        json!({"is_logged_in": false, "reason": "none"})
    );
    world.log_in(&mut jar).await;
    world.advance(Duration::from_secs(31 * 60));
    assert_eq!(
        world.session(&mut jar).await,
        json!({"is_logged_in": false, "reason": "expired"})
    );
    assert_eq!(jar, Jar::default());
}

#[tokio::test]
async fn without_expiry_and_refresh_token_nothing_is_made_up() {
    let world = World::configured(|app| app.provider.default_expires_in = None).await;
    world.provider(|provider| provider.tokens = json!({"expires_in": null, "refresh_token": null}));
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let session = world.session(&mut jar).await;
    assert_eq!(session["session_expires_in"], 12 * 3600);
    assert!(session.get("access_token_expires_in").is_none());
    let answer = world.post(&mut jar, "/refresh", &[]).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn without_a_refresh_token_the_session_lasts_as_long_as_the_access_token() {
    let world = World::new().await;
    world.provider(|provider| provider.tokens = json!({"refresh_token": null}));
    let mut jar = Jar::default();
    let answer = world.post(&mut jar, "/login/start", &[]).await;
    let callback = world.consent(answer.json()["authorization_url"].as_str().unwrap());
    let fields = super::world::query_of(&format!("https://app.test{callback}"));
    let form: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let body = world.post(&mut jar, "/login/end", &form).await.json();
    assert_eq!(
        (&body["session_expires_in"], &body["access_token_expires_in"]),
        (&json!(300), &json!(300))
    );
    assert_eq!(world.session(&mut jar).await["session_expires_in"], 300);
}

#[tokio::test]
async fn refresh_asks_the_provider_and_sets_new_cookies() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.advance(Duration::from_secs(100));
    let before = jar.clone();
    let answer = world.post(&mut jar, "/refresh", &[]).await;
    assert_eq!(answer.json(), json!({"access_token_expires_in": 300}));
    assert_ne!(jar, before);
    assert_eq!(world.seen("/token")[1]["grant_type"], "refresh_token");
    let answer = world.post(&mut Jar::default(), "/refresh", &[]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "session_missing")
    );
}

#[tokio::test]
async fn userinfo_is_the_providers_answer() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let answer = world.open(&mut jar, "/userinfo").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "session_missing")
    );
    world.log_in(&mut jar).await;
    let answer = world.open(&mut jar, "/userinfo").await;
    assert_eq!(
        answer.json(),
        json!({"sub": "alice", "email": "alice@example.com", "groups": ["a", {"b": 1}]})
    );
}

#[tokio::test]
async fn userinfo_renews_first_when_due() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let before = jar.clone();
    world.advance(Duration::from_secs(280));
    assert_eq!(world.open(&mut jar, "/userinfo").await.status, StatusCode::OK);
    assert_eq!(world.seen("/token").len(), 2);
    assert_ne!(jar, before);
}

#[tokio::test]
async fn in_spa_mode_userinfo_asks_for_a_refresh() {
    let world = World::configured(|app| app.session.refresh = RefreshMode::Spa).await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.advance(Duration::from_secs(301));
    let answer = world.open(&mut jar, "/userinfo").await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "access_token_expired")
    );
}

/// T-19 and its neighbours. Whatever happens, renewed cookies reach the browser.
#[tokio::test]
async fn userinfo_that_does_not_help_has_its_code_and_keeps_the_session() {
    for (userinfo, refresh, status, code) in [
        (
            (200, json!({"sub": "bob"})),
            true,
            502,
            "provider_response_invalid",
        ),
        ((200, json!([])), true, 502, "provider_response_invalid"),
        ((403, json!({})), true, 502, "provider_response_invalid"),
        ((503, json!({})), true, 503, "provider_unavailable"),
        ((401, json!({})), true, 401, "access_token_expired"),
        ((401, json!({})), false, 401, "session_expired"),
    ] {
        let world = World::new().await;
        world.provider(|provider| {
            provider.userinfo = userinfo.clone();
            if !refresh {
                provider.tokens = json!({"refresh_token": null});
            }
        });
        let mut jar = Jar::default();
        world.log_in(&mut jar).await;
        let before = jar.clone();
        world.advance(Duration::from_secs(if refresh { 280 } else { 0 }));
        let answer = world.open(&mut jar, "/userinfo").await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{userinfo:?}"
        );
        assert_eq!(jar != before, refresh, "{userinfo:?}");
        assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
    }
}
