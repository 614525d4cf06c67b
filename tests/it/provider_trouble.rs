//! A provider that answers wrongly, too much, or not at all. Standards D-, T-, C-09; attacks K.

use serde_json::json;

use crate::world::World;
use crate::world::provider::Instead;

#[tokio::test]
async fn a_bad_id_token_opens_no_session_and_its_tokens_are_revoked() {
    // T-01 to T-12, C-11; attacks 44, 170, 172. More of them stand in the unit tests of `provider`.
    let world = World::new().await;
    let now = world.clock.secs();
    let cases = [
        json!({ "nonce": "wrong" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://other.example" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": ["shop-client", "other"] }),
        json!({ "aud": null }),
        json!({ "azp": "other" }),
        json!({ "exp": now - 120 }),
        json!({ "exp": null }),
        json!({ "iat": now + 3600 }),
        json!({ "iat": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "at_hash": "wrong" }),
    ];
    for case in &cases {
        world
            .provider
            .script(|script| script.id_token = case.as_object().unwrap().clone());
        let browser = world.browser();
        let reply = browser
            .come_back(&world.provider.approve(&browser.start_login(&json!({})).await))
            .await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("provider_response_invalid"),
            "{case}"
        );
        assert!(!browser.is_signed_in().await, "{case}");
        assert!(
            browser.jar().names().is_empty(),
            "{case}: {:?}",
            browser.jar().names()
        );
    }
    world
        .provider
        .eventually("the tokens are revoked", || {
            world.provider.revoked().len() >= cases.len()
        })
        .await;
}

#[tokio::test]
async fn a_provider_that_answers_nonsense_at_the_token_endpoint_opens_no_session() {
    // C-09; attack 181.
    let world = World::new().await;
    let cases = [
        (Instead::html(200), "provider_response_invalid"),
        (Instead::json(200, &json!([])), "provider_response_invalid"),
        (Instead::json(200, &json!({})), "provider_response_invalid"),
        (
            Instead::json(
                200,
                &json!({ "access_token": "x", "token_type": "mac", "id_token": "y" }),
            ),
            "provider_response_invalid",
        ),
        (
            Instead::json(200, &json!({ "access_token": "x", "token_type": "bearer" })),
            "provider_response_invalid",
        ),
        (Instead::Flood(100 << 20), "provider_response_invalid"),
        (Instead::html(500), "provider_unavailable"),
        (Instead::json(429, &json!({})), "provider_unavailable"),
        (Instead::error("invalid_grant"), "authorization_error"),
        (Instead::error("invalid_client"), "provider_response_invalid"),
        (Instead::error("access_denied"), "authorization_error"),
    ];
    for (answer, expected) in cases {
        let browser = world.browser();
        let url = browser.start_login(&json!({})).await;
        let label = format!("{answer:?}").chars().take(80).collect::<String>();
        world
            .provider
            .script(|script| script.token_turns.push_back(answer));
        let reply = browser.come_back(&world.provider.approve(&url)).await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some(expected),
            "{label}"
        );
        assert!(!browser.is_signed_in().await, "{label}");
        world.provider.script(|script| script.token_turns.clear());
    }
}

#[tokio::test]
async fn token_type_is_compared_without_case_and_expires_in_may_be_text() {
    let world = World::new().await;
    world.provider.script(|script| {
        script.token_response = json!({ "token_type": "BeArEr", "expires_in": "120", "unknown": { "x": 1 } })
            .as_object()
            .unwrap()
            .clone();
    });
    let browser = world.signed_in().await;
    assert_eq!(browser.session().await["access_token_expires_in"], 120);
    for bad in [json!(-5), json!(1e20), json!("soon"), json!(1.5)] {
        world.provider.script(|script| {
            script
                .token_response
                .insert("expires_in".into(), bad.clone())
                .map_or((), drop)
        });
        let browser = world.browser();
        let reply = browser
            .come_back(&world.provider.approve(&browser.start_login(&json!({})).await))
            .await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("provider_response_invalid"),
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_provider_out_of_reach_is_told_apart_and_recovers_without_a_restart() {
    // D-06; contract §3.
    let world = World::new().await;
    let browser = world.browser();
    let metadata = "/.well-known/openid-configuration";
    world.provider.instead(metadata, Instead::html(503));
    let reply = browser.post("/oauth-agent/login/start", &json!({})).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (503, Some("provider_unavailable"))
    );
    let reply = browser.visit("/oauth-agent/login").send().await;
    assert_eq!(
        (
            reply.status.as_u16(),
            reply.location_parameter("login_error").as_deref()
        ),
        (303, Some("provider_unavailable"))
    );
    world.clock.advance_secs(60);
    for broken in [
        Instead::html(200),
        Instead::json(200, &json!([])),
        Instead::Flood(100 << 20),
        Instead::json(302, &json!({})),
    ] {
        let label = format!("{broken:?}").chars().take(60).collect::<String>();
        world.provider.instead(metadata, broken);
        world.clock.advance_secs(60);
        let reply = browser.post("/oauth-agent/login/start", &json!({})).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (502, Some("provider_response_invalid")),
            "{label}"
        );
    }
    world.provider.heal();
    world.clock.advance_secs(60);
    browser.sign_in(&world.provider).await;
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn metadata_that_does_not_check_out_is_refused() {
    // D-01, D-03, D-08, L-05; attack 176.
    let cases = [
        json!({ "issuer": "http://127.0.0.1:1" }),
        json!({ "issuer": null }),
        json!({ "token_endpoint": null }),
        json!({ "token_endpoint": "http://provider.example/token" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "jwks_uri": "ftp://127.0.0.1/x" }),
        json!({ "code_challenge_methods_supported": ["plain"] }),
        json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
        json!({ "id_token_signing_alg_values_supported": ["RS256"] }),
    ];
    for case in cases {
        let world = World::new().await;
        world
            .provider
            .script(|script| script.metadata = case.as_object().unwrap().clone());
        let reply = world.browser().post("/oauth-agent/login/start", &json!({})).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (502, Some("provider_response_invalid")),
            "{case}"
        );
    }
}

#[tokio::test]
async fn tokens_that_fit_no_budget_end_the_login_with_a_named_error() {
    // K-06; attack 85.
    let world = World::new().await;
    world
        .provider
        .script(|script| script.access_token_length = 60_000);
    let browser = world.browser();
    let reply = browser
        .come_back(&world.provider.approve(&browser.start_login(&json!({})).await))
        .await;
    assert_eq!(
        reply.location_parameter("login_error").as_deref(),
        Some("session_too_large")
    );
    assert!(browser.jar().names().is_empty());
    world.provider.script(|script| script.access_token_length = 3_600);
    browser.sign_in(&world.provider).await;
    assert!(
        browser
            .jar()
            .names()
            .contains(&"__Host-Http-shop-at.1".to_owned()),
        "{:?}",
        browser.jar().names()
    );
    assert!(browser.jar().refused.is_empty(), "{:?}", browser.jar().refused);
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(
        world.upstream.last().one("authorization").unwrap().len(),
        "Bearer ".len() + 3_600
    );
    // K-09: a shorter session leaves no chunk of the longer one behind, though the callback cannot see it.
    world.provider.script(|script| script.access_token_length = 40);
    browser.sign_in(&world.provider).await;
    assert!(
        !browser.jar().names().iter().any(|name| name.contains('.')),
        "{:?}",
        browser.jar().names()
    );
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_and_costs_no_session() {
    // R-08, D-04; attack 133. The service's own patience with its provider is what this test waits for.
    let at_login = async {
        let world = World::new().await;
        let browser = world.browser();
        let back = world.provider.approve(&browser.start_login(&json!({})).await);
        world.provider.instead("/token", Instead::Silence);
        let reply = browser.come_back(&back).await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("provider_unavailable")
        );
    };
    let at_renewal = async {
        let world = World::new().await;
        let browser = world.signed_in().await;
        world.provider.instead("/token", Instead::Silence);
        world.clock.advance_secs(280);
        assert_eq!(
            browser.get("/api/x").await.status,
            200,
            "the token is still valid"
        );
        assert!(browser.is_signed_in().await);
    };
    let at_discovery = async {
        let world = World::new().await;
        world
            .provider
            .instead("/.well-known/openid-configuration", Instead::Silence);
        let reply = world.browser().post("/oauth-agent/login/start", &json!({})).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (503, Some("provider_unavailable"))
        );
    };
    tokio::join!(at_login, at_renewal, at_discovery);
}
