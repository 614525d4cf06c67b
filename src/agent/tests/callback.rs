//! How a login ends: well, or without having changed anything.

use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::json;

use super::world::{Jar, World};

const TOKEN: &str = "/token";

#[tokio::test]
async fn a_login_ends_on_the_page_it_was_started_for() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "return_to=%2Fdashboard%3Fa%3Db%23c").await;
    let answer = world.open(&mut jar, &callback).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/dashboard?a=b#c");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(jar.has_session());
    assert_eq!(jar.logins(), 0);
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
    let [request] = &world.seen(TOKEN)[..] else {
        panic!("one token request expected")
    };
    assert_eq!(request["grant_type"], "authorization_code");
    assert_eq!(request["redirect_uri"], "https://app.test/oauth-agent/callback");
}

#[tokio::test]
async fn script_may_finish_what_a_page_received() {
    let world = World::new().await;
    for json in [false, true] {
        let mut jar = Jar::default();
        let answer = world.post(&mut jar, "/login/start", &[("return_to", "/x")]).await;
        let callback = world.consent(answer.json()["authorization_url"].as_str().unwrap());
        let fields = super::world::query_of(&format!("https://app.test{callback}&session_state=s"));
        let answer = if json {
            let request = jar
                .request(Method::POST, "/login/end")
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(serde_json::to_vec(&fields).unwrap()))
                .unwrap();
            let answer = world.send(request).await;
            jar.apply(&answer);
            answer
        } else {
            let form: Vec<_> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            world.post(&mut jar, "/login/end", &form).await
        };
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let mut body = answer.json();
        assert_eq!(body.as_object_mut().unwrap().remove("return_to").unwrap(), "/x");
        assert_eq!(body, world.session(&mut jar).await);
        assert_eq!(body["is_logged_in"], true);
        assert_eq!(jar.logins(), 0);
    }
}

/// C-01, attacks 41 and 49.
#[tokio::test]
async fn a_response_nobody_waits_for_changes_nothing() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    world.start(&mut jar, "").await;
    let (before, asked) = (jar.clone(), world.seen(TOKEN).len());
    for query in [
        "",
        "&",
        "?&",
        "=",
        "code",
        "code=&state=",
        "code=abc",
        "state=abc",
        "code=abc&state=abc",
        "error=access_denied",
        "error=access_denied&state=abc",
        "code=abc&state=%00",
        "response=eyJ",
        "code=abc&state=%ff%fe",
    ] {
        let answer = world.open(&mut jar, &format!("/callback?{query}")).await;
        let failure = answer.failure();
        assert_eq!(failure["login_error"], "login_state_invalid", "{query}");
        assert!(!failure.contains_key("provider_error"), "{query}");
        assert!(answer.set_cookies().is_empty(), "{query}");
    }
    let answer = world.post(&mut jar, "/login/end", &[]).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::BAD_REQUEST, "login_state_invalid")
    );
    assert_eq!((jar, world.seen(TOKEN).len()), (before, asked));
}

/// L-06: the callback of one browser is nothing in another.
#[tokio::test]
async fn another_browser_cannot_finish_a_login() {
    let world = World::new().await;
    let (mut victim, mut attacker) = (Jar::default(), Jar::default());
    world.start(&mut victim, "").await;
    let callback = world.start(&mut attacker, "").await;
    let answer = world.open(&mut victim, &callback).await;
    assert_eq!(answer.failure()["login_error"], "login_state_invalid");
    assert!(!victim.has_session());
    assert_eq!(victim.logins(), 1);
    assert!(world.seen(TOKEN).is_empty());
}

/// C-06, attack 47.
#[tokio::test]
async fn a_callback_works_once_even_with_a_copied_cookie() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "").await;
    let mut copy = jar.clone();
    world.open(&mut jar, &callback).await;
    for jar in [&mut jar, &mut copy] {
        let before = jar.clone();
        let answer = world.open(jar, &callback).await;
        assert_eq!(answer.failure()["login_error"], "login_state_invalid");
        assert!(answer.set_cookies().is_empty());
        assert_eq!(*jar, before);
    }
    assert_eq!(world.seen(TOKEN).len(), 1);
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

/// C-02: said even where no login is found, and by script too.
#[tokio::test]
async fn a_parameter_that_stands_twice_is_named_as_the_fault() {
    let world = World::new().await;
    let mut jar = Jar::default();
    for query in ["code=a&code=b", "state=a&state=b&code=c"] {
        let answer = world.open(&mut jar, &format!("/callback?{query}")).await;
        assert_eq!(answer.failure()["login_error"], "invalid_request", "{query}");
    }
    for body in [
        r#"{"code":"a","code":"b"}"#,
        r#"{"code":{}}"#,
        r#"{"state":["a"]}"#,
    ] {
        let request = jar
            .request(Method::POST, "/login/end")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        assert_eq!(world.send(request).await.code(), "invalid_request", "{body}");
    }
    assert!(world.seen(TOKEN).is_empty());
}

/// C-02: the state found its login, so the login ends.
#[tokio::test]
async fn a_parameter_that_stands_twice_ends_the_login() {
    let world = World::new().await;
    for extra in [
        "code=b",
        "iss=a&iss=b",
        "error=a&error=b",
        "session_state=a&session_state=b",
    ] {
        let mut jar = Jar::default();
        let callback = world.start(&mut jar, "").await;
        let answer = world.open(&mut jar, &format!("{callback}&{extra}")).await;
        assert_eq!(answer.failure()["login_error"], "invalid_request", "{extra}");
        assert_eq!(jar, Jar::default());
    }
    assert!(world.seen(TOKEN).is_empty());
}

/// C-07, attack 55.
#[tokio::test]
async fn a_refusal_of_the_provider_is_told_by_its_code_and_spares_the_session() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let before = jar.clone();
    for (error, told) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        (
            "unmet_authentication_requirements",
            "unmet_authentication_requirements",
        ),
        ("%3Cscript%3E", "other"),
        ("Access_Denied", "other"),
    ] {
        let callback = world.start(&mut jar, "prompt=none").await;
        let state = callback.split("state=").nth(1).unwrap();
        let answer = world
            .open(
                &mut jar,
                &format!("/callback?error={error}&error_description=%3Cscript%3E&state={state}"),
            )
            .await;
        let failure = answer.failure();
        assert_eq!(failure["login_error"], "authorization_error");
        assert_eq!(failure["provider_error"], told);
        assert!(!answer.location().contains("script"));
        assert_eq!(jar, before);
    }
    assert_eq!(world.seen(TOKEN).len(), 1);
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

#[tokio::test]
async fn script_reads_the_provider_error_from_the_body() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "").await;
    let state = callback.split("state=").nth(1).unwrap();
    let answer = world
        .post(
            &mut jar,
            "/login/end",
            &[("error", "access_denied"), ("state", state)],
        )
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::BAD_REQUEST, "authorization_error")
    );
    assert_eq!(answer.refusal.unwrap().provider_error, Some("access_denied"));
    assert_eq!(jar.logins(), 0);
}

/// C-03, attack 50: in errors too, and then nothing of the error is believed.
#[tokio::test]
async fn a_response_of_another_issuer_is_not_used() {
    let world = World::new().await;
    let issuer = world.app.provider.issuer.to_string();
    for (announced, iss, ok) in [
        (false, None, true),
        (false, Some(issuer.clone()), true),
        (false, Some("https://other.test".into()), false),
        (false, Some(format!("{issuer}/")), false),
        (true, Some(issuer.clone()), true),
        (true, None, false),
    ] {
        let world = World::new().await;
        let issuer_here = world.app.provider.issuer.to_string();
        world.provider(|provider| {
            provider.metadata = json!({"authorization_response_iss_parameter_supported": announced});
        });
        let iss = iss.map_or_else(String::new, |iss| {
            format!("&iss={}", iss.replace(&issuer, &issuer_here))
        });
        let mut jar = Jar::default();
        let callback = world.start(&mut jar, "").await;
        let answer = world.open(&mut jar, &format!("{callback}{iss}")).await;
        assert_eq!(jar.has_session(), ok, "{announced} {iss}");
        assert_eq!(jar.logins(), 0);
        if !ok {
            assert_eq!(answer.failure()["login_error"], "provider_response_invalid");
            assert!(world.seen(TOKEN).is_empty());
        }
        let callback = world.start(&mut jar, "").await;
        let state = callback.split("state=").nth(1).unwrap();
        let answer = world
            .open(
                &mut jar,
                &format!("/callback?error=access_denied&state={state}{iss}"),
            )
            .await;
        assert_eq!(
            answer.failure().contains_key("provider_error"),
            ok,
            "{announced} {iss}"
        );
    }
}

#[tokio::test]
async fn a_response_without_a_usable_code_ends_the_login() {
    let world = World::new().await;
    for code in ["", "code=", "code=%00", "code=a%0d%0ab", "code=%C3%BC"] {
        let mut jar = Jar::default();
        let callback = world.start(&mut jar, "").await;
        let state = callback.split("state=").nth(1).unwrap();
        let answer = world
            .open(&mut jar, &format!("/callback?state={state}&{code}"))
            .await;
        assert_eq!(answer.failure()["login_error"], "invalid_request", "{code}");
        assert_eq!(jar, Jar::default());
    }
    assert!(world.seen(TOKEN).is_empty());
}

/// L-24, attack 59.
#[tokio::test]
async fn two_tabs_may_log_in_at_once() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let first = world.start(&mut jar, "return_to=/one").await;
    let second = world.start(&mut jar, "return_to=/two").await;
    assert_eq!(world.open(&mut jar, &first).await.location(), "/one");
    assert_eq!(world.open(&mut jar, &second).await.location(), "/two");
    assert_eq!(jar.logins(), 0);
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
}

/// Attacks 52 and 53: what was in the jar before the login is worth nothing after it.
#[tokio::test]
async fn a_new_session_ends_the_one_it_replaces() {
    let world = World::new().await;
    let mut jar = Jar::default();
    world.log_in(&mut jar).await;
    let mut copy = jar.clone();
    world.log_in(&mut jar).await;
    assert_ne!(jar, copy);
    assert_eq!(world.session(&mut jar).await["is_logged_in"], true);
    let ended = world.session(&mut copy).await;
    assert_eq!(ended, json!({"is_logged_in": false, "reason": "none"}));
}

/// Attack 62.
#[tokio::test]
async fn a_login_may_take_ten_minutes() {
    let world = World::new().await;
    let (mut late, mut too_late) = (Jar::default(), Jar::default());
    let callbacks = [
        world.start(&mut late, "").await,
        world.start(&mut too_late, "").await,
    ];
    world.provider(|provider| provider.claims = json!({"iat": super::world::NOW + 599}));
    world.advance(Duration::from_secs(599));
    assert_eq!(world.open(&mut late, &callbacks[0]).await.location(), "/");
    world.advance(Duration::from_secs(2));
    let answer = world.open(&mut too_late, &callbacks[1]).await;
    assert_eq!(answer.failure()["login_error"], "login_state_invalid");
}

/// Attack 56.
#[tokio::test]
async fn failed_silent_logins_leave_nothing_behind() {
    let world = World::new().await;
    let mut jar = Jar::default();
    for _ in 0..10 {
        let callback = world.start(&mut jar, "prompt=none").await;
        let state = callback.split("state=").nth(1).unwrap();
        world
            .open(&mut jar, &format!("/callback?error=login_required&state={state}"))
            .await;
    }
    assert_eq!(jar, Jar::default());
}

#[tokio::test]
async fn a_failure_finds_an_error_path_with_a_query_of_its_own() {
    let world = World::configured(|app| app.error_path = "/sorry?lang=de".into()).await;
    let answer = world.open(&mut Jar::default(), "/callback?state=x").await;
    assert_eq!(
        answer.location(),
        format!(
            "/sorry?lang=de&login_error=login_state_invalid&request_id={}",
            super::world::REQUEST_ID
        )
    );
}

/// The pages of an SPA on an origin of its own are reached absolutely.
#[tokio::test]
async fn redirects_resolve_on_the_origin_of_the_spa() {
    let world = World::configured(|app| app.spa_origin = app.allowed_origins[0].clone()).await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "return_to=/x").await;
    assert_eq!(
        world.open(&mut jar, &callback).await.location(),
        "https://www.app.test/x"
    );
    assert!(
        world
            .open(&mut jar, "/callback")
            .await
            .location()
            .starts_with("https://www.app.test/?login_error=login_state_invalid&")
    );
    assert_eq!(
        world.open(&mut jar, "/logged-out").await.location(),
        "https://www.app.test/"
    );
}

/// T-22: no answer holds a token, a code or a state in clear.
#[tokio::test]
async fn no_token_reaches_the_browser() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "").await;
    let mut texts = Vec::new();
    for path in [&*callback, "/session", "/userinfo"] {
        let answer = world.open(&mut jar, path).await;
        texts.push(format!(
            "{:?} {}",
            answer.set_cookies(),
            String::from_utf8_lossy(&answer.body)
        ));
        texts.push(format!("{:?}", answer.headers));
    }
    for text in texts {
        assert!(
            !text.contains("access-of-") && !text.contains("refresh-of-") && !text.contains("eyJ"),
            "{text}"
        );
    }
}

/// L-22, contract §5a: checked again before it is used; what no longer passes leads home.
#[tokio::test]
async fn a_target_is_checked_again_before_it_is_used() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world
        .start(&mut jar, "return_to=https%3A%2F%2Fwww.app.test%2Fx")
        .await;
    let reloaded = world.reloaded(|app| app.allowed_origins.clear());
    assert_eq!(reloaded.open(&mut jar, &callback).await.location(), "/");
    assert!(jar.has_session());
}

/// C-06, L-25: of two arrivals at once one wins, and the code is redeemed once.
#[tokio::test]
async fn a_callback_that_arrives_twice_at_once_redeems_its_code_once() {
    let world = World::new().await;
    let mut jar = Jar::default();
    let callback = world.start(&mut jar, "").await;
    let arrive = async || {
        let request = jar.request(Method::GET, &callback).body(Body::empty()).unwrap();
        world.send(request).await
    };
    let (one, other) = tokio::join!(arrive(), arrive());
    let mut landed = [one.location().len(), other.location().len()];
    landed.sort_unstable();
    assert_eq!(landed[0], 1);
    assert!(landed[1] > 1);
    assert_eq!(world.seen(TOKEN).len(), 1);
}
