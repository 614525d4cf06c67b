//! What reaches the API, and what comes back. Standards P-; attacks B, I, J; contract §5.10, §5.11.

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
async fn connections_to_the_upstream_are_reused_but_never_after_trouble() {
    let world = World::new().await;
    let browser = world.signed_in().await;
    for _ in 0..5 {
        assert_eq!(browser.get("/api/x").await.status, 200);
    }
    let connections: std::collections::HashSet<usize> =
        world.upstream.seen().iter().map(|seen| seen.connection).collect();
    assert!(connections.len() <= 2, "{connections:?}");
    // An answer with leftovers: the next request must not read them.
    world.upstream.script(|_| {
        Answer::Bytes(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
                .to_vec(),
        )
    });
    for _ in 0..6 {
        let reply = browser.get("/api/x").await;
        assert!(reply.text() == "ok" || reply.status == 502, "{reply:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
    let routes = "[[app.route]]\npath = \"/api\"\nupstream = \"{upstream}\"\nsession = \"none\"\ntoken = \"none\"\nmax_body = \"1KiB\"\n";
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let announced = format!(
        "POST /api/x HTTP/1.1\r\nhost: {}\r\ncontent-length: 10000000000\r\n\r\n",
        world.host()
    );
    let reply = world.raw(announced).await;
    assert_eq!(
        (reply.status(), reply.code().as_deref()),
        (413, Some("payload_too_large"))
    );
    assert_eq!(world.upstream.count(), 0);
    let mut streamed = format!(
        "POST /api/x HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n",
        world.host()
    );
    for _ in 0..20 {
        streamed.push_str(&format!("100\r\n{}\r\n", "x".repeat(256)));
    }
    streamed.push_str("0\r\n\r\n");
    let reply = world.raw(streamed).await;
    assert_eq!(
        (reply.status(), reply.code().as_deref()),
        (413, Some("payload_too_large")),
        "{}",
        reply.text()
    );
    let fits = format!(
        "POST /api/x HTTP/1.1\r\nhost: {}\r\ncontent-length: 1024\r\n\r\n{}",
        world.host(),
        "x".repeat(1024)
    );
    assert_eq!(world.raw(fits).await.status(), 200);
}

#[tokio::test]
async fn an_upstream_that_is_down_cut_off_or_senseless_is_a_502_and_a_slow_one_a_504() {
    // P-16; attack 166.
    let routes = r#"
[[app.route]]
path = "/down"
upstream = "http://127.0.0.1:1"
session = "none"
token = "none"
[[app.route]]
path = "/api"
upstream = "{upstream}"
session = "none"
token = "none"
timeout = "300ms"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    let browser = world.browser();
    let reply = browser.get("/down/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (502, Some("upstream_unavailable"))
    );
    assert!(!reply.text().contains("127.0.0.1"), "no internal names");
    for senseless in [
        b"nonsense\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello".to_vec(),
        b"".to_vec(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(2_000_000)).into_bytes(),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000)).into_bytes(),
    ] {
        world
            .upstream
            .script(move |_| Answer::BytesThenClose(senseless.clone()));
        let reply = browser.get("/api/x").await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_deref()),
            (502, Some("upstream_unavailable"))
        );
    }
    world.upstream.script(|_| Answer::Silence);
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_deref()),
        (504, Some("upstream_timeout"))
    );
    world.upstream.script(|_| Answer::json("{}", ""));
    assert_eq!(browser.get("/api/x").await.status, 200, "nothing is left behind");
}

#[tokio::test]
async fn a_post_reaches_the_upstream_once_even_when_the_answer_is_lost() {
    // P-12.
    let world = World::new().await;
    let browser = world.signed_in().await;
    assert_eq!(browser.get("/api/x").await.status, 200);
    let before = world.upstream.count();
    world.upstream.script(|_| Answer::BytesThenClose(Vec::new()));
    assert_eq!(browser.post("/api/x", &json!({})).await.status, 502);
    assert_eq!(world.upstream.count() - before, 1);
}

#[tokio::test]
async fn the_apis_own_refusals_and_redirects_are_passed_back_as_they_are() {
    // P-15, P-22, P-27.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.upstream.script(|_| {
        Answer::status(
            "401 Unauthorized",
            "{\"mine\":1}",
            "www-authenticate: Bearer error=\"invalid_token\"\r\ntoken-handler-error: session_missing\r\n",
        )
    });
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (
            reply.status.as_u16(),
            reply.json(),
            reply.header("token-handler-error")
        ),
        (401, json!({ "mine": 1 }), None)
    );
    world
        .upstream
        .script(|_| Answer::status("302 Found", "", "location: https://elsewhere.example/x\r\n"));
    let reply = browser.get("/api/x").await;
    assert_eq!(
        (reply.status.as_u16(), reply.location()),
        (302, "https://elsewhere.example/x")
    );
}

#[tokio::test]
async fn an_api_cannot_set_our_cookies_nor_speak_for_us() {
    // P-14; attacks 28, 29.
    let world = World::new().await;
    let browser = world.signed_in().await;
    world.upstream.script(|seen| {
        let bearer = seen.one("authorization").unwrap_or("none").to_owned();
        Answer::json("{}", &format!(
            "set-cookie: __Host-Http-shop-at=evil; Path=/; Secure; HttpOnly\r\nset-cookie: __Host-Http-shop-login-00000000=x; Path=/\r\n\
             set-cookie: __host-http-desk-rt.1=x; Path=/\r\nset-cookie: theme=dark; Path=/\r\naccess-control-allow-origin: *\r\n\
             access-control-expose-headers: x-total\r\ntoken-handler-error: x\r\nclear-site-data: \"cookies\"\r\nservice-worker-allowed: /\r\n\
             x-echo-authorization: {bearer}\r\nx-total: 7\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\n"
        ))
    });
    let reply = browser.get("/api/x").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.set_cookies(), ["theme=dark; Path=/"]);
    for gone in [
        "access-control-allow-origin",
        "token-handler-error",
        "clear-site-data",
        "service-worker-allowed",
        "x-hop",
        "keep-alive",
        "x-echo-authorization",
    ] {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
    assert_eq!(reply.header("x-total"), Some("7"));
    world
        .upstream
        .script(|_| Answer::json("{}", "clear-site-data: \"cache\"\r\n"));
    assert_eq!(
        browser.get("/api/x").await.header("clear-site-data"),
        Some("\"cache\"")
    );
}

#[tokio::test]
async fn no_shared_cache_may_keep_an_answer_that_needed_a_session() {
    // P-13; attack 148.
    let world = World::new().await;
    let browser = world.signed_in().await;
    for (sent, expected) in [
        (Some("public, max-age=600"), "private"),
        (Some("s-maxage=600, max-age=60"), "private"),
        (Some("no-store"), "no-store"),
        (None, "private"),
    ] {
        let field = sent
            .map(|value| format!("cache-control: {value}\r\n"))
            .unwrap_or_default();
        world.upstream.script(move |_| {
            Answer::json(
                "{}",
                &format!(
                    "{field}cdn-cache-control: max-age=9\r\nsurrogate-control: max-age=9\r\nvary: accept\r\n"
                ),
            )
        });
        let reply = browser.get("/api/x").await;
        let cache = reply.header("cache-control").unwrap().to_owned();
        assert!(
            cache.contains(expected) && !cache.contains("public") && !cache.contains("s-maxage"),
            "{sent:?} → {cache}"
        );
        let vary: String = reply
            .headers
            .get_all("vary")
            .iter()
            .map(|vary| vary.to_str().unwrap().to_ascii_lowercase() + ",")
            .collect();
        for name in ["accept", "cookie", "origin"] {
            assert!(vary.contains(name), "{vary}");
        }
        assert_eq!(
            (
                reply.header("cdn-cache-control"),
                reply.header("surrogate-control")
            ),
            (None, None)
        );
    }
    world
        .upstream
        .script(|_| Answer::json("{}", "cache-control: public, max-age=600\r\n"));
    let reply = browser.fetch(Method::GET, "/public/x").send().await;
    assert_eq!(
        reply.header("cache-control"),
        Some("public, max-age=600"),
        "public routes keep their caching"
    );
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
        ("FOO", "/api", 405),
        ("FOO", "/any", 200),
        ("DELETE", "/any", 200),
    ] {
        let reply = world.raw(ask(method, path)).await;
        assert_eq!(reply.status(), status, "{method} {path}: {}", reply.text());
        if status == 405 {
            assert!(reply.header("allow").is_some());
        }
    }
    let head = world.raw(ask("HEAD", "/api")).await;
    assert!(head.text().starts_with("HTTP/1.1 200"), "GET implies HEAD");
}

#[tokio::test]
async fn an_upgrade_is_not_carried_through() {
    // Attack 157.
    let world = World::new().await;
    for upgrade in ["h2c", "websocket", "made-up"] {
        let ask = format!(
            "GET /public/x HTTP/1.1\r\nhost: {}\r\nconnection: upgrade, http2-settings\r\nupgrade: {upgrade}\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
            world.host()
        );
        let reply = world.raw(ask).await;
        assert_ne!(reply.status(), 101, "{upgrade}");
        if world.upstream.count() > 0 {
            assert_eq!(
                (
                    world.upstream.last().one("upgrade"),
                    world.upstream.last().one("http2-settings")
                ),
                (None, None)
            );
        }
    }
}
