//! An upstream that is down, slow, cut off or senseless, and bodies beyond their limit. Standards P-12, P-16; attacks J.

use serde_json::json;

use crate::world::upstream::Answer;
use crate::world::{Plan, World};

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
        streamed.push_str("100\r\n");
        streamed.push_str(&"x".repeat(256));
        streamed.push_str("\r\n");
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
