//! What an upstream receives.

mod tls;

use std::convert::Infallible;
use std::future::poll_fn;
use std::time::Duration;

use axum::body::Body;
use http_body::Frame;
use http_body_util::StreamBody;
use proptest::prelude::*;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::body::RequestBody;

fn upload(pieces: Vec<Frame<Bytes>>) -> Upload {
    let stream = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, Infallible>));
    let body = RequestBody::Any(Body::new(StreamBody::new(stream)));
    Upload::new(body, 1 << 20, Duration::from_secs(60))
}

fn data(pieces: &[&[u8]]) -> Upload {
    upload(
        pieces
            .iter()
            .map(|piece| Frame::data(Bytes::copy_from_slice(piece)))
            .collect(),
    )
}

/// What arrives at the other end, where all of it gets through.
async fn arrives(framing: Framing, upload: Upload) -> Result<String, Stuck> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let reading = tokio::spawn(async move {
        let mut text = Vec::new();
        server.read_to_end(&mut text).await.unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut wire = Wire::Tcp(client);
    let mut outbox = Outbox::new(b"head\r\n\r\n".to_vec(), framing, upload);
    let sent = poll_fn(|cx| outbox.poll_send(&mut wire, cx)).await;
    assert_eq!(sent.is_ok(), outbox.is_sent());
    drop(wire);
    let text = reading.await.unwrap();
    sent.map(|()| text)
}

#[tokio::test]
async fn a_body_is_framed_as_the_head_says() {
    let ours = |framing, pieces: &'static [&[u8]]| arrives(framing, data(pieces));
    assert_eq!(ours(Framing::Nothing, &[]).await.unwrap(), "head\r\n\r\n");
    assert_eq!(
        ours(Framing::Length(5), &[b"ab", b"", b"cde"]).await.unwrap(),
        "head\r\n\r\nabcde"
    );
    assert_eq!(
        ours(Framing::Chunked, &[b"ab", b"", b"0123456789abcdef"])
            .await
            .unwrap(),
        "head\r\n\r\n2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
    );
    assert_eq!(
        ours(Framing::Chunked, &[]).await.unwrap(),
        "head\r\n\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn trailers_go_behind_the_last_chunk() {
    let trailers = HeaderMap::from_iter([("x-sum", "1"), ("authorization", "evil")].map(|(name, value)| {
        (
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )
    }));
    let frames = vec![Frame::data(Bytes::from_static(b"a")), Frame::trailers(trailers)];
    assert_eq!(
        arrives(Framing::Chunked, upload(frames)).await.unwrap(),
        "head\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n"
    );
}

// Attack 154: what is left over or missing would be read as part of another request.
#[tokio::test]
async fn a_body_of_another_length_than_announced_is_cut() {
    for (framing, pieces) in [
        (Framing::Length(3), &[&b"ab"[..]][..]),
        (Framing::Length(3), &[b"ab", b"cd"]),
        (Framing::Length(1), &[]),
    ] {
        let stuck = arrives(framing, data(pieces)).await.unwrap_err();
        assert!(matches!(stuck, Stuck::Cut(cut) if cut == INCOMPLETE), "{stuck:?}");
    }
}

#[tokio::test]
async fn a_client_that_is_waited_for_is_known() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wire = Wire::Tcp(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
    let silent = RequestBody::Any(Body::from_stream(futures_util::stream::pending::<
        Result<Bytes, Infallible>,
    >()));
    let mut outbox = Outbox::new(
        b"head".to_vec(),
        Framing::Chunked,
        Upload::new(silent, 1, Duration::from_secs(60)),
    );
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(outbox.poll_send(&mut wire, &mut cx).is_pending());
    assert!(outbox.awaits_client() && !outbox.is_sent());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The other side decodes what the client sent, however large it is.
    #[test]
    fn chunks_are_read_back(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70_000), 0..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let slices: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let length = pieces.iter().map(Vec::len).sum::<usize>();
        let text = runtime.block_on(arrives(Framing::Chunked, data(&slices))).unwrap();
        prop_assert!(text.ends_with("0\r\n\r\n") && text.len() >= length);
        let text = runtime.block_on(arrives(Framing::Length(length as u64), data(&slices))).unwrap();
        let expected = [b"head\r\n\r\n".to_vec(), pieces.concat()].concat();
        prop_assert_eq!(text, String::from_utf8_lossy(&expected));
    }
}
