//! What the provider sends the browser back with: state, issuer, errors, once. Standards C-; attacks D.

use http::Method;
use serde_json::{Map, Value, json};
use url::Url;

use crate::world::{World, parameter};

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
        format!("?{query}x"),
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
    let code = |url: &str| parameter(url, "code").unwrap();
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
    let names = browser.jar().names();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[tokio::test]
async fn abandoned_logins_never_pile_up() {
    // L-24: at most five pending, the oldest goes; attack 56.
    let world = World::new().await;
    let browser = world.browser();
    let mut started = Vec::new();
    for _ in 0..20 {
        world.clock.advance_secs(1);
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

#[tokio::test]
async fn a_preview_of_the_callback_uses_nothing_up() {
    // Attack 47: `state` is used once, by a browser that goes there.
    let world = World::new().await;
    let browser = world.browser();
    let back = world.provider.approve(&browser.start_login(&json!({})).await);
    let url = Url::parse(&back).unwrap();
    let path = &url[url::Position::BeforePath..];
    let preview = browser.fetch(Method::HEAD, path).send().await;
    assert_eq!(
        (preview.status.as_u16(), preview.header("allow")),
        (405, Some("GET"))
    );
    assert_eq!(world.provider.token_requests("authorization_code"), 0);
    assert_eq!(browser.come_back(&back).await.location(), "/");
}
