//! From "sign in" to a session: how a login starts and what it may ask for. Standards L-; attacks D.

use http::Method;
use serde_json::json;
use url::Url;

use crate::world::{Plan, World, parameter};

#[tokio::test]
async fn a_login_opens_a_session_and_no_answer_shows_a_token() {
    let world = World::new().await;
    let browser = world.browser();
    assert_eq!(
        browser.session().await,
        json!({ "is_logged_in": false, "reason": "none" })
    );

    let started = browser
        .post(
            "/oauth-agent/login/start",
            &json!({ "return_to": "/orders?tab=2#top" }),
        )
        .await;
    assert_eq!(
        (started.status.as_u16(), started.header("content-type")),
        (200, Some("application/json"))
    );
    let url = started.json()["authorization_url"].as_str().unwrap().to_owned();
    let landed = browser.come_back(&world.provider.approve(&url)).await;
    assert_eq!(landed.status, 303);
    assert!(
        landed.location().ends_with("/orders?tab=2#top"),
        "{}",
        landed.location()
    );

    let session = browser.session().await;
    assert_eq!(session["is_logged_in"], true);
    assert_eq!(session["id_token_claims"]["sub"], "alice");
    for hidden in ["nonce", "at_hash", "c_hash", "s_hash", "sid"] {
        assert!(
            session["id_token_claims"].get(hidden).is_none(),
            "{hidden} is shown"
        );
    }
    assert_eq!(session["access_token_expires_in"], 300);
    assert_eq!(session["session_idle_expires_in"], 30 * 60);
    assert_eq!(session["session_expires_in"], 12 * 3600);

    let api = browser.get("/api/orders").await;
    assert_eq!(api.status, 200);
    assert!(
        world
            .upstream
            .last()
            .one("authorization")
            .unwrap()
            .starts_with("Bearer AT")
    );
    // T-22: nothing the browser has ever been given contains a token.
    let given = format!(
        "{started:?}{landed:?}{session}{api:?}{}",
        browser
            .jar()
            .header("/", crate::world::jar::From::SameSite)
            .unwrap()
    );
    for secret in world.provider.issued() {
        assert!(!given.contains(&secret), "the browser has seen {secret}");
    }
}

#[tokio::test]
async fn the_authorization_request_holds_each_parameter_once_and_nothing_from_the_host_header() {
    // L-01, L-03, L-08, L-09, L-11; attack 7, 23.
    let world = World::new().await;
    let browser = world.browser();
    let url = browser.start_login(&json!({})).await;
    let parsed = Url::parse(&url).unwrap();
    let names: Vec<String> = parsed.query_pairs().map(|(name, _)| name.into_owned()).collect();
    for name in [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ] {
        assert_eq!(
            names.iter().filter(|other| *other == name).count(),
            1,
            "{name} in {url}"
        );
    }
    assert_eq!(
        parameter(&url, "redirect_uri").unwrap(),
        format!("{}/oauth-agent/callback", world.origin)
    );
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid profile"));
    assert_eq!(parameter(&url, "code_challenge").unwrap().len(), 43);
    for unguessable in ["state", "nonce"] {
        let value = parameter(&url, unguessable).unwrap();
        assert!((22..=64).contains(&value.len()), "{unguessable} = {value}");
        assert_ne!(
            Some(value),
            parameter(&browser.start_login(&json!({})).await, unguessable)
        );
    }
    let spoofed = browser
        .fetch(Method::POST, "/oauth-agent/login/start")
        .header("x-forwarded-host", "evil.test")
        .header("x-forwarded-proto", "https")
        .header("forwarded", "host=evil.test")
        .send()
        .await;
    assert_eq!(spoofed.status, 200);
    assert!(!spoofed.text().contains("evil.test"));
}

#[tokio::test]
async fn a_login_by_navigation_redirects_to_the_provider() {
    let world = World::new().await;
    let browser = world.browser();
    let started = browser.visit("/oauth-agent/login?return_to=%2Fdeep").send().await;
    assert_eq!(started.status, 303);
    assert!(
        started
            .location()
            .starts_with(&format!("{}/authorize?", world.provider.issuer))
    );
    let landed = browser
        .come_back(&world.provider.approve(started.location()))
        .await;
    assert!(landed.location().ends_with("/deep"));
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn every_parameter_that_is_not_listed_is_refused_by_name() {
    // L-11; attack 7, 8, 10.
    let world = World::new().await;
    let browser = world.browser();
    let cases = [
        json!({ "redirect_uri": "https://evil.test" }),
        json!({ "extraParams": [{ "key": "prompt=none&redirect_uri=https://evil.test&x", "value": "1" }] }),
        json!({ "response_type": "token" }),
        json!({ "client_id": "other" }),
        json!({ "scope": "openid admin" }),
        json!({ "scope": "profile" }),
        json!({ "prompt": "nonsense" }),
        json!({ "acr_values": "gold" }),
        json!({ "max_age": "-1" }),
        json!({ "max_age": "soon" }),
        json!({ "iss": "https://idp.test" }),
        json!({ "target_link_uri": "https://evil.test/" }),
        json!([]),
        json!("text"),
    ];
    for case in cases {
        let reply = browser.post("/oauth-agent/login/start", &case).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (400, Some("invalid_request")),
            "{case}"
        );
        assert!(reply.set_cookies().is_empty(), "{case}");
        if let Some(name) = case.as_object().and_then(|map| map.keys().next()) {
            assert!(
                reply.json()["detailed_error"].as_str().unwrap().contains(name),
                "{case}: {}",
                reply.text()
            );
        }
    }
    for query in [
        "return_to=%2Fx&redirect_uri=https%3A%2F%2Fevil.test",
        "scope=openid&scope=openid",
        "iss=https%3A%2F%2Fidp.test",
    ] {
        let reply = browser.visit(&format!("/oauth-agent/login?{query}")).send().await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (400, Some("invalid_request")),
            "{query}"
        );
    }
    assert!(world.provider.asked("/authorize").is_empty());
}

#[tokio::test]
async fn a_login_may_only_tighten_what_is_configured() {
    // Contract §3; attack 218.
    let plan = Plan {
        provider: "max_age = \"10m\"\nacr_values = [\"silver\"]\nallowed_acr_values = [\"gold\"]".into(),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    let browser = world.browser();
    let url = browser.start_login(&json!({ "max_age": 60, "acr_values": "gold", "scope": "openid", "prompt": "login", "login_hint": "alice@example.test", "ui_locales": "de en" })).await;
    assert_eq!(parameter(&url, "max_age").as_deref(), Some("60"));
    assert!(parameter(&url, "acr_values").unwrap().contains("gold"));
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid"));
    assert_eq!(parameter(&url, "prompt").as_deref(), Some("login"));
    assert_eq!(
        parameter(&url, "login_hint").as_deref(),
        Some("alice@example.test")
    );
    assert_eq!(parameter(&url, "ui_locales").as_deref(), Some("de en"));
    let url = browser.start_login(&json!({})).await;
    assert_eq!(parameter(&url, "max_age").as_deref(), Some("600"));
    let loose = browser
        .post("/oauth-agent/login/start", &json!({ "max_age": 99_999 }))
        .await;
    match loose.status.as_u16() {
        200 => assert_eq!(
            parameter(loose.json()["authorization_url"].as_str().unwrap(), "max_age").as_deref(),
            Some("600")
        ),
        status => assert_eq!(status, 400),
    }
}

#[tokio::test]
async fn a_login_that_is_weaker_or_older_than_demanded_keeps_the_old_session() {
    // T-10, T-11; contract §10.
    let plan = Plan {
        provider: "allowed_acr_values = [\"gold\"]".into(),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    let browser = world.signed_in().await;
    for (asked, claims) in [
        (json!({ "acr_values": "gold" }), json!({ "acr": "silver" })),
        (json!({ "acr_values": "gold" }), json!({ "acr": null })),
        (
            json!({ "max_age": 60 }),
            json!({ "auth_time": world.clock.secs() - 3600 }),
        ),
        (json!({ "max_age": 60 }), json!({ "auth_time": null })),
    ] {
        world
            .provider
            .script(|script| script.id_token = claims.as_object().unwrap().clone());
        let back = world.provider.approve(&browser.start_login(&asked).await);
        let reply = browser.come_back(&back).await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("step_up_required"),
            "{asked} {claims}"
        );
        assert!(browser.is_signed_in().await);
    }
    world
        .provider
        .script(|script| script.id_token = json!({ "acr": "gold" }).as_object().unwrap().clone());
    let back = world
        .provider
        .approve(&browser.start_login(&json!({ "acr_values": "gold" })).await);
    assert!(
        browser
            .come_back(&back)
            .await
            .location_parameter("login_error")
            .is_none()
    );
    assert_eq!(browser.session().await["id_token_claims"]["acr"], "gold");
}

#[tokio::test]
async fn a_new_login_ends_the_session_it_replaces() {
    // L-26; attacks 52, 53.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let old = browser.copy();
    let back = world
        .provider
        .approve_as(&browser.start_login(&json!({})).await, "bob");
    browser.come_back(&back).await;
    assert_eq!(browser.session().await["id_token_claims"]["sub"], "bob");
    let refused = old.get("/api/x").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_deref()),
        (401, Some("session_revoked"))
    );
}

#[tokio::test]
async fn a_planted_cookie_never_becomes_a_session() {
    // Attack 52: another person's cookie in the victim's jar is replaced at login, whole.
    let world = World::new().await;
    let attacker = world.signed_in().await;
    let victim = attacker.copy();
    victim.sign_in(&world.provider).await;
    for name in [
        "__Host-Http-shop-at",
        "__Host-Http-shop-rt",
        "__Host-Http-shop-id",
    ] {
        assert_ne!(victim.jar().value(name), attacker.jar().value(name), "{name}");
    }
}

#[tokio::test]
async fn a_browser_that_refuses_the_login_cookie_can_be_told_before_it_leaves() {
    let world = World::new().await;
    let browser = world.browser();
    let asked = "/oauth-agent/session?login_pending";
    let nobody = |pending: bool| json!({ "is_logged_in": false, "reason": "none", "login_pending": pending });
    browser.start_login(&json!({})).await;
    assert_eq!(browser.get(asked).await.json(), nobody(true));
    assert_eq!(
        world.browser().get(asked).await.json(),
        nobody(false),
        "a browser that kept no cookie"
    );
    assert_eq!(
        browser.session().await,
        json!({ "is_logged_in": false, "reason": "none" }),
        "said only where it was asked for"
    );
    let browser = world.signed_in().await;
    assert!(browser.get(asked).await.json().get("login_pending").is_none());
}
