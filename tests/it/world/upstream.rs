//! An upstream API that records every request as it arrived and answers what it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One request as the upstream saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// The request target, byte for byte.
    pub target: String,
    /// Fields in order, names as sent.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which connection it came on, from 0.
    pub connection: usize,
}

impl Seen {
    /// All values of a field, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The only value of a field; two are a failure.
    pub fn one(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} arrived twice: {all:?}");
        all.first().copied()
    }
}

/// What to do with a request.
pub type Script = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;

/// What the upstream does.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, then the connection stays open.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is closed.
    BytesThenClose(Vec<u8>),
    /// Never answers; the connection stays open.
    Silence,
}

impl Answer {
    /// 200 with a JSON body and more fields (`"name: value\r\n"`).
    pub fn json(body: &str, fields: &str) -> Self {
        Self::status("200 OK", body, fields)
    }

    pub fn status(status: &str, body: &str, fields: &str) -> Self {
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{fields}\r\n{body}",
            body.len()
        );
        Self::Bytes(text.into_bytes())
    }
}

/// The upstream.
#[derive(Clone)]
pub struct Upstream {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plain: Script = Arc::new(|_| Answer::json("{\"ok\":true}", ""));
        let upstream = Self {
            url: format!("http://{address}"),
            address,
            seen: Arc::default(),
            script: Arc::new(Mutex::new(plain)),
        };
        let (seen, script) = (upstream.seen.clone(), upstream.script.clone());
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(converse(stream, connection, seen.clone(), script.clone()));
            }
        });
        upstream
    }

    /// Everything that arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request; a failure when there is none.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("nothing reached the upstream")
    }

    /// How many requests arrived.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// From now on, do this.
    pub fn script(&self, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }
}

async fn converse(
    mut stream: TcpStream,
    connection: usize,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer, connection).await {
        seen.lock().unwrap().push(request.clone());
        let script = script.lock().unwrap().clone();
        let (bytes, close) = match script(&request) {
            Answer::Bytes(bytes) => (bytes, false),
            Answer::BytesThenClose(bytes) => (bytes, true),
            Answer::Silence => return std::future::pending().await,
        };
        if stream.write_all(&bytes).await.is_err() || close {
            return;
        }
    }
}

/// Reads one request with a plain or chunked body; `None` at the end of the connection.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>, connection: usize) -> Option<Seen> {
    let head_end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    buffer.drain(..head_end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let fields: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let field = |wanted: &str| {
        fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value)
    };
    let mut body = Vec::new();
    if field("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        loop {
            let line_end = loop {
                if let Some(at) = find(buffer, b"\r\n") {
                    break at;
                }
                more(stream, buffer).await?;
            };
            let size = usize::from_str_radix(
                std::str::from_utf8(&buffer[..line_end]).ok()?.split(';').next()?,
                16,
            )
            .ok()?;
            buffer.drain(..line_end + 2);
            while buffer.len() < size + 2 {
                more(stream, buffer).await?;
            }
            body.extend(buffer.drain(..size));
            buffer.drain(..2);
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = field("content-length").and_then(|length| length.parse::<usize>().ok()) {
        while buffer.len() < length {
            more(stream, buffer).await?;
        }
        body.extend(buffer.drain(..length));
    }
    Some(Seen {
        method,
        target,
        fields,
        body,
        connection,
    })
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
    buffer.extend_from_slice(&piece[..read]);
    Some(())
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}
