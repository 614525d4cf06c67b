//! What arrives upstream, over which connection, and how failures are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::tests::fixture::route;

fn passage(route: Route) -> Passage {
    Passage::new(Arc::new(route), Connector::default(), Passage::new_key())
}

fn target(route: Route, asked: &str, canonical: Option<&str>) -> String {
    passage(route)
        .target(&asked.parse().unwrap(), canonical)
        .into_owned()
}

// P-01, P-11.
#[test]
fn the_target_is_what_was_decided_on_behind_the_base_path() {
    let plain = || route("http://127.0.0.1:1");
    assert_eq!(
        target(plain(), "/api/a?x=%2e&y=/../", None),
        "/api/a?x=%2e&y=/../"
    );
    assert_eq!(target(plain(), "/%61pi/a?", Some("/api/a")), "/api/a?");
    assert_eq!(
        target(plain(), "http://shop.example.com/api/a?b", None),
        "/api/a?b"
    );

    let based = || route("http://127.0.0.1:1/v1/");
    assert_eq!(target(based(), "/api/a?b", None), "/v1/api/a?b");

    let stripped = |upstream| Route {
        strip_path: true,
        ..route(upstream)
    };
    assert_eq!(target(stripped("http://127.0.0.1:1"), "/api", None), "/");
    assert_eq!(target(stripped("http://127.0.0.1:1"), "/api?q", None), "/?q");
    assert_eq!(target(stripped("http://127.0.0.1:1"), "/api/", None), "/");
    assert_eq!(target(stripped("http://127.0.0.1:1"), "/api/a/b", None), "/a/b");
    assert_eq!(target(stripped("http://127.0.0.1:1/v1"), "/api/a", None), "/v1/a");
    assert_eq!(target(stripped("http://127.0.0.1:1/v1"), "/api", None), "/v1");
    let root = Route {
        path: "/".into(),
        ..stripped("http://127.0.0.1:1/v1")
    };
    assert_eq!(target(root, "/x", None), "/v1/x");
}

/// An upstream that plays one script per connection: after each request head it sends the next text.
async fn upstream(scripts: Vec<Vec<&'static str>>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heads);
    tokio::spawn(async move {
        for script in scripts {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(play(stream, script, Arc::clone(&counted)));
        }
    });
    (url, heads)
}

async fn play(mut stream: TcpStream, script: Vec<&'static str>, heads: Arc<AtomicUsize>) {
    for text in script {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        heads.fetch_add(1, Ordering::SeqCst);
        stream.write_all(text.as_bytes()).await.unwrap();
    }
}

async fn ask(
    passage: &Passage,
    method: Method,
    body: RequestBody,
) -> Result<Response<ResponseBody>, Refusal> {
    static HOST: http::HeaderValue = http::HeaderValue::from_static("shop.example.com");
    static VIA: http::HeaderValue = http::HeaderValue::from_static("1.1 cloakroom-1");
    let mut request = http::Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = Uri::from_static("/api/a");
    let (head, ()) = request.into_parts();
    passage
        .forward(Forward {
            head: &head,
            body,
            path: None,
            token: None,
            identity: Identity {
                client: [192, 0, 2, 1].into(),
                host: &HOST,
                scheme: "https",
                via: &VIA,
                request_id: http::HeaderValue::from_static("1"),
            },
        })
        .await
}

async fn text(response: Response<ResponseBody>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

#[tokio::test]
async fn a_connection_is_used_again_after_every_kind_of_end() {
    let nothing = "HTTP/1.1 204 No Content\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 700\r\n\r\n";
    let (url, heads) = upstream(vec![vec![OK, CHUNKED, nothing, head, OK]]).await;
    let passage = passage(route(&url));
    for (method, expected) in [
        (Method::GET, "ok"),
        (Method::GET, "ok"),
        (Method::GET, ""),
        (Method::HEAD, ""),
        (Method::POST, "ok"),
    ] {
        let response = ask(&passage, method, RequestBody::Empty).await.unwrap();
        assert_eq!(text(response).await, expected);
    }
    assert_eq!(
        heads.load(Ordering::SeqCst),
        5,
        "all on the one connection that there was"
    );
}

// Attack 154: nothing that is left on a connection may become part of another answer.
#[tokio::test]
async fn a_connection_with_leftovers_or_an_end_is_not_used_again() {
    for first in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ] {
        let (url, _) = upstream(vec![vec![first, "never"], vec![OK]]).await;
        let passage = passage(route(&url));
        for _ in 0..2 {
            let response = ask(&passage, Method::GET, RequestBody::Empty).await.unwrap();
            assert_eq!(text(response).await, "ok", "{first}");
        }
    }
}

// Attack 154: the body may be on its way.
#[tokio::test]
async fn a_connection_is_not_used_again_where_nothing_is_announced_to_have_a_body() {
    for first in [
        "HTTP/1.1 204 No Content\r\ncontent-length: 4\r\n\r\n",
        "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let (url, _) = upstream(vec![vec![first, "never"], vec![OK]]).await;
        let passage = passage(route(&url));
        for expected in ["", "ok"] {
            let response = ask(&passage, Method::GET, RequestBody::Empty).await.unwrap();
            assert_eq!(text(response).await, expected, "{first}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_takes_its_connection_with_it() {
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok";
    let (url, _) = upstream(vec![vec![long, "never"], vec![OK]]).await;
    let passage = passage(route(&url));
    drop(ask(&passage, Method::GET, RequestBody::Empty).await.unwrap());
    assert_eq!(
        text(ask(&passage, Method::GET, RequestBody::Empty).await.unwrap()).await,
        "ok"
    );
}

// P-12.
#[tokio::test]
async fn only_an_idempotent_request_is_sent_again_and_only_on_a_connection_that_rested() {
    for (method, sent_again) in [(Method::GET, true), (Method::PUT, true), (Method::POST, false)] {
        // The second head on the first connection is read, then the connection dies without a byte.
        let (url, heads) = upstream(vec![vec![OK, ""], vec![OK]]).await;
        let passage = passage(route(&url));
        text(ask(&passage, Method::GET, RequestBody::Empty).await.unwrap()).await;
        let answered = ask(&passage, method.clone(), RequestBody::Empty).await;
        assert_eq!(answered.is_ok(), sent_again, "{method}");
        assert_eq!(
            heads.load(Ordering::SeqCst),
            if sent_again { 3 } else { 2 },
            "{method}"
        );
    }
}

// P-16, attack 166.
#[tokio::test]
async fn answers_that_are_none_are_a_502() {
    let bomb: &'static str = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).leak();
    let many: &'static str = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000)).leak();
    for senseless in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 600 Beyond\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "",
        bomb,
        many,
    ] {
        let (url, _) = upstream(vec![vec![senseless]]).await;
        let refusal = ask(&passage(route(&url)), Method::GET, RequestBody::Empty)
            .await
            .unwrap_err();
        assert_eq!(refusal.code, Code::UpstreamUnavailable, "{senseless:.60}");
        names(&refusal, &url);
    }
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let (url, _) = upstream(vec![vec![early]]).await;
    let response = ask(&passage(route(&url)), Method::GET, RequestBody::Empty)
        .await
        .unwrap();
    assert_eq!(
        (response.status(), text(response).await.as_str()),
        (StatusCode::OK, "ok")
    );
}

#[tokio::test]
async fn nobody_there_is_a_502() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refusal = ask(&passage(route(&url)), Method::GET, RequestBody::Empty)
        .await
        .unwrap_err();
    assert_eq!(refusal.code, Code::UpstreamUnavailable);
    names(&refusal, &url);
}

/// The operator is told which upstream, as it is configured; the client is not.
fn names(refusal: &Refusal, url: &str) {
    let log = refusal.log.as_deref().unwrap_or_default();
    let why = log.strip_prefix(url).unwrap_or_default();
    assert!(why.starts_with(": ") && why.len() > 2, "`{log}` names not {url}");
    assert!(!log.contains("/api/a"), "{log}");
    assert_eq!(refusal.detail, None);
}

#[tokio::test]
async fn silence_is_a_504_and_then_an_error_in_the_body() {
    let short = Duration::from_millis(20);
    let (url, _) = upstream(vec![
        vec!["HTTP/1.1 200 OK\r\n", "never"],
        vec!["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", "never"],
    ])
    .await;
    let impatient = Route {
        timeout: short,
        ..route(&url)
    };
    let refusal = ask(&passage(impatient), Method::GET, RequestBody::Empty)
        .await
        .unwrap_err();
    assert_eq!(refusal.code, Code::UpstreamTimeout);
    names(&refusal, &url);
    let impatient = Route {
        stream_idle_timeout: short,
        ..route(&url)
    };
    let response = ask(&passage(impatient), Method::GET, RequestBody::Empty)
        .await
        .unwrap();
    assert!(response.into_body().collect().await.is_err());
}

// A browser that takes its time (attack 163) has deadlines of its own.
#[tokio::test]
async fn the_silence_of_an_upstream_counts_from_when_somebody_listens() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst";
    let (url, _) = upstream(vec![vec![answer, ""]]).await;
    let idle = Duration::from_millis(20);
    let slow = passage(Route {
        stream_idle_timeout: idle,
        ..route(&url)
    });
    let mut body = ask(&slow, Method::GET, RequestBody::Empty)
        .await
        .unwrap()
        .into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "first");
    // The browser is busy for longer than the upstream may be silent.
    let taken = std::time::Instant::now();
    while taken.elapsed() < 2 * idle {
        tokio::task::yield_now().await;
    }
    let asked = std::time::Instant::now();
    assert!(body.frame().await.unwrap().is_err());
    assert!(asked.elapsed() >= idle);
}

// Attack 163: a body that trickles is cut, though no single silence is long.
#[tokio::test]
async fn an_upload_a_byte_at_a_time_is_cut() {
    let (url, _) = upstream(vec![vec!["", "never"]]).await;
    let strict = Route {
        stream_idle_timeout: Duration::from_millis(100),
        ..route(&url)
    };
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let trickle = futures_util::stream::unfold((), move |()| {
        counted.fetch_add(1, Ordering::SeqCst);
        async {
            let began = std::time::Instant::now();
            while began.elapsed() < Duration::from_millis(10) {
                tokio::task::yield_now().await;
            }
            Some((Ok::<_, std::convert::Infallible>("x"), ()))
        }
    });
    let body = RequestBody::Any(axum::body::Body::from_stream(trickle));
    let refusal = ask(&passage(strict), Method::POST, body).await.unwrap_err();
    assert_eq!((refusal.code, refusal.close), (Code::InvalidRequest, true));
    // Ten silences and what their ten bytes bought; with a margin for a machine that counts them longer.
    assert!((2..20).contains(&sent.load(Ordering::SeqCst)), "{sent:?}");
}

#[tokio::test]
async fn an_upload_over_the_limit_is_cut_and_refused() {
    let (url, _) = upstream(vec![vec![]]).await;
    let small = Route {
        max_body: 4,
        ..route(&url)
    };
    let body = RequestBody::Any(axum::body::Body::from_stream(futures_util::stream::iter(
        ["abc", "def"].map(Ok::<_, std::convert::Infallible>),
    )));
    let refusal = ask(&passage(small), Method::POST, body).await.unwrap_err();
    assert_eq!((refusal.code, refusal.close), (Code::PayloadTooLarge, true));
}

// Nobody waits for an upstream that waits for a request that does not come: not even where its answer may be silent.
#[tokio::test]
async fn an_upload_that_is_cut_after_its_answer_began_ends_the_answer() {
    let stream =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n";
    let (url, _) = upstream(vec![vec![stream, "never"]]).await;
    let small = Route {
        max_body: 4,
        ..route(&url)
    };
    let (rest, comes) = tokio::sync::oneshot::channel::<()>();
    let pieces = futures_util::stream::once(async move {
        let _ = comes.await;
        Ok::<_, std::convert::Infallible>("too long")
    });
    let body = RequestBody::Any(axum::body::Body::from_stream(pieces));
    let mut body = ask(&passage(small), Method::POST, body)
        .await
        .unwrap()
        .into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "ok");
    rest.send(()).unwrap();
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none(), "the connection is let go");
}
