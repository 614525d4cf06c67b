//! Bytes on a socket: for requests that no honest client library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back until the other side closed, or fell silent with a whole answer on the wire.
#[derive(Debug, Clone)]
pub struct RawReply {
    pub bytes: Vec<u8>,
    /// Whether the other side closed the connection.
    pub closed: bool,
}

impl RawReply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The status of the first answer; 0 when there is none.
    pub fn status(&self) -> u16 {
        self.text()
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    /// How many answers came.
    pub fn answers(&self) -> usize {
        self.text().matches("HTTP/1.1 ").count()
    }

    /// The first field of this name in the first answer.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next()?.to_owned();
        head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The error code of the first answer.
    pub fn code(&self) -> Option<String> {
        self.header("token-handler-error")
    }
}

/// Sends `request` on a new connection and reads until the answer is whole or the connection closes.
pub async fn raw(address: SocketAddr, request: &[u8]) -> RawReply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The service may refuse and close before it has read everything: that is an answer, not a failure.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        // A bound for the case that nothing ever comes; what is asserted never depends on its length.
        match tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return RawReply { bytes, closed: true },
            Ok(Ok(read)) => {
                bytes.extend_from_slice(&buffer[..read]);
                if whole(&bytes) {
                    return RawReply { bytes, closed: false };
                }
            }
            Err(_) => return RawReply { bytes, closed: false },
        }
    }
}

/// Whether one answer with a known length is complete; one that announces `close` is read to its end.
fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    if head.contains("connection: close") {
        return false;
    }
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length: ")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    match length {
        Some(length) => body.len() >= length,
        None => {
            head.contains("transfer-encoding: chunked") && body.ends_with("0\r\n\r\n")
                || head.contains(" 204 ")
                || head.contains(" 304 ")
        }
    }
}
