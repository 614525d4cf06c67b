//! Operators and the binary: sessions are listed, revoked, and useless from then on (O-22, contract §7, §9).

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::binary::{ADMIN_TOKEN, Binary};
use crate::world::jar::From;
use crate::world::raw::{RawReply, raw};
use crate::world::{Browser, Plan, TestClock};

fn plan() -> Plan {
    Plan {
        top: "[admin]\nlisten = \"127.0.0.1:0\"\ntoken = \"env:ADMIN_TOKEN\"\n".to_owned(),
        ..Plan::default()
    }
}

async fn service() -> Binary {
    Binary::serve(&plan()).await
}

/// Asks as `curl` does, with these fields besides.
async fn asked(service: &Binary, method: &str, target: &str, fields: &str, body: &str) -> RawReply {
    let address = service.admin.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\nConnection: close\r\n\
         Content-Length: {}\r\n{fields}\r\n{body}",
        body.len()
    );
    raw(address, request.as_bytes()).await
}

async fn get(service: &Binary, target: &str) -> RawReply {
    asked(service, "GET", target, "", "").await
}

fn body_of(reply: &RawReply) -> Value {
    let text = reply.text();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn bearer() -> String {
    format!("Authorization: Bearer {ADMIN_TOKEN}\r\n")
}

async fn list(service: &Binary, query: &str) -> Value {
    let reply = asked(service, "GET", &format!("/sessions{query}"), &bearer(), "").await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    assert_eq!(reply.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(reply.header("cache-control").as_deref(), Some("no-store"));
    body_of(&reply)
}

async fn revoke(service: &Binary, body: &Value) -> (u16, Value) {
    let reply = asked(service, "POST", "/revoke", &bearer(), &body.to_string()).await;
    (reply.status(), body_of(&reply))
}

async fn signed_in(service: &Binary, user: &str) -> Browser {
    let browser = service.browser();
    let url = browser.start_login(&json!({})).await;
    let back = service.provider.approve_as(&url, user);
    let landed = browser.come_back(&back).await;
    assert!(landed.location_parameter("login_error").is_none(), "{landed:?}");
    assert_eq!(browser.get("/api/x").await.status, 200);
    browser
}

/// A copy of the cookies is as useless as the jar they came from, and `GET session` says why.
async fn assert_revoked(browser: &Browser, copy: &Browser) {
    for holder in [copy, browser] {
        let refused = holder.get("/api/x").await;
        assert_eq!(refused.code().as_deref(), Some("session_revoked"), "{refused:?}");
        assert_eq!(refused.status, 401);
    }
    assert_eq!(
        copy.session().await,
        json!({ "is_logged_in": false, "reason": "revoked" })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_found_and_revoked_and_its_saved_cookie_is_useless() {
    let mut service = service().await;
    let (one, other) = (
        signed_in(&service, "alice").await,
        signed_in(&service, "alice").await,
    );
    signed_in(&service, "bob").await;
    let saved = one.copy();

    let listed = list(&service, "").await;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 3);
    let alices = list(&service, "?sub=alice").await;
    let alices = alices["sessions"].as_array().unwrap();
    assert_eq!(alices.len(), 2, "{alices:?}");
    // Newest first: the last one is the one that signed in first.
    let session = alices.last().unwrap();
    assert_eq!(session["app"], "shop");
    assert_eq!(session["iss"], *service.provider.issuer);
    assert_eq!(session["sub"], "alice");
    assert!(session["started"].as_str().unwrap().ends_with('Z'), "{session}");
    assert!(session["until"].as_str() > session["started"].as_str());
    let members: Vec<_> = session.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["app", "iss", "sid", "started", "sub", "until"]);

    let done = revoke(&service, &json!({ "sid": session["sid"] })).await;
    assert_eq!(done, (200, json!({ "ended": 1 })));
    assert_revoked(&one, &saved).await;
    assert_eq!(other.get("/api/x").await.status, 200);
    let left = list(&service, "?sub=alice").await;
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);

    // Once more: it has ended already. One that nobody ever had is not known.
    let again = revoke(&service, &json!({ "sid": session["sid"] })).await;
    assert_eq!(again, (200, json!({ "ended": 0 })));
    let (status, said) = revoke(&service, &json!({ "sid": "0".repeat(32) })).await;
    assert_eq!(
        (status, said["error_code"].as_str()),
        (404, Some("route_not_found"))
    );

    // Said in the log, and nobody is named there.
    let line = service.wait_for("sessions_revoked").await;
    assert!(
        line.contains("\"what\":\"session\"") && line.contains("\"ended\":1"),
        "{line}"
    );
    for secret in [session["sid"].as_str().unwrap(), "alice", ADMIN_TOKEN] {
        assert!(!line.contains(secret), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_is_revoked_on_every_device_and_may_sign_in_again() {
    let service = service().await;
    let phone = signed_in(&service, "alice").await;
    let laptop = signed_in(&service, "alice").await;
    let bob = signed_in(&service, "bob").await;
    let (saved_phone, saved_laptop) = (phone.copy(), laptop.copy());
    let issuer = service.provider.issuer.clone();
    let done = revoke(&service, &json!({ "iss": issuer, "sub": "alice" })).await;
    assert_eq!(done, (200, json!({ "ended": 2 })));
    assert_revoked(&phone, &saved_phone).await;
    assert_revoked(&laptop, &saved_laptop).await;
    assert_eq!(bob.get("/api/x").await.status, 200);
    // A later login is another session.
    signed_in(&service, "alice").await;
    // Nobody of that name was there: nothing to count, and still an end.
    let done = revoke(&service, &json!({ "iss": issuer, "sub": "carol" })).await;
    assert_eq!(done, (200, json!({ "ended": 0 })));
    let (status, _) = revoke(
        &service,
        &json!({ "iss": "https://elsewhere.example", "sub": "bob" }),
    )
    .await;
    assert_eq!(status, 404);
    assert_eq!(bob.get("/api/x").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_before_a_time_is_revoked() {
    let service = service().await;
    let (alice, bob) = (
        signed_in(&service, "alice").await,
        signed_in(&service, "bob").await,
    );
    let (saved_alice, saved_bob) = (alice.copy(), bob.copy());
    // Nobody was there in 2020, in either way of writing it.
    for long_ago in [json!("2020-01-01T00:00:00Z"), json!(1_577_836_800)] {
        let done = revoke(&service, &json!({ "before": long_ago })).await;
        assert_eq!(done, (200, json!({ "ended": 0 })));
    }
    assert_eq!(alice.get("/api/x").await.status, 200);
    let (status, _) = revoke(&service, &json!({ "before": "2999-01-01T00:00:00Z" })).await;
    assert_eq!(status, 400);
    // Half a minute ahead, as a clock may be: all that have begun, none that will.
    let soon = TestClock::of_the_machine().secs() + 30;
    let done = revoke(&service, &json!({ "before": soon })).await;
    assert_eq!(done, (200, json!({ "ended": 2 })));
    assert_revoked(&alice, &saved_alice).await;
    assert_revoked(&bob, &saved_bob).await;
    signed_in(&service, "alice").await;
}

/// Contract §9: within two seconds, and broken off instead of ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_with_its_session() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routes = format!(
        "[[app.route]]\npath = \"/api/stream\"\nupstream = \"http://{}\"\n\
         [[app.route]]\npath = \"/api\"\nupstream = \"{{upstream}}\"\n",
        upstream.local_addr().unwrap()
    );
    let service = Binary::serve(&Plan {
        routes: Some(routes),
        ..plan()
    })
    .await;
    let browser = signed_in(&service, "alice").await;
    let cookies = browser.jar().header("/api/stream", From::SameSite).unwrap();
    let mut page = TcpStream::connect(service.address()).await.unwrap();
    let request = format!(
        "GET /api/stream HTTP/1.1\r\nHost: app.localhost:{}\r\ntoken-handler-version: 1\r\nCookie: {cookies}\r\n\r\n",
        service.address().port()
    );
    page.write_all(request.as_bytes()).await.unwrap();
    let (mut api, _) = upstream.accept().await.unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
                8\r\ndata: 1\n\r\n";
    api.write_all(head.as_bytes()).await.unwrap();
    let mut begun = vec![0; 1];
    page.read_exact(&mut begun).await.unwrap();
    let sid = list(&service, "").await["sessions"][0]["sid"].clone();
    assert_eq!(revoke(&service, &json!({ "sid": sid })).await.0, 200);
    let revoked = Instant::now();
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = page.read_to_end(&mut rest).await;
    let took = revoked.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it looks like a whole answer");
}

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
