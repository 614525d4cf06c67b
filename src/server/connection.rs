//! One connection from its first byte to its last.
//!
//! A future around hyper's, polled by one task. After each poll it looks where the connection is and how long it may
//! stay there. One timer serves all deadlines; it is moved only when it fires or would fire too late, so that a busy
//! connection pays for none of them.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Request, Response, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::drain::Order;
use super::head;
use super::io_watch::{Phase, Watch, Watched};
use super::{Bounds, House};
use crate::body::{BodyError, RequestBody, ResponseBody};
use crate::handler::TokenHandler;

/// Serves one accepted connection to its end. `full`: there is no room, requests are refused.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, house: Arc<House>, full: bool) {
    // Answers are written whole; waiting to fill a packet would only delay them. A socket that cannot do that is no
    // worse for it.
    let _ = stream.set_nodelay(true);
    let limit = house.handler.max_header_bytes();
    let watch = Watch::new(limit.saturating_add(SLACK));
    let front = Arc::new(Front {
        handler: house.handler.clone(),
        watch: Arc::clone(&watch),
        peer: peer.ip(),
        full,
    });
    let http = http1::Builder::new()
        .keep_alive(!full)
        // Above our own limit, so that our answer comes first (contract §6).
        .max_buf_size(limit.saturating_mul(2).max(MIN_BUFFER))
        .serve_connection(
            TokioIo::new(Watched::new(stream, Arc::clone(&watch))),
            service_fn(move |request| {
                // At once: hyper reads on before it polls what answers.
                front.watch.begin();
                Arc::clone(&front).call(request)
            }),
        );
    let connection = Connection {
        http,
        watch,
        deadline: Deadline::new(house.bounds),
        house,
        entry: None,
        finishing: false,
    };
    connection.run().await;
}

/// One connection.
struct Connection<S: HttpService<Incoming>> {
    http: http1::Connection<TokioIo<Watched>, S>,
    watch: Arc<Watch>,
    house: Arc<House>,
    deadline: Deadline,
    /// Our place in the drain's list.
    entry: Option<u64>,
    finishing: bool,
}

impl<S> Connection<S>
where
    S: HttpService<Incoming, ResBody = Outgoing, Error = Infallible>,
{
    /// Serves the connection to its end.
    async fn run(mut self) {
        let ended = std::future::poll_fn(|cx| self.poll(cx)).await;
        if let Some(entry) = self.entry.take() {
            self.house.drain.leave(entry);
        }
        if ended == Ended::ByItself {
            let stream = self.http.into_parts().io.into_inner().into_stream();
            linger(stream, self.house.bounds.linger).await;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.entry.is_none() {
            self.entry = Some(self.house.drain.enter(cx.waker().clone()));
        }
        match self.house.drain.order() {
            Order::Serve => {}
            Order::Finish if self.finishing => {}
            Order::Finish => {
                self.finishing = true;
                if self.watch.phase() == Phase::Idle {
                    return Poll::Ready(Ended::Cut);
                }
                self.deadline.hurry();
                Pin::new(&mut self.http).graceful_shutdown();
            }
            Order::Close => return Poll::Ready(Ended::Cut),
        }
        match Pin::new(&mut self.http).poll(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ended::ByItself),
            // Whatever it was, the peer knows or is gone; heads that were refused have had their answer.
            Poll::Ready(Err(error)) => {
                tracing::debug!(event = "connection_ended", %error);
                return Poll::Ready(if error.is_parse() {
                    Ended::ByItself
                } else {
                    Ended::Cut
                });
            }
            Poll::Pending => {}
        }
        let phase = self.watch.phase();
        if phase == Phase::Idle && self.watch.forget_end() {
            // The answer is out: now hyper may know, but it does not look again by itself.
            cx.waker().wake_by_ref();
        }
        self.deadline.observe(phase, self.watch.writes());
        if self.deadline.poll_overdue(cx) {
            tracing::debug!(event = "connection_timeout", phase = ?self.watch.phase());
            return Poll::Ready(Ended::Cut);
        }
        Poll::Pending
    }
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// HTTP says so: the last answer is on its way.
    ByItself,
    /// We close it.
    Cut,
}

/// Reads on for a moment after our side is closed: a socket closed with unread bytes answers with a reset, and the reset can
/// overtake the answer (RFC 9112 §9.6).
async fn linger(mut stream: TcpStream, time: Duration) {
    // hyper closes its side only where it ends in peace.
    let _ = stream.shutdown().await;
    let reading = async {
        let mut scrap = [0; 4096];
        let mut left = LINGER_BYTES;
        while let Ok(read @ 1..) = stream.read(&mut scrap).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(time, reading).await;
}

/// The time a connection has for what it is doing.
struct Deadline {
    bounds: Bounds,
    phase: Phase,
    writes: u32,
    fresh: bool,
    until: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(bounds: Bounds) -> Self {
        let until = Instant::now() + bounds.head;
        Self {
            bounds,
            phase: Phase::Idle,
            writes: 0,
            fresh: true,
            until: Some(until),
            sleep: Box::pin(tokio::time::sleep_until(until)),
        }
    }

    /// Moves the deadline when the connection has moved on.
    fn observe(&mut self, phase: Phase, writes: u32) {
        if phase == self.phase && writes == self.writes {
            return;
        }
        // The head's clock runs from its first byte: more of its bytes buy no time. On a fresh connection it runs from the
        // start.
        let keep = self.fresh && phase == Phase::Head;
        self.fresh &= phase == Phase::Idle || phase == Phase::Head;
        self.phase = phase;
        self.writes = writes;
        if keep {
            return;
        }
        self.until = match phase {
            Phase::Idle => Some(self.bounds.idle),
            Phase::Head => Some(self.bounds.head),
            Phase::Stalled => Some(self.bounds.stall),
            Phase::Left => Some(self.bounds.left),
            // Whoever works on the answer has deadlines of its own.
            Phase::Busy => None,
        }
        .map(|time| Instant::now() + time);
    }

    /// At a shutdown: a head that is still coming is no request in flight, and its client may send it elsewhere.
    fn hurry(&mut self) {
        self.bounds.head = self.bounds.head.min(self.bounds.linger);
        if self.phase == Phase::Head {
            let soon = Instant::now() + self.bounds.head;
            self.until = self.until.map(|until| until.min(soon));
        }
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        if self.sleep.deadline() > until {
            self.sleep.as_mut().reset(until);
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= until {
                return true;
            }
            self.sleep.as_mut().reset(until);
        }
        false
    }
}

/// What hyper calls for each request.
struct Front {
    handler: TokenHandler,
    watch: Arc<Watch>,
    peer: IpAddr,
    full: bool,
}

impl Front {
    async fn call(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Outgoing>, Infallible> {
        let checked = self
            .watch
            .take_head(|head| head::check(head, request.method(), request.uri(), request.headers()));
        // HTTP/1.0 has no framing to speak of for a connection that stays: one request, then it closes (attack 155).
        let last = request.version() == Version::HTTP_10;
        let mut response = match checked {
            _ if self.full => self.handler.overloaded(request.method(), self.peer),
            Err(why) => self.handler.malformed(request.method(), self.peer, why),
            Ok(()) => {
                let request = request.map(|body| {
                    if body.is_end_stream() {
                        RequestBody::Empty
                    } else {
                        RequestBody::Incoming(body)
                    }
                });
                self.handler.handle(request, self.peer).await
            }
        };
        if last {
            // Said in the version too, or hyper adds the `keep-alive` that the client asked for.
            *response.version_mut() = Version::HTTP_10;
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let watch = Arc::clone(&self.watch);
        Ok(response.map(|body| Outgoing { body, watch }))
    }
}

/// A response body that tells the watch when hyper is done with it.
struct Outgoing {
    body: ResponseBody,
    watch: Arc<Watch>,
}

impl http_body::Body for Outgoing {
    type Data = bytes::Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, BodyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.watch.await_next();
    }
}

/// How much is read after the last answer.
const LINGER_BYTES: usize = 1 << 20;

/// Bytes of a head kept beyond the limit: request line, white space.
const SLACK: usize = 16 * 1024;

/// The least read buffer.
const MIN_BUFFER: usize = 64 * 1024;
