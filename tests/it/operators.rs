//! The admin listener of the binary: who gets in, what machines ask, what is counted (G-05, G-08, attack 185).

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::operator::{asked, bearer, get, plan, service, signed_in};
use crate::world::{Binary, Plan, TestClock, raw};

/// Closed to browsers, to strangers, and to guesses; nothing is revoked by any of it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_in() {
    let service = service().await;
    let browser = signed_in(&service, "alice").await;
    let everything = json!({ "before": TestClock::of_the_machine().secs() }).to_string();
    for path in ["/livez", "/readyz", "/metrics", "/sessions", "/nothing"] {
        for field in [
            "Origin: http://evil.example\r\n",
            "Origin: null\r\n",
            "Sec-Fetch-Site: same-origin\r\n",
            "Sec-Fetch-Mode: navigate\r\n",
            "sec-fetch-anything: x\r\n",
        ] {
            let reply = asked(&service, "GET", path, &format!("{field}{}", bearer()), "").await;
            assert_eq!(
                (reply.status(), reply.code().as_deref()),
                (403, Some("forbidden")),
                "{path} {field}"
            );
            assert!(reply.header("access-control-allow-origin").is_none());
        }
    }
    let origin = format!("Origin: http://evil.example\r\n{}", bearer());
    let reply = asked(&service, "POST", "/revoke", &origin, &everything).await;
    assert_eq!(reply.status(), 403);
    for (method, path, body) in [("GET", "/sessions", ""), ("POST", "/revoke", &*everything)] {
        for fields in [
            "",
            "Authorization: Basic YTpi\r\n",
            "Authorization: Bearer\r\n",
            "Authorization: Bearer wrong\r\n",
        ] {
            let reply = asked(&service, method, path, fields, body).await;
            assert_eq!(
                (reply.status(), reply.code().as_deref()),
                (401, Some("token_invalid")),
                "{path} {fields}"
            );
            assert_eq!(
                reply.header("www-authenticate").as_deref(),
                Some("Bearer error=\"invalid_token\"")
            );
        }
    }
    assert_eq!(browser.get("/api/x").await.status, 200);
}

/// Attack 185: none of it exists where browsers come, and there is no other listener unless it is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_has_none_of_it() {
    for plan in [plan(), Plan::default()] {
        let service = Binary::serve(&plan).await;
        for (method, path) in [
            ("GET", "/livez"),
            ("GET", "/readyz"),
            ("GET", "/metrics"),
            ("GET", "/sessions"),
            ("POST", "/revoke"),
            ("GET", "/oauth-agent/metrics"),
            ("GET", "/oauth-agent/diagnostics"),
            ("GET", "/debug"),
            ("GET", "/admin"),
        ] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: app.localhost:{}\r\n{}Connection: close\r\nContent-Length: 0\r\n\r\n",
                service.address().port(),
                bearer()
            );
            let reply = raw(service.address(), request.as_bytes()).await;
            assert_eq!(reply.status(), 404, "{method} {path}: {}", reply.text());
        }
    }
}

/// A token that is written anew counts from the reload on; the address does not change without a restart.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_read_again_at_a_reload() {
    let mut service = service().await;
    let file = service.folder.path().join("admin-token");
    std::fs::write(&file, "another.token.of.the.tests.012345\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let moved = plan();
    service
        .reload(&Plan {
            top: moved.top.replace("env:ADMIN_TOKEN", "file:admin-token"),
            ..moved
        })
        .await;
    let old = asked(&service, "GET", "/sessions", &bearer(), "").await;
    assert_eq!(old.status(), 401);
    let new = "Authorization: Bearer another.token.of.the.tests.012345\r\n";
    assert_eq!(asked(&service, "GET", "/sessions", new, "").await.status(), 200);
}

/// Liveness goes on, readiness says no from the signal on, until the last request is done.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_no_while_the_service_drains() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routes = format!(
        "[[app.route]]\npath = \"/public\"\nupstream = \"http://{}\"\nsession = \"none\"\ntoken = \"none\"\n",
        upstream.local_addr().unwrap()
    );
    let mut service = Binary::serve(&Plan {
        routes: Some(routes),
        ..plan()
    })
    .await;
    // Whatever becomes of the provider.
    service.provider.instead(
        "/.well-known/openid-configuration",
        crate::world::provider::Instead::html(500),
    );
    assert_eq!(get(&service, "/readyz").await.status(), 200);
    let mut client = TcpStream::connect(service.address()).await.unwrap();
    let request = format!(
        "GET /public HTTP/1.1\r\nHost: app.localhost:{}\r\n\r\n",
        service.address().port()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut held, _) = upstream.accept().await.unwrap();
    held.read_exact(&mut [0; 16]).await.unwrap();

    service.signal("TERM");
    service.wait_for("\"draining\"").await;
    let mut ready = get(&service, "/readyz").await;
    // The log line and the flag are two steps.
    while ready.status() == 200 {
        ready = get(&service, "/readyz").await;
    }
    assert_eq!(ready.status(), 503, "{}", ready.text());
    assert_eq!(get(&service, "/livez").await.status(), 200);
    assert!(
        get(&service, "/metrics")
            .await
            .text()
            .contains("\ncloakroom_draining 1\n")
    );

    held.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        .await
        .unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(b"ok"));
    service.wait_for("\"stopped\"").await;
    assert!(TcpStream::connect(service.admin.unwrap()).await.is_err());
}

/// What operators need, in the format that a scraper reads; and nothing of anybody (G-01, G-05).
#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_happened_and_to_nobody_in_particular() {
    let mut service = service().await;
    let browser = signed_in(&service, "alice").await;
    let saved = browser.copy();
    assert_eq!(browser.post("/oauth-agent/refresh", &json!({})).await.status, 200);
    assert_eq!(browser.get("/nowhere/alice").await.status, 404);
    assert_eq!(
        browser
            .fetch(Method::POST, "/oauth-agent/logout")
            .send()
            .await
            .status,
        200
    );
    assert_eq!(saved.get("/api/x").await.status, 401);
    service.hang_up("nonsense");
    service.wait_for("reload_refused").await;

    let mut reply = get(&service, "/metrics").await;
    while !reply.text().contains("outcome=\"refused\"} 1") {
        reply = get(&service, "/metrics").await;
    }
    assert_eq!(
        reply.header("content-type").as_deref(),
        Some("text/plain; version=0.0.4")
    );
    let text = reply.text();
    let of = |series: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{series} ")));
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    };
    for (series, at_least) in [
        ("cloakroom_logins_total{app=\"shop\",outcome=\"ok\"}", 1),
        ("cloakroom_renewals_total{app=\"shop\",outcome=\"renewed\"}", 1),
        (
            "cloakroom_sessions_ended_total{app=\"shop\",reason=\"logged_out\"}",
            1,
        ),
        (
            "cloakroom_refusals_total{app=\"shop\",code=\"session_revoked\"}",
            1,
        ),
        (
            "cloakroom_requests_total{app=\"shop\",class=\"2xx\",source=\"upstream\"}",
            1,
        ),
        (
            "cloakroom_requests_total{app=\"shop\",class=\"4xx\",source=\"cloakroom\"}",
            2,
        ),
        ("cloakroom_reloads_total{outcome=\"done\"}", 1),
        ("cloakroom_connections_accepted_total", 1),
        ("cloakroom_store_up", 1),
    ] {
        assert!(of(series) >= at_least, "{series}\n{text}");
    }
    for purpose in ["at", "rt", "id", "login"] {
        let opened = text.lines().any(|line| {
            line.starts_with("cloakroom_cookie_opens_total")
                && line.contains(&format!("purpose=\"{purpose}\""))
        });
        assert!(opened, "{purpose}\n{text}");
    }
    assert!(!text.contains("alice") && !text.contains("nowhere"), "{text}");
    for token in service.provider.issued() {
        assert!(!text.contains(&token));
    }
}
