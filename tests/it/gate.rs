//! What the gate decides besides CSRF: navigations to the login, public routes, the order of refusals, hardening.
//! Standards L-20, L-21, B-10, E-08; contract §5, §5a, §6.

use http::Method;

use crate::world::{Plan, World};

fn cors() -> Plan {
    Plan {
        app: "allowed_origins = [\"http://app.localhost:5173\"]".into(),
        ..Plan::default()
    }
}

#[tokio::test]
async fn a_login_by_navigation_starts_only_from_a_page_of_the_app_or_the_user() {
    // L-20; contract §5a.
    let world = World::new().await;
    let browser = world.browser();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-dest", "empty"),
        ("sec-purpose", "prefetch"),
        ("purpose", "prefetch"),
    ] {
        let reply = browser
            .visit("/oauth-agent/login")
            .header(name, value)
            .send()
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (403, Some("csrf_rejected")),
            "{name}: {value}"
        );
        assert!(reply.set_cookies().is_empty());
    }
    for site in ["same-origin", "none"] {
        assert_eq!(
            browser
                .visit("/oauth-agent/login")
                .header("sec-fetch-site", site)
                .send()
                .await
                .status,
            303,
            "{site}"
        );
    }
    let bare = browser
        .visit("/oauth-agent/login")
        .without("sec-fetch-site")
        .without("sec-fetch-mode")
        .without("sec-fetch-dest");
    assert_eq!(bare.send().await.status, 303);
    let world = World::with(cors()).await;
    let reply = world
        .browser()
        .visit("/oauth-agent/login")
        .header("sec-fetch-site", "same-site")
        .send()
        .await;
    assert_eq!(reply.status, 303, "a listed origin may link to it");
}

#[tokio::test]
async fn a_login_that_others_start_must_name_the_issuer() {
    // L-21; attack 10.
    let world = World::with(Plan {
        provider: "third_party_login = true".into(),
        ..Plan::default()
    })
    .await;
    let browser = world.browser();
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let right = format!("/oauth-agent/login?iss={}", encode(&world.provider.issuer));
    assert_eq!(browser.arrive(&right).send().await.status, 303);
    for query in ["", "?iss=", "?iss=https%3A%2F%2Funknown.test"] {
        let reply = browser.arrive(&format!("/oauth-agent/login{query}")).send().await;
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
    }
}

#[tokio::test]
async fn a_public_route_asks_for_no_header_and_opens_no_cookie() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    let reply = browser.visit("/public/logo").send().await;
    assert_eq!(reply.status, 200);
    let seen = world.upstream.last();
    assert_eq!((seen.one("authorization"), seen.one("cookie")), (None, None));
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_contract() {
    let routes = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"
methods = ["GET"]
max_body = "1KiB"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let browser = world.browser();
    let evil = |method: Method, path: &str| {
        browser
            .fetch(method, path)
            .without("token-handler-version")
            .header("origin", "http://evil.localhost")
    };
    assert_eq!(
        evil(Method::POST, "/other").send().await.code().as_deref(),
        Some("route_not_found")
    );
    assert_eq!(
        evil(Method::POST, "/api/x").send().await.code().as_deref(),
        Some("method_not_allowed")
    );
    assert_eq!(
        evil(Method::GET, "/oauth-agent/logout")
            .send()
            .await
            .code()
            .as_deref(),
        Some("method_not_allowed")
    );
    assert_eq!(
        evil(Method::GET, "/oauth-agent/nothing")
            .send()
            .await
            .code()
            .as_deref(),
        Some("route_not_found")
    );
    let reply = evil(Method::POST, "/api/x").send().await;
    assert!(reply.header("allow").unwrap().contains("GET"), "{reply:?}");
    assert_eq!(evil(Method::GET, "/api/x").send().await.status, 403);
    assert_eq!(
        browser.get("/api/x").await.code().as_deref(),
        Some("session_missing")
    );
    let large = browser
        .fetch(Method::GET, "/api/x")
        .body("text/plain", vec![b'x'; 2_000]);
    assert_eq!(
        large.send().await.code().as_deref(),
        Some("session_missing"),
        "the session comes before the body"
    );
}

#[tokio::test]
async fn every_answer_of_ours_is_hardened_and_carries_a_request_id() {
    // B-10, E-08; attacks 112, 113, 149, 185.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for path in [
        "/oauth-agent/session",
        "/oauth-agent/userinfo",
        "/oauth-agent/nothing",
        "/api%00",
        "/nothing",
    ] {
        let url = path.to_owned();
        let reply = browser.get(&url).await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(
            reply
                .header("content-security-policy")
                .unwrap()
                .contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert!(reply.header("referrer-policy").is_some(), "{path}");
        assert!(reply.header("cross-origin-resource-policy").is_some(), "{path}");
        assert!(reply.header("server").is_none());
        let id = reply
            .header("x-request-id")
            .unwrap_or_else(|| panic!("{path}"))
            .to_owned();
        if reply.code().is_some() {
            assert_eq!(reply.json()["request_id"], id.as_str(), "{path}");
        }
    }
    for path in [
        "/metrics",
        "/debug",
        "/admin",
        "/oauth-agent/diagnostics",
        "/oauth-agent/userinfo/x.js",
        "/oauth-agent/session/",
        "/oauth-agent/Session",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}
