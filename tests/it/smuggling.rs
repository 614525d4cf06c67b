//! Bytes that two parsers could read in two ways. Standard P-10; attacks J.

use crate::world::World;

#[tokio::test]
async fn a_request_with_two_readings_is_refused_and_the_connection_closed() {
    // Attacks 154, 155.
    let world = World::new().await;
    let host = world.host();
    let second = format!("GET /public/admin HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let heads = [
        "content-length: 6\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 6\r\n",
        "content-length: 6\r\ncontent-length: 7\r\n",
        "content-length: +6\r\n",
        "content-length: 6,6\r\n",
        "content-length: -1\r\n",
        "content-length: 0x6\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n",
        "x: y\r\n folded: 1\r\n",
        "x y: z\r\n",
        ": empty\r\n",
        "x: a\x00b\r\n",
    ];
    for head in heads {
        let request = format!("POST /public/x HTTP/1.1\r\nhost: {host}\r\n{head}\r\n0\r\n\r\nX{second}");
        let reply = world.raw(&request).await;
        assert!(
            reply.status() == 400 || reply.status() == 0,
            "{head:?} → {}",
            reply.text()
        );
        assert!(reply.answers() <= 1, "{head:?} → {}", reply.text());
        assert!(reply.closed, "{head:?}: the connection stays open");
    }
    let old = format!(
        "POST /public/x HTTP/1.0\r\nhost: {host}\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n0\r\n\r\n{second}"
    );
    let reply = world.raw(&old).await;
    assert!(reply.answers() <= 1 && reply.status() != 200, "{}", reply.text());
    for seen in world.upstream.seen() {
        assert_ne!(seen.target, "/public/admin", "{seen:?}");
    }
}

#[tokio::test]
async fn an_old_client_gets_one_answer_and_is_told_so() {
    // Attack 155.
    let world = World::new().await;
    let ask = format!(
        "GET /public/x HTTP/1.0\r\nhost: {}\r\nconnection: keep-alive\r\n\r\n",
        world.host()
    );
    let reply = world.raw(ask).await;
    assert_eq!(
        (reply.status(), reply.header("connection").as_deref()),
        (200, Some("close"))
    );
    assert!(reply.closed);
}

#[tokio::test]
async fn chunks_that_lie_about_their_size_never_become_a_second_request() {
    let world = World::new().await;
    let host = world.host();
    for body in [
        "zz\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
    ] {
        let request = format!(
            "POST /public/x HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\n{body}GET /public/admin HTTP/1.1\r\nhost: {host}\r\n\r\n"
        );
        let reply = world.raw(&request).await;
        assert!(reply.answers() <= 1, "{body:?} → {}", reply.text());
        assert_ne!(reply.status(), 200, "{body:?}");
    }
    assert!(
        world
            .upstream
            .seen()
            .iter()
            .all(|seen| seen.target != "/public/admin")
    );
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let world = World::new().await;
    let one = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{more}\r\n", world.host());
    let reply = world
        .raw(one("/public/1", "") + &one("/nothing", "") + &one("/public/3", "connection: close\r\n"))
        .await;
    let statuses: Vec<&str> = reply
        .bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|line| &line[..3])
        .collect();
    assert_eq!(statuses.first(), Some(&"200"), "{}", reply.text());
    let targets: Vec<String> = world
        .upstream
        .seen()
        .iter()
        .map(|seen| seen.target.clone())
        .collect();
    assert!(
        targets == ["/public/1", "/public/3"] || targets == ["/public/1"],
        "{targets:?}"
    );
}

#[tokio::test]
async fn a_refused_call_does_not_ask_for_its_body() {
    // Attack 167, P-29.
    let world = World::new().await;
    let expect = format!(
        "POST /api/x HTTP/1.1\r\nhost: {}\r\ntoken-handler-version: 1\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n",
        world.host()
    );
    let reply = world.raw(expect).await;
    assert_eq!(reply.status(), 401, "{}", reply.text());
    let allowed = format!(
        "POST /public/x HTTP/1.1\r\nhost: {}\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\nhello",
        world.host()
    );
    let reply = world.raw(allowed).await;
    assert!(reply.text().contains("HTTP/1.1 200"), "{}", reply.text());
    assert_eq!(world.upstream.last().body, b"hello");
}
