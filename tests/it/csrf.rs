//! Who may ask at all: custom header, Origin, Fetch Metadata, CORS. Standards B-; attacks F; contract §5a.

use http::Method;
use serde_json::json;

use crate::world::{Plan, World};

fn cors() -> Plan {
    Plan {
        app: "allowed_origins = [\"http://app.localhost:5173\"]".into(),
        ..Plan::default()
    }
}

const LISTED: &str = "http://app.localhost:5173";

#[tokio::test]
async fn every_method_needs_the_custom_header_once_with_its_value() {
    // B-02; attacks 97, 98.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "LINK", "FOO",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let reply = browser
            .fetch(method.clone(), "/api/x")
            .without("token-handler-version")
            .send()
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (403, Some("csrf_rejected")),
            "{method}"
        );
    }
    for value in ["", "0", "2", "1, 1", "true"] {
        let reply = browser
            .fetch(Method::GET, "/api/x")
            .header("token-handler-version", value)
            .send()
            .await;
        assert_eq!(reply.code().as_deref(), Some("csrf_rejected"), "{value:?}");
    }
    for (path, method) in [
        ("session", Method::GET),
        ("userinfo", Method::GET),
        ("refresh", Method::POST),
        ("logout", Method::POST),
        ("login/start", Method::POST),
        ("login/end", Method::POST),
    ] {
        let reply = browser
            .fetch(method, &format!("/oauth-agent/{path}"))
            .without("token-handler-version")
            .send()
            .await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (403, Some("csrf_rejected")),
            "{path}"
        );
    }
    assert_eq!(world.upstream.count(), 0);
    assert_eq!(browser.get("/api/x").await.status, 200);
    let twice = format!(
        "GET /api/x HTTP/1.1\r\nhost: {}\r\ntoken-handler-version: 1\r\ntoken-handler-version: 1\r\n\r\n",
        world.host()
    );
    assert_eq!(world.raw(twice).await.code().as_deref(), Some("csrf_rejected"));
}

#[tokio::test]
async fn fetch_metadata_is_believed_where_it_is_present() {
    // B-04; attacks 97, 100, 107.
    let world = World::with(cors()).await;
    let browser = world.signed_in().await;
    let cases = [
        (Some("same-origin"), None, 200),
        (Some("same-origin"), Some(world.origin.as_str()), 200),
        (Some("cross-site"), None, 403),
        (Some("cross-site"), Some(LISTED), 403),
        (Some("none"), None, 403),
        (Some("same-site"), None, 403),
        (Some("same-site"), Some(LISTED), 200),
        (Some("same-site"), Some("http://other.localhost:1"), 403),
        (Some("something-new"), None, 200),
        (Some("something-new"), Some("http://evil.localhost"), 403),
        (None, None, 200),
        (None, Some(LISTED), 200),
        (None, Some("null"), 403),
        (None, Some("http://evil.localhost"), 403),
        (None, Some("http://app.localhost:5173.evil.test"), 403),
        (None, Some("HTTP://APP.LOCALHOST:5173"), 403),
        (None, Some("http://app.localhost"), 403),
    ];
    for (site, origin, expected) in cases {
        let mut request = browser.fetch(Method::GET, "/api/x").without("sec-fetch-site");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let reply = request.send().await;
        assert_eq!(reply.status.as_u16(), expected, "{site:?} {origin:?} {reply:?}");
        if expected == 403 {
            let wrong_origin = origin.is_some_and(|origin| origin != LISTED && origin != world.origin);
            let code = if wrong_origin {
                "origin_rejected"
            } else {
                "csrf_rejected"
            };
            assert_eq!(reply.code().as_deref(), Some(code), "{site:?} {origin:?}");
        }
    }
}

#[tokio::test]
async fn a_listed_origin_reads_every_answer_and_an_unlisted_one_none() {
    // B-05, B-07, B-08; attack 103.
    let world = World::with(cors()).await;
    let browser = world.browser();
    let reply = browser
        .fetch(Method::GET, "/api/x")
        .header("origin", LISTED)
        .header("sec-fetch-site", "same-site")
        .send()
        .await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    let exposed = reply
        .header("access-control-expose-headers")
        .unwrap()
        .to_ascii_lowercase();
    for name in ["token-handler-error", "x-request-id", "retry-after"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    for origin in ["http://evil.localhost", "null"] {
        let reply = browser
            .fetch(Method::GET, "/api/x")
            .header("origin", origin)
            .send()
            .await;
        assert_eq!(reply.status, 403);
        assert!(
            !reply
                .headers
                .keys()
                .any(|name| name.as_str().starts_with("access-control-")),
            "{reply:?}"
        );
        assert!(
            reply
                .headers
                .get_all("vary")
                .iter()
                .any(|vary| vary.to_str().unwrap().eq_ignore_ascii_case("origin"))
        );
    }
    let plain = World::new().await;
    let reply = plain.browser().get("/oauth-agent/session").await;
    assert!(
        !reply
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"))
    );
}

#[tokio::test]
async fn a_preflight_is_answered_here_without_a_session() {
    // B-06; attacks 101, 104.
    let world = World::with(cors()).await;
    let browser = world.browser();
    let ask = |path: &str, origin: &str| {
        browser
            .fetch(Method::OPTIONS, path)
            .without("token-handler-version")
            .header("sec-fetch-site", "same-site")
            .header("origin", origin)
            .header("access-control-request-method", "PUT")
            .header(
                "access-control-request-headers",
                "token-handler-version, content-type, authorization, cookie, proxy-x, x-fine, b@d",
            )
    };
    let reply = ask("/api/x", LISTED).send().await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(reply.header("access-control-max-age"), Some("600"));
    assert!(
        reply
            .header("access-control-allow-methods")
            .unwrap()
            .contains("PUT")
    );
    let allowed = reply
        .header("access-control-allow-headers")
        .unwrap()
        .to_ascii_lowercase();
    assert!(
        allowed.contains("token-handler-version")
            && allowed.contains("content-type")
            && allowed.contains("x-fine")
    );
    for never in ["authorization", "cookie", "proxy-x", "b@d"] {
        assert!(!allowed.contains(never), "{allowed}");
    }
    let reply = ask("/oauth-agent/logout", LISTED).send().await;
    assert_eq!(reply.status, 204, "the agent's endpoints too");
    let reply = ask("/api/x", "http://evil.localhost").send().await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (403, Some("origin_rejected"))
    );
    assert!(
        !reply
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"))
    );
    assert_eq!(world.upstream.count(), 0, "never forwarded");
}

#[tokio::test]
async fn a_route_with_fetch_metadata_lets_images_and_event_streams_read() {
    let routes = r#"
[[app.route]]
path = "/api"
upstream = "{upstream}"
csrf = "fetch_metadata"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let browser = world.signed_in().await;
    let bare = |method: Method| {
        browser
            .fetch(method, "/api/stream")
            .without("token-handler-version")
    };
    assert_eq!(bare(Method::GET).send().await.status, 200);
    assert_eq!(
        bare(Method::GET).without("sec-fetch-site").send().await.status,
        403,
        "present, not absent"
    );
    assert_eq!(
        bare(Method::GET)
            .header("sec-fetch-site", "same-site")
            .send()
            .await
            .status,
        403
    );
    assert_eq!(
        bare(Method::GET)
            .header("sec-fetch-site", "cross-site")
            .send()
            .await
            .status,
        403
    );
    assert_eq!(
        bare(Method::GET)
            .header("origin", "http://evil.localhost")
            .send()
            .await
            .status,
        403
    );
    assert_eq!(bare(Method::POST).send().await.status, 403);
    assert_eq!(browser.post("/api/stream", &json!({})).await.status, 200);
}
