//! Operators and the binary: sessions are listed, revoked, and useless from then on (O-22, contract §7, §9).

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::binary::ADMIN_TOKEN;
use crate::world::jar::From;
use crate::world::operator::{asked, body_of, list, plan, revoke, service, signed_in};
use crate::world::{Binary, Browser, Plan, TestClock};

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

/// docs/how-to/administration.md: the key that is made there is a token, and each file that is shown there ends what it says.
#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_the_manual_do_what_it_says() {
    let page = include_str!("../../docs/how-to/administration.md");
    let mut service = service().await;
    let folder = service.folder.path();
    std::fs::create_dir(folder.join("keys")).unwrap();
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_cloakroom"))
        .args(["keys", "generate", "--out", "keys/admin-token"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(made.success());
    let token = std::fs::read_to_string(folder.join("keys/admin-token")).unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim_end());
    let moved = plan();
    service
        .reload(&Plan {
            top: moved.top.replace("env:ADMIN_TOKEN", "file:keys/admin-token"),
            ..moved
        })
        .await;
    let files: Vec<&str> = page
        .lines()
        .filter_map(|line| line.split_once("| `{")?.1.split_once("}` |"))
        .map(|(file, _)| file)
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let browser = signed_in(&service, "alice").await;
        let listed = asked(&service, "GET", "/sessions?sub=alice", &bearer, "").await;
        let sid = body_of(&listed)["sessions"][0]["sid"]
            .as_str()
            .unwrap()
            .to_owned();
        let body = format!("{{{file}}}")
            .replace("5e1f0c9a2b7d4e6f8a1b3c5d7e9f0a2b", &sid)
            .replace("https://login.example.com", &service.provider.issuer)
            .replace(
                "\"2026-11-26T09:00:00Z\"",
                &(TestClock::of_the_machine().secs() + 1).to_string(),
            );
        let done = asked(&service, "POST", "/revoke", &bearer, &body).await;
        assert_eq!(done.status(), 200, "{body}: {}", done.text());
        assert_eq!(
            browser.get("/api/x").await.code().as_deref(),
            Some("session_revoked"),
            "{body}"
        );
    }
}
