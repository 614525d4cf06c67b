//! From the code to the session: what the provider brings is checked before any of it is used, and given back if it fails.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;
use tower::ServiceExt as _;

use super::world::{Jar, World, with_asked};

const TOKEN: &str = "/token";
const REVOKE: &str = "/revoke";

/// C-11, attacks 43 and 44: nothing of a response that fails is used, and its tokens are given back.
#[tokio::test]
async fn tokens_of_a_response_that_does_not_check_out_are_revoked() {
    for (claims, tokens) in [
        (json!({"nonce": "other"}), json!({})),
        (json!({"nonce": null}), json!({})),
        (json!({"aud": "other"}), json!({})),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), json!({})),
        (json!({}), json!({"id_token": null})),
        (json!({}), json!({"id_token": "a.b.c"})),
    ] {
        let world = World::new().await;
        let mut jar = Jar::default();
        world.log_in(&mut jar).await;
        let before = jar.clone();
        world.provider(|provider| (provider.claims, provider.tokens) = (claims.clone(), tokens.clone()));
        let callback = world.start(&mut jar, "").await;
        let answer = world.open(&mut jar, &callback).await;
        assert_eq!(
            answer.failure()["login_error"],
            "provider_response_invalid",
            "{claims} {tokens}"
        );
        assert_eq!(jar, before);
        let revoked: Vec<_> = world
            .wait_for(REVOKE, 2)
            .await
            .iter()
            .map(|request| request["token"].clone())
            .collect();
        assert!(
            revoked[0].starts_with("refresh-of-code-") && revoked[1].starts_with("access-of-code-"),
            "{revoked:?}"
        );
        assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
    }
}

#[tokio::test]
async fn refusals_of_the_token_endpoint_have_their_codes() {
    for (status, error, code, provider_error) in [
        (400, "invalid_grant", "authorization_error", Some("invalid_grant")),
        (400, "invalid_scope", "authorization_error", Some("invalid_scope")),
        (401, "invalid_client", "provider_response_invalid", None),
        (503, "", "provider_unavailable", None),
    ] {
        let world = World::new().await;
        let mut jar = Jar::default();
        let callback = world.start(&mut jar, "").await;
        world.provider(|provider| provider.token_status = (status, error));
        let failure = world.open(&mut jar, &callback).await.failure();
        assert_eq!(failure["login_error"], code, "{error}");
        assert_eq!(
            failure.get("provider_error").map(String::as_str),
            provider_error,
            "{error}"
        );
        assert_eq!(jar, Jar::default());
        assert_eq!(world.seen(TOKEN).len(), 1);
    }
}

/// T-10, T-11, contract §10.
#[tokio::test]
async fn a_login_weaker_than_demanded_leaves_the_old_session() {
    let world =
        World::configured(|app| app.provider.allowed_acr_values = vec!["gold".into(), "platinum".into()])
            .await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let before = jar.clone();
    for claims in [
        json!({"acr": "silver"}),
        json!({}),
        json!({"acr": "gold", "auth_time": super::world::NOW - 3600}),
    ] {
        world.provider(|provider| provider.claims = claims.clone());
        let callback = world
            .start(&mut jar, "acr_values=gold%20platinum&max_age=60")
            .await;
        assert_eq!(
            world.open(&mut jar, &callback).await.failure()["login_error"],
            "step_up_required",
            "{claims}"
        );
        assert_eq!(jar, before);
    }
    // Script learns what to ask for.
    let callback = world
        .start(&mut jar, "acr_values=gold%20platinum&max_age=60")
        .await;
    let fields = super::world::query_of(&format!("https://app.test{callback}"));
    let form: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = world.post(&mut jar, "/login/end", &form).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::UNAUTHORIZED, "step_up_required")
    );
    let demanded = answer.refusal.unwrap().demanded.unwrap();
    assert_eq!(
        (&*demanded.acr_values, demanded.max_age),
        ("gold platinum", Some(60))
    );
    world.provider(|provider| provider.claims = json!({"acr": "platinum"}));
    let callback = world
        .start(&mut jar, "acr_values=gold%20platinum&max_age=60")
        .await;
    assert_eq!(world.open(&mut jar, &callback).await.location(), "/");
}

#[tokio::test]
async fn tokens_that_fit_no_cookies_fail_the_login_and_are_revoked() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let before = jar.clone();
    world.provider(|provider| provider.tokens = json!({"access_token": "x".repeat(8000)}));
    let callback = world.start(&mut jar, "").await;
    assert_eq!(
        world.open(&mut jar, &callback).await.failure()["login_error"],
        "session_too_large"
    );
    assert_eq!(jar, before);
    world.wait_for(REVOKE, 2).await;
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

#[tokio::test]
async fn userinfo_at_login_must_speak_of_the_same_user() {
    for (userinfo, ok) in [
        ((200, json!({"sub": "alice"})), true),
        ((200, json!({"sub": "bob"})), false),
        ((200, json!({})), false),
        ((401, json!({})), false),
    ] {
        let world = World::configured(|app| app.provider.userinfo_at_login = true).await;
        world.provider(|provider| provider.userinfo = userinfo.clone());
        let mut jar = Jar::default();
        let callback = world.start(&mut jar, "").await;
        let answer = world.open(&mut jar, &callback).await;
        assert_eq!(jar.has_session(), ok, "{userinfo:?}");
        if !ok {
            assert_eq!(answer.failure()["login_error"], "provider_response_invalid");
            world.wait_for(REVOKE, 2).await;
        }
    }
}

/// A closed tab: the redemption goes on without it, its tokens are given back, the session the browser has stays.
#[tokio::test]
async fn a_login_whose_browser_has_gone_leaves_no_tokens_behind() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let callback = world.start(&mut jar, "").await;
    world.hold();
    let request = with_asked(jar.request(Method::GET, &callback).body(Body::empty()).unwrap());
    let waiting = tokio::spawn(world.router().oneshot(request));
    world.wait_for(TOKEN, 2).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    world.release();
    let revoked = world.wait_for(REVOKE, 2).await;
    assert!(revoked[0]["token"].starts_with("refresh-of-code-"));
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

/// Attack 58: codes that nobody waits for cannot pile up. Who finds no place loses nothing: the same callback works later.
#[tokio::test]
async fn logins_finish_in_a_bounded_number_at_a_time() {
    let world = World::new().await;
    let (mut left, mut stays) = (Jar::default(), Jar::default());
    let first = world.start(&mut left, "").await;
    let second = world.start(&mut stays, "").await;
    let mut taken: Vec<_> = std::iter::from_fn(|| world.places.take().ok()).collect();
    drop(taken.pop());
    world.hold();
    let request = with_asked(left.request(Method::GET, &first).body(Body::empty()).unwrap());
    let waiting = tokio::spawn(world.router().oneshot(request));
    world.wait_for(TOKEN, 1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());

    let before = stays.clone();
    let refused = world.open(&mut stays, &second).await;
    assert_eq!(refused.failure()["login_error"], "overloaded");
    assert_eq!(stays, before);
    assert_eq!(world.seen(TOKEN).len(), 1);

    world.release();
    assert!(world.places.wait().await.is_some());
    assert_eq!(
        world.seen(REVOKE).len(),
        2,
        "the place is kept until all is given back"
    );
    assert_eq!(world.open(&mut stays, &second).await.location(), "/");
}
