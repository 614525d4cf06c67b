//! What we make of an answer, beside what hyper's client makes of the same bytes (attack 154).

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::answer_head::HeadReader;
use super::super::decode::Decoded;
use super::*;

/// Status and body; `None`: no answer, or no whole one.
type Read = Option<(u16, Vec<u8>)>;

fn by_us(wire: &[u8]) -> Read {
    let mut arrived = BytesMut::from(wire);
    let head = HeadReader::default()
        .read(&mut arrived, &Method::GET)
        .ok()
        .flatten()?;
    let mut body = Vec::new();
    let Some(mut decoder) = head.body else {
        return Some((head.status.as_u16(), body));
    };
    loop {
        match decoder.decode(&mut arrived).ok()? {
            Decoded::Data(data) => body.extend_from_slice(&data),
            Decoded::Trailers(_) => {}
            Decoded::More if !decoder.ends_with_the_connection() => return None,
            Decoded::End | Decoded::More => return Some((head.status.as_u16(), body)),
        }
    }
}

async fn by_hyper(wire: &[u8]) -> Read {
    let (client, mut server) = tokio::io::duplex(64 * 1024);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client))
        .await
        .ok()?;
    let connection = tokio::spawn(connection);
    let wire = wire.to_vec();
    let upstream = tokio::spawn(async move {
        let mut head = [0; 1024];
        let _ = server.read(&mut head).await;
        let _ = server.write_all(&wire).await;
        let _ = server.shutdown().await;
    });
    let request = Request::get("/").header("host", "a").body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.ok()?).await;
    let read = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await;
            body.ok().map(|body| (status, body.to_bytes().to_vec()))
        }
        Err(_) => None,
    };
    connection.abort();
    upstream.abort();
    read
}

/// Answers and what is nearly one: every part may be missing, doubled, or another.
fn wires() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => Just("HTTP/1.1 200 OK".to_owned()),
        2 => "HTTP/1\\.[01] [1-6][0-9]{2}( [a-z]{0,3})?",
        1 => "[ -~]{0,12}",
    ];
    let field = prop_oneof![
        3 => (0_u8..12).prop_map(|length| format!("content-length: {length}")),
        3 => Just("Transfer-Encoding: chunked".to_owned()),
        1 => "(content-length|transfer-encoding|connection):( ?(chunked|close|gzip|[0-9+, -]{0,4}))",
        2 => "[a-z]{1,4}: ?[ -~]{0,6}",
        1 => "[ -~]{0,8}",
    ];
    let body = prop_oneof![
        "[a-z]{0,12}",
        "(([0-9a-f]{1,2}|0)(;[a-z=\"]{0,4})?\r\n[a-z]{0,6}\r\n){0,3}(0\r\n)?([a-z]{1,3}: [a-z]{0,3}\r\n)?(\r\n)?[a-z]{0,3}",
        "(3\r\nabc\r\n){0,3}0\r\n\r\n",
    ];
    let end = prop_oneof![9 => Just("\r\n"), 1 => Just("\n")];
    (line, prop::collection::vec(field, 0..4), body, end).prop_map(|(line, fields, body, end)| {
        let head: Vec<String> = std::iter::once(line).chain(fields).collect();
        format!("{}{end}{end}{body}", head.join(end))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// We refuse more than hyper does. What we take, it reads alike: one more reader that ends it at the same place.
    #[test]
    fn what_we_take_hyper_reads_alike(wire in wires()) {
        if let Some(ours) = by_us(wire.as_bytes()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let theirs = runtime.block_on(by_hyper(wire.as_bytes()));
            prop_assert_eq!(Some(ours), theirs);
        }
    }
}

#[test]
fn usual_answers_are_taken() {
    for (wire, body) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", "abc"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "abc",
        ),
        ("HTTP/1.1 200 OK\r\n\r\nabc", "abc"),
        ("HTTP/1.0 200 OK\r\n\r\nabc", "abc"),
    ] {
        assert_eq!(by_us(wire.as_bytes()), Some((200, body.into())), "{wire}");
    }
}
