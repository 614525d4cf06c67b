//! One connection from its first byte to its last.
//!
//! A future around hyper's, polled by one task. After each poll it looks where the connection is and how long it may
//! stay there. One timer serves all deadlines; it is moved only when it fires or would fire too late, so that a busy
//! connection pays for none of them.
//!
//! A connection on which nothing happens for a second falls asleep: hyper's part with its buffers is taken apart, and what
//! stays is the socket and its deadline. The next byte, the end, or a shutdown wakes it.

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
use super::{Answering, Bounds, House};
use crate::body::{BodyError, RequestBody, ResponseBody};

/// Serves one accepted connection to its end. `full`: there is no room, requests are refused.
pub(super) async fn serve<A: Answering>(
    stream: TcpStream,
    peer: SocketAddr,
    house: Arc<House<A>>,
    full: bool,
) {
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
    let wake = move |socket| {
        let front = Arc::clone(&front);
        let http = http1::Builder::new()
            .keep_alive(!full)
            // Above our own limit, so that our answer comes first (contract §6).
            .max_buf_size(limit.saturating_mul(2).max(MIN_BUFFER))
            .serve_connection(
                TokioIo::new(socket),
                service_fn(move |request| {
                    // At once: hyper reads on before it polls what answers.
                    front.watch.begin();
                    Arc::clone(&front).call(request)
                }),
            );
        Box::new(http)
    };
    let connection = Connection {
        state: State::Awake(wake(Watched::new(stream, Arc::clone(&watch)))),
        wake,
        watch,
        deadline: Deadline::new(house.bounds),
        house,
        entry: None,
        finishing: false,
    };
    connection.run().await;
}

/// hyper's part of a connection.
type Http<S> = http1::Connection<TokioIo<Watched>, S>;

/// Whether a connection has hyper's part.
enum State<S: HttpService<Incoming>> {
    Awake(Box<Http<S>>),
    Asleep(Watched),
    /// Only while one becomes the other.
    Between,
}

/// One connection.
struct Connection<S: HttpService<Incoming>, W, A> {
    state: State<S>,
    /// Gives a socket hyper's part.
    wake: W,
    watch: Arc<Watch>,
    house: Arc<House<A>>,
    deadline: Deadline,
    /// Our place in the drain's list.
    entry: Option<u64>,
    finishing: bool,
}

impl<S, W, A> Connection<S, W, A>
where
    S: HttpService<Incoming, ResBody = Outgoing, Error = Infallible>,
    W: Fn(Watched) -> Box<Http<S>>,
{
    /// Serves the connection to its end.
    async fn run(mut self) {
        let ended = std::future::poll_fn(|cx| self.poll(cx)).await;
        if let Some(entry) = self.entry.take() {
            self.house.drain.leave(entry);
        }
        if ended == Ended::ByItself
            && let State::Awake(http) = self.state
        {
            let stream = http.into_parts().io.into_inner().into_stream();
            // Boxed: its buffer would lie in the task of every connection.
            Box::pin(linger(stream, self.house.bounds.linger)).await;
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
                if let State::Awake(http) = &mut self.state {
                    Pin::new(&mut **http).graceful_shutdown();
                }
            }
            Order::Close => return Poll::Ready(Ended::Cut),
        }
        if let State::Asleep(socket) = &mut self.state {
            if socket.poll_stirs(cx).is_pending() {
                return self.poll_deadline(cx);
            }
            self.rouse();
        }
        let State::Awake(http) = &mut self.state else {
            return Poll::Ready(Ended::Cut);
        };
        match Pin::new(&mut **http).poll(cx) {
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
        self.poll_deadline(cx)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        loop {
            match self.deadline.poll(cx) {
                None => return Poll::Pending,
                Some(Due::Rest) => {
                    self.fall_asleep();
                    if let State::Asleep(socket) = &mut self.state
                        && socket.poll_stirs(cx).is_ready()
                    {
                        cx.waker().wake_by_ref();
                    }
                }
                Some(Due::End) => {
                    tracing::debug!(event = "connection_timeout", phase = ?self.watch.phase());
                    return Poll::Ready(Ended::Cut);
                }
            }
        }
    }

    /// Takes hyper's part apart. Bytes that it has read ahead stay with the socket.
    fn fall_asleep(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Between) {
            State::Awake(http) => {
                let parts = http.into_parts();
                let mut socket = parts.io.into_inner();
                socket.put_back(&parts.read_buf);
                State::Asleep(socket)
            }
            asleep => asleep,
        };
    }

    fn rouse(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Between) {
            State::Asleep(socket) => State::Awake((self.wake)(socket)),
            awake => awake,
        };
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
    /// When an idle connection falls asleep; `None`: it does already, or it is not idle.
    rest: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

/// Which time has come.
enum Due {
    /// To fall asleep.
    Rest,
    /// To end.
    End,
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
            rest: None,
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
        let Bounds {
            idle,
            head,
            stall,
            left,
            doze,
            ..
        } = self.bounds;
        let (stay, rest) = match phase {
            Phase::Idle => (idle, Some(doze)),
            Phase::Head => (head, None),
            Phase::Stalled => (stall, None),
            Phase::Left => (left, None),
            // Whoever works on the answer has deadlines of its own.
            Phase::Busy => {
                (self.until, self.rest) = (None, None);
                return;
            }
        };
        let now = Instant::now();
        self.until = Some(now + stay);
        self.rest = rest.map(|rest| now + rest);
    }

    /// At a shutdown: a head that is still coming is no request in flight, and its client may send it elsewhere.
    fn hurry(&mut self) {
        self.bounds.head = self.bounds.head.min(self.bounds.linger);
        if self.phase == Phase::Head {
            let soon = Instant::now() + self.bounds.head;
            self.until = self.until.map(|until| until.min(soon));
        }
    }

    /// What is due now; otherwise sees to it that the task is woken when something is. The timer may fire early: a busy
    /// connection never moves it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Option<Due> {
        let until = self.until?;
        let next = self.rest.map_or(until, |rest| rest.min(until));
        if self.sleep.deadline() > next {
            self.sleep.as_mut().reset(next);
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= until {
                return Some(Due::End);
            }
            if now >= next {
                self.rest = None;
                return Some(Due::Rest);
            }
            self.sleep.as_mut().reset(next);
        }
        None
    }
}

/// What hyper calls for each request.
struct Front<A> {
    handler: A,
    watch: Arc<Watch>,
    peer: IpAddr,
    full: bool,
}

impl<A: Answering> Front<A> {
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
