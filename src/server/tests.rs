//! Bytes on a socket. What the handler answers is told elsewhere; here it is the listener's own manners.

mod shutdown;

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::gate::tests::app;
use crate::handler::tests::{echo, handler, routes};

mod endings;

struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

async fn listening_to(upstream: &str, bounds: Bounds) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = handler(app(), routes(upstream));
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        serve_within(vec![listener], handler, async { drop(stopped.await) }, bounds).await;
    });
    Listening {
        address,
        stop: Some(stop),
        serving,
    }
}

async fn listening() -> Listening {
    listening_to(&echo().await, Bounds::default()).await
}

impl Listening {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends and reads to the end of the connection.
    async fn all(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        // The service may refuse before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        to_end(stream).await
    }
}

async fn to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// Reads one answer with a length.
async fn one(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let read = String::from_utf8_lossy(&text);
        if let Some((head, body)) = read.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return read.into_owned();
            }
        }
        text.push(stream.read_u8().await.unwrap());
    }
}

const GET: &str = "GET /public/a HTTP/1.1\r\nhost: shop.example.com\r\n\r\n";

// P-10, attacks 154, 155, 23: each is refused, closes, and nothing behind it is served.
#[tokio::test]
async fn heads_with_two_readings_are_refused_and_closed() {
    let listening = listening().await;
    let host = "host: shop.example.com\r\n";
    for (name, head) in [
        (
            "both",
            format!(
                "POST /public/a HTTP/1.1\r\n{host}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nX"
            ),
        ),
        (
            "both, turned",
            format!(
                "POST /public/a HTTP/1.1\r\n{host}transfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n0\r\n\r\nX"
            ),
        ),
        (
            "two lengths",
            format!("POST /public/a HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        ),
        (
            "signed length",
            format!("POST /public/a HTTP/1.1\r\n{host}content-length: +1\r\n\r\na"),
        ),
        (
            "xchunked",
            format!("POST /public/a HTTP/1.1\r\n{host}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "gzip, chunked",
            format!("POST /public/a HTTP/1.1\r\n{host}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "chunked on 1.0",
            format!("POST /public/a HTTP/1.0\r\n{host}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "obs-fold",
            format!("GET /public/a HTTP/1.1\r\n{host}x: a\r\n b\r\n\r\n"),
        ),
        (
            "space before colon",
            format!("GET /public/a HTTP/1.1\r\n{host}x : a\r\n\r\n"),
        ),
        (
            "bare line feed",
            format!("GET /public/a HTTP/1.1\r\n{host}x: a\ny: b\r\n\r\n"),
        ),
        (
            "bare line feeds only",
            "GET /public/a HTTP/1.1\nhost: shop.example.com\n\n".to_owned(),
        ),
        ("NUL", format!("GET /public/a HTTP/1.1\r\n{host}x: a\0b\r\n\r\n")),
        ("fragment", format!("GET /public/a#b HTTP/1.1\r\n{host}\r\n")),
        ("no host", "GET /public/a HTTP/1.1\r\n\r\n".to_owned()),
        ("no host on 1.0", "GET /public/a HTTP/1.0\r\n\r\n".to_owned()),
        ("two hosts", format!("GET /public/a HTTP/1.1\r\n{host}{host}\r\n")),
        (
            "another host in the target",
            format!("GET http://evil.test/public/a HTTP/1.1\r\n{host}\r\n"),
        ),
        (
            "connect",
            format!("CONNECT shop.example.com:443 HTTP/1.1\r\n{host}\r\n"),
        ),
        (
            "asterisk",
            format!("OPTIONS * HTTP/1.1\r\n{host}connection: close\r\n\r\n"),
        ),
    ] {
        let answer = listening.all(&format!("{head}{GET}")).await;
        let status = answer.lines().next().unwrap_or_default();
        assert!(
            status.starts_with("HTTP/1.1 400") || status.starts_with("HTTP/1.0 400"),
            "{name}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_chunked_body_with_nonsense_ends_the_connection() {
    let listening = listening().await;
    for chunk in [
        "zz\r\n",
        "2\nab\r\n",
        "2;x=\"\n\"\r\nab\r\n",
        "ffffffffffffffffff\r\n",
        "2\r\nabc\r\n",
    ] {
        let answer = listening
            .all(&format!(
                "POST /public/a HTTP/1.1\r\nhost: shop.example.com\r\ntransfer-encoding: chunked\r\n\r\n{chunk}0\r\n\r\n{GET}"
            ))
            .await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{chunk:?}: {answer}");
    }
}

// Attack 155.
#[tokio::test]
async fn http_1_0_gets_one_answer_and_a_closed_connection() {
    let listening = listening().await;
    let request = "GET /public/a HTTP/1.0\r\nhost: shop.example.com\r\nconnection: keep-alive\r\n\r\n";
    let answer = listening.all(&format!("{request}{request}")).await;
    assert!(
        answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"),
        "{answer}"
    );
    assert_eq!(answer.matches("GET /public/a").count(), 1);
}

// E-08.
#[tokio::test]
async fn an_answer_has_a_date_and_no_banner() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let answer = one(&mut stream).await.to_ascii_lowercase();
    assert!(
        answer.contains("\r\ndate: ") && !answer.contains("\r\nserver: "),
        "{answer}"
    );
}

// Contract §6, E-06.
#[tokio::test]
async fn our_limits_come_before_the_librarys() {
    let listening = listening().await;
    let host = "host: shop.example.com\r\n";
    for (head, status, code) in [
        (
            format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(9_000)),
            414,
            "uri_too_long",
        ),
        (
            format!("GET /x HTTP/1.1\r\n{host}x: {}\r\n\r\n", "y".repeat(40_000)),
            431,
            "headers_too_large",
        ),
        (
            format!("GET /x HTTP/1.1\r\n{host}{}\r\n", "x: y\r\n".repeat(97)),
            431,
            "headers_too_large",
        ),
    ] {
        let answer = listening.all(&head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer:.200}");
        assert!(
            answer.contains(&format!("token-handler-error: {code}")),
            "{answer:.500}"
        );
    }
    let answer = listening
        .all(&format!(
            "GET /x HTTP/1.1\r\n{host}{}\r\n",
            "x: y\r\n".repeat(5_000)
        ))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 431"),
        "the library's own: {answer:.200}"
    );
}

// Attacks 164, 167.
#[tokio::test]
async fn a_refused_upload_is_answered_without_asking_for_it() {
    let listening = listening().await;
    let answer = listening
        .all("POST /api/a HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 10000000000\r\nexpect: 100-continue\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let mut stream = listening.connect().await;
    let head = "POST /public/a HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 10000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The client sends on regardless; the answer must reach it all the same.
    let _ = stream.write_all(&vec![b'x'; 100_000]).await;
    let answer = to_end(stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"),
        "{answer}"
    );
}

#[tokio::test]
async fn expect_continue_is_answered_when_the_body_is_wanted() {
    let listening = listening().await;
    let mut stream = listening.connect().await;
    let head = "POST /public/a HTTP/1.1\r\nhost: shop.example.com\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ab").await.unwrap();
    let answer = one(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        !answer.contains("expect:"),
        "not our upstream's business: {answer}"
    );
}

#[tokio::test]
async fn beyond_the_limit_the_next_are_told_so_and_those_after_are_closed() {
    let bounds = Bounds {
        connections: 1,
        refused_at_once: 1,
        ..Bounds::default()
    };
    let listening = listening_to(&echo().await, bounds).await;
    let mut first = listening.connect().await;
    first.write_all(GET.as_bytes()).await.unwrap();
    one(&mut first).await;

    let mut second = listening.connect().await;
    second.write_all(b"G").await.unwrap();
    assert_eq!(listening.all("").await, "", "there is no room to tell the third");
    second
        .write_all(GET.trim_start_matches('G').as_bytes())
        .await
        .unwrap();
    let answer = to_end(second).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    for field in [
        "token-handler-error: overloaded",
        "retry-after: 1",
        "connection: close",
    ] {
        assert!(answer.contains(field), "{answer}");
    }

    first.write_all(GET.as_bytes()).await.unwrap();
    assert!(
        one(&mut first).await.starts_with("HTTP/1.1 200"),
        "the first is not disturbed"
    );
}
