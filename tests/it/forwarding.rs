//! What reaches the API. Standards P-; attacks B; contract §5.10.

use http::Method;
use serde_json::json;

use crate::world::upstream::Answer;
use crate::world::{Plan, World};

#[tokio::test]
async fn exactly_one_authorization_arrives_and_it_is_the_sessions() {
    // P-05; attacks 17, 19, 31.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let reply = browser
        .fetch(Method::GET, "/api/x")
        .header("authorization", "Bearer attacker")
        .header("proxy-authorization", "Basic eA==")
        .header("dpop", "x")
        .header(
            "connection",
            "keep-alive, x-named, authorization, x-forwarded-for, cookie",
        )
        .header("x-named", "gone")
        .send()
        .await;
    assert_eq!(reply.status, 200);
    let seen = world.upstream.last();
    assert!(
        seen.one("authorization").unwrap().starts_with("Bearer AT"),
        "{seen:?}"
    );
    for gone in [
        "proxy-authorization",
        "dpop",
        "x-named",
        "token-handler-version",
        "cookie",
        "keep-alive",
        "te",
    ] {
        assert_eq!(seen.one(gone), None, "{gone}");
    }
    assert!(seen.one("x-forwarded-for").is_some());
    assert_eq!(seen.one("host").unwrap(), world.upstream.address.to_string());
}

#[tokio::test]
async fn no_identity_or_routing_field_of_the_client_survives_under_any_spelling() {
    // P-08; attacks 14, 16, 20, 38.
    let world = World::new().await;
    let browser = world.signed_in().await;
    let fields = [
        "X-Forwarded-User",
        "X_Forwarded_User",
        "X-Forwarded_User",
        "X.Forwarded.User",
        "X-Real-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X-Auth-Request-Email",
        "X_Auth_Request_Email",
        "X-User",
        "X-User-Id",
        "X_User",
        "X-Remote-User",
        "Remote-User",
        "Remote_User",
        "X-SSL-Client-Cert",
        "SSL-Client-Verify",
        "X-Client-Cert",
        "Client-Cert",
        "Client-Cert-Chain",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Envoy-Original-Path",
        "X-Goog-Authenticated-User-Email",
        "X-Amzn-Oidc-Identity",
        "X-MS-CLIENT-PRINCIPAL",
        "X-MS-CLIENT-PRINCIPAL-NAME",
        "Proxy-Authorization",
        "Authorization_",
        "Authorization.x",
    ];
    for path in ["/api/x", "/public/x"] {
        let mut request = browser.fetch(Method::GET, path);
        for name in fields {
            request = request.header(name, "spoofed");
        }
        let reply = request
            .header("forwarded", "for=spoofed")
            .header("x-forwarded-host", "spoofed")
            .header("x-user-agent", "kept")
            .header("x-fine", "kept")
            .send()
            .await;
        assert!([200, 400].contains(&reply.status.as_u16()), "{reply:?}");
        let seen = world.upstream.last();
        let spoofed: Vec<_> = seen
            .fields
            .iter()
            .filter(|(name, value)| {
                value.contains("spoofed")
                    && !name.starts_with("authorization_")
                    && !name.starts_with("authorization.")
            })
            .collect();
        assert!(spoofed.is_empty(), "{path}: {spoofed:?}");
        assert_eq!(
            (seen.one("x-user-agent"), seen.one("x-fine")),
            (Some("kept"), Some("kept"))
        );
        assert!(seen.one("forwarded").is_some() || seen.one("x-forwarded-for").is_some());
        assert_eq!(seen.one("x-forwarded-host"), Some(world.host().as_str()));
        assert_eq!(seen.one("x-forwarded-proto"), Some("http"));
        assert_eq!(seen.one("x-forwarded-for"), Some("127.0.0.1"));
    }
}

#[tokio::test]
async fn our_cookies_never_reach_an_api_and_others_do() {
    // P-04.
    let world = World::new().await;
    let browser = world.signed_in().await;
    browser.start_login(&json!({})).await;
    for (name, value) in [
        ("theme", "dark"),
        ("__Host-Http-desk-at", "x"),
        ("__Host-Http-desk-rt.1", "x"),
        ("__Host-Http-desk-end", "x"),
        ("__Host-Http-mine", "kept"),
    ] {
        browser.jar().plant(name, value);
    }
    for path in ["/api/x", "/public/x"] {
        browser.fetch(Method::GET, path).send().await;
        let seen = world.upstream.last();
        let mut cookies: Vec<&str> = seen.one("cookie").unwrap().split("; ").collect();
        cookies.sort_unstable();
        assert_eq!(cookies, ["__Host-Http-mine=kept", "theme=dark"], "{path}");
    }
    let routes = "[[app.route]]\npath = \"/api\"\nupstream = \"{upstream}\"\ndrop_cookies = true\ndrop_headers = [\"x-internal\"]\n";
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let browser = world.signed_in().await;
    browser.jar().plant("theme", "dark");
    browser
        .fetch(Method::GET, "/api/x")
        .header("x-internal", "1")
        .header("x_internal", "1")
        .send()
        .await;
    let seen = world.upstream.last();
    assert_eq!(
        (seen.one("cookie"), seen.one("x-internal"), seen.one("x_internal")),
        (None, None, None)
    );
}

#[tokio::test]
async fn forwarded_fields_are_believed_only_from_trusted_proxies_and_from_the_right() {
    // P-08, P-09.
    let trusting = Plan {
        top: "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]".into(),
        ..Plan::default()
    };
    let world = World::with(trusting).await;
    let ask = format!(
        "GET /public/x HTTP/1.1\r\nhost: inner:1\r\nx-forwarded-host: {}\r\nx-forwarded-for: 6.6.6.6, 203.0.113.7, 10.1.2.3\r\nx-forwarded-proto: https\r\n\r\n",
        world.host()
    );
    let reply = world.raw(ask).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let seen = world.upstream.last();
    let forwarded_for = seen.one("x-forwarded-for").unwrap();
    assert!(forwarded_for.starts_with("203.0.113.7"), "{forwarded_for}");
    assert!(!forwarded_for.contains("6.6.6.6"));
}

#[tokio::test]
async fn bodies_pass_both_ways_and_keep_their_framing() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    world
        .upstream
        .script(|seen| Answer::json(&format!("{{\"length\":{}}}", seen.body.len()), "x-fine: 1\r\n"));
    let reply = browser
        .fetch(Method::POST, "/api/x")
        .body("application/octet-stream", vec![7; 300_000])
        .send()
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (200, json!({ "length": 300_000 }))
    );
    assert_eq!(world.upstream.last().one("content-length"), Some("300000"));
    let chunked = format!(
        "POST /public/x HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        world.host()
    );
    assert_eq!(world.raw(chunked).await.status(), 200);
    assert_eq!(world.upstream.last().body, b"hello world");
    world.upstream.script(|_| {
        Answer::Bytes(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec(),
        )
    });
    assert_eq!(browser.get("/api/x").await.text(), "abcde");
    world
        .upstream
        .script(|_| Answer::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()));
    assert_eq!(browser.get("/api/x").await.status, 204);
    world
        .upstream
        .script(|_| Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_vec()));
    let head = browser.fetch(Method::HEAD, "/api/x").send().await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

#[tokio::test]
async fn an_optional_session_is_anonymous_only_without_a_cookie() {
    let routes = "[[app.route]]\npath = \"/api\"\nupstream = \"{upstream}\"\nsession = \"optional\"\n";
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let browser = world.browser();
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert_eq!(world.upstream.last().one("authorization"), None);
    browser.sign_in(&world.provider).await;
    assert_eq!(browser.get("/api/x").await.status, 200);
    assert!(world.upstream.last().one("authorization").is_some());
    let stolen = browser.copy();
    browser.post("/oauth-agent/logout", &json!({})).await;
    assert_eq!(
        stolen.get("/api/x").await.code().as_deref(),
        Some("session_revoked")
    );
    let without = browser
        .fetch(Method::GET, "/api/x")
        .without("token-handler-version")
        .send()
        .await;
    assert_eq!(without.code().as_deref(), Some("csrf_rejected"));
}

#[tokio::test]
async fn methods_are_matched_exactly_and_trace_never_passes() {
    // P-03, B-12; attack 38.
    let routes = "[[app.route]]\npath = \"/api\"\nupstream = \"{upstream}\"\nsession = \"none\"\ntoken = \"none\"\nmethods = [\"GET\", \"POST\"]\n[[app.route]]\npath = \"/any\"\nupstream = \"{upstream}\"\nsession = \"none\"\ntoken = \"none\"\n";
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let ask =
        |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n\r\n", world.host());
    for (method, path, status) in [
        ("GET", "/api", 200),
        ("POST", "/api", 200),
        ("PUT", "/api", 405),
        ("get", "/api", 405),
        ("TRACE", "/api", 405),
        ("TRACE", "/any", 405),
        ("trace", "/any", 405),
        ("Connect", "/any", 405),
        ("FOO", "/api", 405),
        ("FOO", "/any", 200),
        ("DELETE", "/any", 200),
    ] {
        let reply = world.raw(ask(method, path)).await;
        assert_eq!(reply.status(), status, "{method} {path}: {}", reply.text());
        if status == 405 {
            assert!(reply.header("allow").is_some());
        } else {
            assert_eq!(world.upstream.last().method, method);
        }
    }
    let head = world.raw(ask("HEAD", "/api")).await;
    assert!(head.text().starts_with("HTTP/1.1 200"), "GET implies HEAD");
}
