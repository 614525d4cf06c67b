//! One connection to an upstream: hyper's sender and connection, driven by whoever uses it.
//!
//! hyper means the connection to be polled by a task of its own, woken through channels. Here the task that waits for
//! the answer polls both ends. Two things make that cheap and correct:
//!
//! 1. The connection is always polled with the *same* waker, a [`Relay`]. Socket, timer and channels keep their
//!    registration from request to request; which task the relay wakes is exchanged by one store.
//! 2. A wake-up that happens while the connection is being polled (one end telling the other) is noted and answered by
//!    polling again on the spot, instead of scheduling the task once more.
//!
//! While a connection rests in the pool its relay wakes nobody.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep};

use super::connect::Stream;
use super::upload::Upload;

/// One upstream connection.
pub(super) struct Link {
    sender: SendRequest<Upload>,
    connection: Connection<TokioIo<Stream>, Upload>,
    /// The connection has come to its end; what it delivered before may still be read.
    ended: bool,
    relay: Arc<Relay>,
    waker: Waker,
    timer: Timer,
    /// Which upstream it leads to.
    pub(super) key: u64,
    /// When it was put into the pool.
    pub(super) rested: Instant,
}

/// What a request came to.
pub(super) type Answered = Result<Response<Incoming>, hyper::Error>;

impl Link {
    /// Takes over a connected stream.
    pub(super) async fn new(stream: Stream, relay: Arc<Relay>, key: u64) -> Result<Self, hyper::Error> {
        let (sender, connection) = Builder::new()
            // A header bomb ends here, with bounded memory (attack 166).
            .max_buf_size(MAX_BUFFER)
            .max_header_size(MAX_ANSWER_HEAD)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(Self {
            sender,
            connection,
            ended: false,
            waker: Waker::from(Arc::clone(&relay)),
            relay,
            timer: Timer::default(),
            key,
            rested: Instant::now(),
        })
    }

    /// Whether it can take a request, after a look at the socket: an upstream that closed it or sent something nobody
    /// asked for is noticed here.
    pub(super) fn is_fresh(&mut self) -> bool {
        self.step();
        !self.ended && self.sender.is_ready()
    }

    /// Hands the request to the connection. The answer comes by polling [`Self::poll_answer`] with the future.
    pub(super) fn send(&mut self, request: Request<Upload>) -> impl Future<Output = Answered> + use<> {
        self.relay.received.store(false, Ordering::Relaxed);
        self.sender.send_request(request)
    }

    /// Whether any byte of an answer has arrived since [`Self::send`].
    pub(super) fn has_received(&self) -> bool {
        self.relay.received.load(Ordering::Relaxed)
    }

    /// Drives the connection until `look` finds what it looks for or the socket has nothing more.
    ///
    /// `look` is called with a context that wakes nobody: whatever it waits for can only come from this connection. It is
    /// told whether the connection has ended.
    pub(super) fn drive<T>(
        &mut self,
        cx: &Context<'_>,
        mut look: impl FnMut(&mut Context<'_>, bool) -> Poll<T>,
    ) -> Poll<T> {
        self.relay.task.register(cx.waker());
        for _ in 0..MAX_STEPS {
            self.relay.begin();
            self.step_inside();
            let found = look(&mut Context::from_waker(Waker::noop()), self.ended);
            let woken = self.relay.end();
            if found.is_ready() || !woken {
                return found;
            }
        }
        // It goes on and on: let others have a turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Looks without driving the connection. What `look` tells the connection on the way is noted, not passed on: the
    /// connection is driven before anybody waits for it.
    pub(super) fn glance<T>(&self, look: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.relay.begin();
        let seen = look(&mut Context::from_waker(Waker::noop()));
        self.relay.end();
        seen
    }

    /// Waits for the answer to what was sent.
    pub(super) fn poll_answer(
        &mut self,
        cx: &Context<'_>,
        mut answer: Pin<&mut impl Future<Output = Answered>>,
    ) -> Poll<Answered> {
        self.drive(cx, |cx, _| answer.as_mut().poll(cx))
    }

    /// Sets the deadline that [`Self::is_overdue`] checks; `None` = none.
    pub(super) fn set_deadline(&mut self, after: Option<Duration>) {
        self.timer.deadline = after.map(|after| Instant::now() + after);
    }

    /// Whether the deadline has passed; otherwise sees to it that the task is woken when it does.
    pub(super) fn is_overdue(&mut self) -> bool {
        self.timer.is_overdue(&self.waker)
    }

    /// Whether the connection can serve another request now that an answer has been read to its end: nothing left over,
    /// nothing unsent.
    pub(super) fn is_reusable(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if !self.sender.is_ready() {
            self.step();
        }
        !self.ended && self.sender.is_ready()
    }

    /// Forgets the task it worked for.
    pub(super) fn rest(&mut self) {
        self.relay.task.take();
        self.timer.deadline = None;
        self.rested = Instant::now();
    }

    fn step(&mut self) {
        self.relay.begin();
        self.step_inside();
        self.relay.end();
    }

    fn step_inside(&mut self) {
        if !self.ended {
            let mut cx = Context::from_waker(&self.waker);
            self.ended = Pin::new(&mut self.connection).poll(&mut cx).is_ready();
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("key", &self.key)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The waker of a link: passes wake-ups on to the task that uses it.
#[derive(Debug, Default)]
pub(super) struct Relay {
    state: AtomicU8,
    task: AtomicWaker,
    received: AtomicBool,
}

impl Relay {
    /// Notes that bytes have arrived.
    pub(super) fn note_received(&self) {
        self.received.store(true, Ordering::Relaxed);
    }

    /// From here on wake-ups are only noted.
    fn begin(&self) {
        self.state.store(POLLING, Ordering::Release);
    }

    /// From here on wake-ups are passed on. Whether there was one in between.
    fn end(&self) -> bool {
        self.state.swap(0, Ordering::AcqRel) & WOKEN != 0
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Inside a poll the loop sees the note; woken already, the task is on its way.
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) == 0 {
            self.task.wake();
        }
    }
}

/// A deadline that costs next to nothing to move: the timer behind it is set again only when it fires too early or
/// would fire too late.
#[derive(Default)]
struct Timer {
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Timer {
    fn is_overdue(&mut self, waker: &Waker) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() > deadline || sleep.is_elapsed() {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(deadline);
            self.armed = false;
        }
        if !self.armed {
            // Outside the task's budget: a timer that is put off because the task has read a lot would count as armed here and
            // never fire.
            let mut unhurried = tokio::task::unconstrained(sleep.as_mut());
            if Pin::new(&mut unhurried)
                .poll(&mut Context::from_waker(waker))
                .is_ready()
            {
                return Instant::now() >= deadline;
            }
            self.armed = true;
        }
        false
    }
}

/// The connection is being polled.
const POLLING: u8 = 1;
/// There was a wake-up.
const WOKEN: u8 = 2;

/// How often one poll may go round before other tasks get a turn.
const MAX_STEPS: usize = 64;

/// Read and write buffer of one connection.
const MAX_BUFFER: usize = 128 * 1024;

/// The head of an answer may be this large.
const MAX_ANSWER_HEAD: usize = 64 * 1024;

#[cfg(test)]
mod tests;
