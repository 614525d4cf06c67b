//! Answers that come in pieces (P-24): passed on as they come; event streams may be silent for as long as they like.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::jar::From;
use crate::world::{Browser, Plan, World};

/// A world whose `/api/stream` leads to an upstream that the test plays by hand.
pub async fn world() -> (World, TcpListener) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    let routes = format!(
        "[[app.route]]\npath = \"/api/stream\"\nupstream = \"{url}\"\ncsrf = \"fetch_metadata\"\n\
         stream_idle_timeout = \"{}ms\"\n[[app.route]]\npath = \"/public\"\nupstream = \"{{upstream}}\"\n\
         session = \"none\"\ntoken = \"none\"\n",
        SILENCE.as_millis()
    );
    let plan = Plan {
        routes: Some(routes),
        ..Plan::default()
    };
    (World::with(plan).await, upstream)
}

/// Asks for `/api/stream` as an `EventSource` does, and answers it with a head of this type and a first chunk, in one piece:
/// browser's and upstream's end.
pub async fn open(
    world: &World,
    upstream: &TcpListener,
    browser: &Browser,
    content_type: &str,
    chunk: &str,
) -> (TcpStream, TcpStream) {
    let cookies = browser.jar().header("/api/stream", From::SameSite).unwrap();
    let mut page = TcpStream::connect(world.address).await.unwrap();
    let request = format!(
        "GET /api/stream HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: {cookies}\r\n\r\n",
        world.host()
    );
    page.write_all(request.as_bytes()).await.unwrap();
    let (mut api, _) = upstream.accept().await.unwrap();
    read_until(&mut api, "\r\n\r\n").await;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
    );
    api.write_all(head.as_bytes()).await.unwrap();
    (page, api)
}

pub async fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let mut text = String::new();
    while !text.contains(words) {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "the stream ended before {words:?}: {text}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    text
}

/// Other people use the service for longer than a stream may be silent.
async fn meanwhile(world: &World) {
    let began = Instant::now();
    while began.elapsed() < 3 * SILENCE {
        assert_eq!(world.browser().get("/public/x").await.status, 200);
    }
}

// P-24: not buffered, no timeout between two events, no end when the access token's time is over.
#[tokio::test]
async fn events_arrive_as_they_happen_however_long_it_takes() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (mut page, mut api) = open(
        &world,
        &upstream,
        &browser,
        "text/event-stream; charset=utf-8",
        "d\r\ndata: first\n\n\r\n",
    )
    .await;
    let head = read_until(&mut page, "data: first\n\n").await;
    assert!(head.contains("text/event-stream"), "{head}");

    meanwhile(&world).await;
    world.clock.advance_secs(600);

    api.write_all(b"e\r\ndata: second\n\n\r\n").await.unwrap();
    read_until(&mut page, "data: second\n\n").await;
    api.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut page, "0\r\n\r\n").await;
}

#[tokio::test]
async fn another_stream_that_falls_silent_is_cut() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (mut page, mut api) = open(
        &world,
        &upstream,
        &browser,
        "application/x-ndjson",
        "6\r\nfirst\n\r\n",
    )
    .await;
    let mut text = read_until(&mut page, "first\n").await;
    page.read_to_string(&mut text).await.unwrap();
    assert!(
        !text.contains("\r\n0\r\n"),
        "what was cut must not look whole: {text}"
    );
    assert_eq!(
        api.read(&mut [0; 1]).await.unwrap(),
        0,
        "the upstream is left, too"
    );
}

/// Reads until the connection is closed or breaks.
async fn read_to_its_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _broken = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

// Attack 130, contract §9.
#[tokio::test]
async fn a_stream_ends_with_its_session_and_does_not_look_whole() {
    let (world, upstream) = world().await;
    let (leaving, staying) = (world.signed_in().await, world.signed_in().await);
    let first = "d\r\ndata: first\n\n\r\n";
    let (mut page, mut api) = open(&world, &upstream, &leaving, "text/event-stream", first).await;
    let (mut other_page, mut other_api) = open(&world, &upstream, &staying, "text/event-stream", first).await;
    read_until(&mut page, "data: first\n\n").await;
    read_until(&mut other_page, "data: first\n\n").await;

    let logout = leaving.post("/oauth-agent/logout", &serde_json::json!({})).await;
    assert_eq!(logout.status, 200);
    let rest = read_to_its_end(&mut page).await;
    assert!(!rest.contains("0\r\n\r\n"), "{rest}");
    assert_eq!(
        api.read(&mut [0; 1]).await.unwrap(),
        0,
        "the upstream is left, too"
    );

    other_api.write_all(b"e\r\ndata: second\n\n\r\n").await.unwrap();
    read_until(&mut other_page, "data: second\n\n").await;
}

#[tokio::test]
async fn a_stream_that_flows_all_the_time_ends_with_its_session() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let (mut page, mut api) = open(
        &world,
        &upstream,
        &browser,
        "application/x-ndjson",
        "2\r\n1\n\r\n",
    )
    .await;
    let flowing = tokio::spawn(async move {
        let piece = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
        while api.write_all(piece.as_bytes()).await.is_ok() {}
    });
    read_until(&mut page, "xxx").await;
    browser.post("/oauth-agent/logout", &serde_json::json!({})).await;
    let mut sink = vec![0; 1 << 16];
    while page.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    flowing.await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_at_the_absolute_end() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let first = "d\r\ndata: first\n\n\r\n";
    let (mut page, _api) = open(&world, &upstream, &browser, "text/event-stream", first).await;
    read_until(&mut page, "data: first\n\n").await;
    world.clock.advance_secs(12 * 3600);
    let rest = read_to_its_end(&mut page).await;
    assert!(!rest.contains("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn an_upload_ends_with_its_session() {
    let (world, upstream) = world().await;
    let browser = world.signed_in().await;
    let cookies = browser.jar().header("/api/stream", From::SameSite).unwrap();
    let mut page = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /api/stream HTTP/1.1\r\nHost: {}\r\nToken-Handler-Version: 1\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: {cookies}\r\nTransfer-Encoding: chunked\r\n\r\n",
        world.host()
    );
    page.write_all(head.as_bytes()).await.unwrap();
    let (mut api, _) = upstream.accept().await.unwrap();
    read_until(&mut api, "\r\n\r\n").await;
    let (mut answer, mut request) = page.into_split();
    let uploading = tokio::spawn(async move { while request.write_all(b"1\r\nx\r\n").await.is_ok() {} });
    let taking =
        tokio::spawn(async move { while api.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} });
    browser.post("/oauth-agent/logout", &serde_json::json!({})).await;
    let mut text = String::new();
    let _closed = answer.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 401"), "{text}");
    assert!(text.contains("session_revoked"), "{text}");
    uploading.await.unwrap();
    taking.await.unwrap();
}

const SILENCE: Duration = Duration::from_millis(30);
