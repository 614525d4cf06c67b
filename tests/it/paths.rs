//! What is decided on is what is forwarded. Standards P-02, P-11; attacks C; contract §5.1.

use crate::world::{Plan, World};

fn get(world: &World, target: &str, cookie: Option<&str>) -> String {
    let cookie = cookie
        .map(|cookie| format!("cookie: {cookie}\r\n"))
        .unwrap_or_default();
    format!(
        "GET {target} HTTP/1.1\r\nhost: {}\r\ntoken-handler-version: 1\r\n{cookie}\r\n",
        world.host()
    )
}

#[tokio::test]
async fn no_trick_leads_from_the_public_route_to_the_private_one() {
    // Attacks 32, 34, 35, 37, 40.
    let world = World::new().await;
    let refused = [
        "/public/../api/private",
        "/public/%2e%2e/api/private",
        "/public/..%2fapi/private",
        "/public/..;/api/private",
        "/public/.%2e/api/private",
        "/public/%252e%252e/api/private",
        "/public/%2e%2e%2fapi/private",
        "/public/./x",
        "/public/%2E/x",
        "/public/..",
        "/public/.",
        "//api/private",
        "/api//private",
        "/public//x",
        "/api%2fprivate",
        "/public/%2Fx",
        "/api\\private",
        "/public/..\\api",
        "/api/private%00",
        "/public/%5c..%5capi",
        "/public/%0d%0ax",
        "/public/%7f",
        "/public/%zz",
        "/public/%",
        "/public/%2",
        "/public/%c0%ae%c0%ae/api",
        "/public/%25%32%65%25%32%65/api",
        "/public/..;x=1/api",
        "/public/%2e%2e;/api",
        "/public/..%3b/api",
    ];
    for target in refused {
        let reply = world.raw(get(&world, target, None)).await;
        assert!(
            [400, 401, 404].contains(&reply.status()),
            "{target} → {}",
            reply.text()
        );
    }
    for target in [
        "/public/x",
        "/public/a%20b",
        "/public/%25",
        "/public/x.y..z",
        "/public/...",
        "/public/~a-b_c",
    ] {
        assert_eq!(
            world.raw(get(&world, target, None)).await.status(),
            200,
            "{target}"
        );
    }
    for seen in world.upstream.seen() {
        assert!(seen.target.starts_with("/public"), "{seen:?}");
    }
    for target in [
        "/api/private?x=/public/ok",
        "/api/private?/public/",
        "/api/private/",
        "/api",
        "/api?x",
    ] {
        let reply = world.raw(get(&world, target, None)).await;
        assert_eq!(
            (reply.status(), reply.code().as_deref()),
            (401, Some("session_missing")),
            "{target}"
        );
    }
    for target in ["/API/private", "/Api", "/apix", "/pub", "/publicx/y"] {
        assert_eq!(
            world.raw(get(&world, target, None)).await.status(),
            404,
            "{target}"
        );
    }
}

#[tokio::test]
async fn unreserved_characters_are_decoded_once_before_matching() {
    let world = World::new().await;
    assert_eq!(
        world.raw(get(&world, "/%61pi/x", None)).await.code().as_deref(),
        Some("session_missing")
    );
    assert_eq!(world.raw(get(&world, "/p%75blic/%7Ex", None)).await.status(), 200);
    assert_eq!(world.upstream.last().target, "/public/~x");
    // `%25` passes, as it is.
    assert_eq!(world.raw(get(&world, "/public/100%25", None)).await.status(), 200);
    assert_eq!(world.upstream.last().target, "/public/100%25");
    for target in ["/public/%2561pi", "/public/%253b"] {
        let reply = world.raw(get(&world, target, None)).await;
        assert_eq!(reply.status(), 200, "{target}");
        assert_eq!(world.upstream.last().target, target);
    }
}

#[tokio::test]
async fn a_semicolon_or_a_capital_cannot_choose_another_route() {
    let routes = r#"
[[app.route]]
path = "/files"
upstream = "{upstream}"
session = "none"
token = "none"
[[app.route]]
path = "/files/private"
upstream = "{upstream}"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    for (target, status) in [
        ("/files/a;x=1", 200),
        ("/files/private;x=1", 400),
        ("/files;x/private", 400),
        ("/files/PRIVATE/x", 404),
        ("/files/Private", 404),
        ("/files/private/x", 401),
        ("/files/privates", 200),
    ] {
        let reply = world.raw(get(&world, target, None)).await;
        assert_eq!(reply.status(), status, "{target} → {}", reply.text());
    }
}

#[tokio::test]
async fn an_encoded_slash_passes_only_where_the_route_says_so() {
    let routes = r#"
[[app.route]]
path = "/items"
upstream = "{upstream}"
session = "none"
token = "none"
encoded_slash = "pass"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    assert_eq!(world.raw(get(&world, "/items/a%2Fb", None)).await.status(), 200);
    assert_eq!(world.upstream.last().target, "/items/a%2Fb");
    for target in ["/items/..%2f..%2fapi", "/items/%2e%2e%2fx", "/items/%5cx"] {
        assert_eq!(
            world.raw(get(&world, target, None)).await.status(),
            400,
            "{target}"
        );
    }
}

#[tokio::test]
async fn query_and_path_are_forwarded_byte_for_byte() {
    // P-11.
    let world = World::new().await;
    for target in [
        "/public/a?x=%2e%2e/%2f&y=a+b&&=;%zz",
        "/public?",
        "/public/a%20b?q=%41",
        "/public/?a[]=1|2",
    ] {
        assert_eq!(
            world.raw(get(&world, target, None)).await.status(),
            200,
            "{target}"
        );
        assert_eq!(world.upstream.last().target, target);
    }
}

#[tokio::test]
async fn a_prefix_may_be_stripped_and_a_path_of_the_upstream_put_before() {
    let routes = r#"
[[app.route]]
path = "/a/b"
upstream = "{upstream}/base"
strip_path = true
session = "none"
token = "none"
[[app.route]]
path = "/c"
upstream = "{upstream}/base/"
session = "none"
token = "none"
"#;
    let world = World::with(Plan {
        routes: Some(routes.into()),
        ..Plan::default()
    })
    .await;
    for (target, seen) in [
        ("/a/b/x?y", "/base/x?y"),
        ("/a/b", "/base/"),
        ("/c/x", "/base/c/x"),
    ] {
        assert_eq!(world.raw(get(&world, target, None)).await.status(), 200);
        let forwarded = world.upstream.last().target;
        assert!(
            forwarded == seen || forwarded == seen.trim_end_matches('/'),
            "{target} → {forwarded}"
        );
    }
}

#[tokio::test]
async fn the_app_is_chosen_by_host_and_nothing_else() {
    // Attacks 20, 23, 211.
    let world = World::new().await;
    let port = world.address.port();
    let ask = |host: &str, more: &str| format!("GET /public/x HTTP/1.1\r\nhost: {host}\r\n{more}\r\n");
    for host in [
        format!("app.localhost:{port}"),
        format!("APP.LocalHost:{port}"),
        format!("app.localhost.:{port}"),
    ] {
        assert_eq!(world.raw(ask(&host, "")).await.status(), 200, "{host}");
    }
    for host in [
        "evil.test".to_owned(),
        "app.localhost:1".into(),
        "app.localhost".into(),
        format!("app.localhost:{port}@evil.test"),
        "app.localhost:evil".into(),
        format!("127.0.0.1:{port}"),
        String::new(),
    ] {
        let reply = world
            .raw(ask(
                &host,
                &format!(
                    "x-forwarded-host: app.localhost:{port}\r\nforwarded: host=app.localhost:{port}\r\n"
                ),
            ))
            .await;
        assert!(
            [400, 404, 421].contains(&reply.status()),
            "{host}: {}",
            reply.text()
        );
    }
    assert_eq!(world.upstream.count(), 3);
    let two = format!(
        "GET /public/x HTTP/1.1\r\nhost: {}\r\nhost: evil.test\r\n\r\n",
        world.host()
    );
    assert_eq!(world.raw(two).await.status(), 400);
    let none = "GET /public/x HTTP/1.1\r\n\r\n";
    assert_eq!(world.raw(none).await.status(), 400);
    for absolute in [
        "http://evil.test".to_owned(),
        format!("http://evil.test@{}", world.host()),
        format!("ftp://{}", world.host()),
    ] {
        let ask = format!(
            "GET {absolute}/public/x HTTP/1.1\r\nhost: {}\r\n\r\n",
            world.host()
        );
        let reply = world.raw(ask).await;
        assert!(
            [400, 404, 421].contains(&reply.status()),
            "{absolute}: {}",
            reply.text()
        );
    }
    assert_eq!(world.upstream.count(), 3);
}

#[tokio::test]
async fn too_long_a_target_or_too_large_a_head_is_named() {
    let world = World::new().await;
    let long = world
        .raw(get(&world, &format!("/public/{}", "a".repeat(20_000)), None))
        .await;
    assert_eq!(
        (long.status(), long.code().as_deref()),
        (414, Some("uri_too_long"))
    );
    let large = format!(
        "GET /public/x HTTP/1.1\r\nhost: {}\r\nx-large: {}\r\n\r\n",
        world.host(),
        "a".repeat(40_000)
    );
    let reply = world.raw(large).await;
    assert_eq!(
        (reply.status(), reply.code().as_deref()),
        (431, Some("headers_too_large"))
    );
    let absurd = format!(
        "GET /public/x HTTP/1.1\r\nhost: {}\r\nx-large: {}\r\n\r\n",
        world.host(),
        "a".repeat(2_000_000)
    );
    assert!([431, 0].contains(&world.raw(absurd).await.status()));
    assert_eq!(world.upstream.count(), 0);
}
