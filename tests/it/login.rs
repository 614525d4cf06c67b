//! From "sign in" to a session: start, provider, callback. Standards L-, C-; attacks D.

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::world::provider::Instead;
use crate::world::{Plan, World};

/// A parameter of the authorization request.
fn asked(authorization_url: &str, name: &str) -> Option<String> {
    let url = Url::parse(authorization_url).unwrap();
    url.query_pairs()
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

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
        asked(&url, "redirect_uri").unwrap(),
        format!("{}/oauth-agent/callback", world.origin)
    );
    assert_eq!(asked(&url, "scope").as_deref(), Some("openid profile"));
    assert_eq!(asked(&url, "code_challenge").unwrap().len(), 43);
    for unguessable in ["state", "nonce"] {
        let value = asked(&url, unguessable).unwrap();
        assert!((22..=64).contains(&value.len()), "{unguessable} = {value}");
        assert_ne!(
            Some(value),
            asked(&browser.start_login(&json!({})).await, unguessable)
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
async fn a_page_of_the_spa_may_post_what_the_provider_brought_back() {
    let world = World::new().await;
    let browser = world.browser();
    let back = world
        .provider
        .approve(&browser.start_login(&json!({ "return_to": "/x" })).await);
    let parameters: Map<String, Value> = Url::parse(&back)
        .unwrap()
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    let ended = browser
        .post("/oauth-agent/login/end", &Value::Object(parameters.clone()))
        .await;
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(ended.json()["is_logged_in"], true);
    assert!(ended.json()["return_to"].as_str().unwrap().ends_with("/x"));
    assert!(browser.is_signed_in().await);
    // C-01, C-06: once.
    let again = browser
        .post("/oauth-agent/login/end", &Value::Object(parameters))
        .await;
    assert_eq!(
        (again.status.as_u16(), again.code().as_deref()),
        (400, Some("login_state_invalid"))
    );
    assert_eq!(world.provider.token_requests("authorization_code"), 1);
    assert!(
        browser.is_signed_in().await,
        "a replay costs nobody their session"
    );
}

#[tokio::test]
async fn a_form_may_start_and_end_a_login_as_well_as_json() {
    let world = World::new().await;
    let browser = world.browser();
    let started = browser
        .fetch(Method::POST, "/oauth-agent/login/start")
        .form(&[("return_to", "/f")])
        .send()
        .await;
    assert_eq!(started.status, 200, "{started:?}");
    let back = world
        .provider
        .approve(started.json()["authorization_url"].as_str().unwrap());
    let parameters: Vec<(String, String)> = Url::parse(&back).unwrap().query_pairs().into_owned().collect();
    let fields: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let ended = browser
        .fetch(Method::POST, "/oauth-agent/login/end")
        .form(&fields)
        .send()
        .await;
    assert_eq!(ended.status, 200, "{ended:?}");
}

#[tokio::test]
async fn a_callback_without_a_known_state_ends_on_the_error_page_and_asks_the_provider_nothing() {
    // C-01; attacks 41, 49, 70.
    let world = World::new().await;
    let browser = world.browser();
    let good = world.provider.approve(&browser.start_login(&json!({})).await);
    let query = good.split_once('?').unwrap().1;
    let cases = [
        String::new(),
        "?".into(),
        "?&".into(),
        "?&&&".into(),
        "?=".into(),
        "?code".into(),
        "?code=abc".into(),
        "?code=&state=".into(),
        "?code=abc&state=wrong".into(),
        "?code=abc&state=%00%ff".into(),
        format!("?{}x", query),
        format!("?{query}&code=b"),
        format!("?{query}&state=b"),
        format!("?{query}&iss=b"),
        format!("?{query}&error=b&error=c"),
    ];
    for case in cases {
        let reply = browser
            .arrive(&format!("/oauth-agent/callback{case}"))
            .send()
            .await;
        assert_eq!(reply.status, 303, "{case}: {reply:?}");
        assert!(
            reply.location_parameter("login_error").is_some(),
            "{case}: {reply:?}"
        );
        assert!(
            reply.location_parameter("request_id").is_some(),
            "{case}: {reply:?}"
        );
        assert!(
            reply.location_parameter("provider_error").is_none(),
            "{case}: {reply:?}"
        );
        assert!(
            !reply.set_cookies().iter().any(|cookie| cookie.contains("-at=")),
            "{case}: {reply:?}"
        );
    }
    assert_eq!(world.provider.token_requests("authorization_code"), 0);
    let post = browser.fetch(Method::POST, "/oauth-agent/callback").send().await;
    assert_eq!(
        (post.status.as_u16(), post.code().as_deref()),
        (405, Some("method_not_allowed")),
        "attack 67"
    );
}

#[tokio::test]
async fn a_login_finishes_only_in_the_browser_that_started_it() {
    // L-06; attack 43.
    let world = World::new().await;
    let (victim, attacker) = (world.browser(), world.browser());
    victim.start_login(&json!({})).await;
    let back = world.provider.approve(&attacker.start_login(&json!({})).await);
    let reply = victim.come_back(&back).await;
    assert_eq!(
        reply.location_parameter("login_error").as_deref(),
        Some("login_state_invalid")
    );
    assert_eq!(world.provider.token_requests("authorization_code"), 0);
    assert!(!victim.is_signed_in().await);
}

#[tokio::test]
async fn states_of_two_pending_logins_cannot_be_swapped() {
    // L-07, attack 43: the code of one login with the state of another fails by PKCE and nonce.
    let world = World::new().await;
    let browser = world.browser();
    let first = world.provider.approve(&browser.start_login(&json!({})).await);
    let second = world.provider.approve(&browser.start_login(&json!({})).await);
    let code = |url: &str| asked(url, "code").unwrap();
    let swapped = first.replace(&code(&first), &code(&second));
    let reply = browser.come_back(&swapped).await;
    assert!(reply.location_parameter("login_error").is_some(), "{reply:?}");
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_replayed_callback_makes_no_token_request_and_touches_no_cookie() {
    // C-06; attack 47.
    let world = World::new().await;
    let browser = world.browser();
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    let thief = browser.copy();
    assert!(
        browser
            .come_back(&back)
            .await
            .location_parameter("login_error")
            .is_none()
    );
    for replayer in [&browser, &thief] {
        let reply = replayer.come_back(&back).await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("login_state_invalid")
        );
        assert!(
            !reply
                .set_cookies()
                .iter()
                .any(|cookie| !cookie.contains("-login-")),
            "{reply:?}"
        );
    }
    assert_eq!(world.provider.token_requests("authorization_code"), 1);
    assert!(browser.is_signed_in().await);
    assert!(!thief.is_signed_in().await);
}

#[tokio::test]
async fn a_login_is_too_old_after_ten_minutes() {
    // L-24; attack 62.
    let world = World::new().await;
    let browser = world.browser();
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    world.clock.advance_secs(601);
    let reply = browser.come_back(&back).await;
    assert_eq!(
        reply.location_parameter("login_error").as_deref(),
        Some("login_state_invalid")
    );
    assert_eq!(world.provider.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn two_tabs_may_log_in_at_once_and_each_lands_where_it_wanted() {
    // L-24; attack 59.
    let world = World::new().await;
    let browser = world.browser();
    let first = world
        .provider
        .approve(&browser.start_login(&json!({ "return_to": "/one" })).await);
    let second = world
        .provider
        .approve(&browser.start_login(&json!({ "return_to": "/two" })).await);
    assert!(browser.come_back(&first).await.location().ends_with("/one"));
    assert!(browser.come_back(&second).await.location().ends_with("/two"));
    assert!(browser.is_signed_in().await);
    assert_eq!(browser.jar().names().len(), 3, "{:?}", browser.jar().names());
}

#[tokio::test]
async fn abandoned_logins_never_pile_up() {
    // L-24: at most five pending, the oldest goes; attack 56.
    let world = World::new().await;
    let browser = world.browser();
    let mut started = Vec::new();
    for _ in 0..20 {
        started.push(browser.start_login(&json!({})).await);
        let pending = browser
            .jar()
            .names()
            .iter()
            .filter(|name| name.contains("-login-"))
            .count();
        assert!(pending <= 5, "{pending} pending logins");
    }
    let oldest = browser.come_back(&world.provider.approve(&started[0])).await;
    assert_eq!(
        oldest.location_parameter("login_error").as_deref(),
        Some("login_state_invalid")
    );
    let newest = browser.come_back(&world.provider.approve(&started[19])).await;
    assert!(newest.location_parameter("login_error").is_none(), "{newest:?}");
    for _ in 0..30 {
        let url = browser.start_login(&json!({ "prompt": "none" })).await;
        let reply = browser
            .come_back(&world.provider.refuse(&url, "login_required"))
            .await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("authorization_error")
        );
        assert_eq!(
            reply.location_parameter("provider_error").as_deref(),
            Some("login_required")
        );
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn the_issuer_of_the_response_is_checked_for_codes_and_errors() {
    // C-03, RFC 9207; attack 50.
    let world = World::new().await;
    for error in [false, true] {
        for iss in [None, Some("https://other.example"), Some("")] {
            let browser = world.browser();
            let url = browser.start_login(&json!({})).await;
            let back = if error {
                world.provider.refuse(&url, "access_denied")
            } else {
                world.provider.approve(&url)
            };
            let mut back = Url::parse(&back).unwrap();
            let kept: Vec<(String, String)> = back
                .query_pairs()
                .into_owned()
                .filter(|(name, _)| name != "iss")
                .collect();
            back.query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .extend_pairs(iss.map(|iss| ("iss", iss)));
            let reply = browser.come_back(back.as_str()).await;
            let code = reply.location_parameter("login_error").unwrap();
            assert_eq!(code, "provider_response_invalid", "error={error} iss={iss:?}");
            assert!(reply.location_parameter("provider_error").is_none());
        }
    }
    assert_eq!(world.provider.token_requests("authorization_code"), 0);
}

#[tokio::test]
async fn an_error_of_the_provider_keeps_the_session_and_shows_only_its_registered_code() {
    // C-07; attack 55.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for (error, shown) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("<script>", "other"),
        ("made_up", "other"),
    ] {
        let url = browser.start_login(&json!({})).await;
        let reply = browser.come_back(&world.provider.refuse(&url, error)).await;
        assert_eq!(
            reply.location_parameter("login_error").as_deref(),
            Some("authorization_error")
        );
        assert_eq!(reply.location_parameter("provider_error").as_deref(), Some(shown));
        assert!(
            !format!("{reply:?}").contains("description"),
            "provider text is never repeated"
        );
        assert!(browser.is_signed_in().await);
        assert!(
            !browser.jar().names().iter().any(|name| name.contains("-login-")),
            "its login is over"
        );
    }
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
    assert_eq!(asked(&url, "max_age").as_deref(), Some("60"));
    assert!(asked(&url, "acr_values").unwrap().contains("gold"));
    assert_eq!(asked(&url, "scope").as_deref(), Some("openid"));
    assert_eq!(asked(&url, "prompt").as_deref(), Some("login"));
    assert_eq!(asked(&url, "login_hint").as_deref(), Some("alice@example.test"));
    assert_eq!(asked(&url, "ui_locales").as_deref(), Some("de en"));
    let url = browser.start_login(&json!({})).await;
    assert_eq!(asked(&url, "max_age").as_deref(), Some("600"));
    let loose = browser
        .post("/oauth-agent/login/start", &json!({ "max_age": 99_999 }))
        .await;
    match loose.status.as_u16() {
        200 => assert_eq!(
            asked(loose.json()["authorization_url"].as_str().unwrap(), "max_age").as_deref(),
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
async fn a_body_beyond_the_limit_or_of_another_kind_is_refused() {
    // Attack 164.
    let world = World::new().await;
    let browser = world.browser();
    let huge = browser
        .fetch(Method::POST, "/oauth-agent/login/end")
        .body("application/json", vec![b' '; 70_000])
        .send()
        .await;
    assert_eq!(
        (huge.status.as_u16(), huge.code().as_deref()),
        (413, Some("payload_too_large"))
    );
    for (kind, body) in [
        ("application/json", "{"),
        ("application/json", "{\"code\":{}}"),
        ("text/plain", "code=a"),
    ] {
        let reply = browser
            .fetch(Method::POST, "/oauth-agent/login/end")
            .body(kind, body)
            .send()
            .await;
        assert_eq!(reply.status, 400, "{kind} {body}: {reply:?}");
    }
}
