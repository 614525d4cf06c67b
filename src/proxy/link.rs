//! One connection to an upstream: the socket, what has arrived on it, and its deadline.
//!
//! Whoever uses it polls it from its own task: no task stands between, so nothing has to wake one.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use super::connect::Wire;
use super::timer::Timer;

/// One upstream connection.
pub(super) struct Link {
    /// The socket.
    pub(super) wire: Wire,
    /// What has arrived and nobody has taken yet.
    pub(super) arrived: BytesMut,
    /// The deadline of whoever uses it.
    pub(super) timer: Timer,
    /// Which upstream it leads to.
    pub(super) key: u64,
    /// When it was put into the pool.
    pub(super) rested: Instant,
    /// An empty buffer for the next head, kept from the last one.
    pub(super) spare: Vec<u8>,
    /// How much is asked for at a time: grows while the socket fills it.
    room: usize,
}

impl Link {
    /// Takes over a connected stream.
    pub(super) fn new(wire: Wire, key: u64) -> Self {
        Self {
            wire,
            arrived: BytesMut::new(),
            timer: Timer::default(),
            key,
            rested: Instant::now(),
            spare: Vec::new(),
            room: LEAST_ROOM,
        }
    }

    /// Reads what there is, once; `expected`: how much of it is wanted, where that is known. `Ok(0)`: the upstream has closed
    /// its side.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        expected: Option<u64>,
    ) -> Poll<io::Result<usize>> {
        let expected = expected.map_or(0, |expected| usize::try_from(expected).unwrap_or(MOST_ROOM));
        let room = self.room.max(expected.min(MOST_ROOM));
        if self.arrived.capacity() - self.arrived.len() < room / 2 {
            self.arrived.reserve(room);
        }
        let space = self.arrived.capacity() - self.arrived.len();
        let polled = pin!(self.wire.read_buf(&mut self.arrived)).poll(cx);
        if let Poll::Ready(Ok(read)) = polled
            && read == space
        {
            self.room = (self.room * 2).min(MOST_ROOM);
        }
        polled
    }

    /// Whether it can take a request: the upstream has neither closed it nor sent something nobody asked for.
    pub(super) fn is_fresh(&mut self) -> bool {
        // Outside the task's budget: a socket that is not looked at because the task has read a lot looks fresh.
        let look = tokio::task::unconstrained(poll_fn(|cx| self.poll_fill(cx, None)));
        let is_silent = pin!(look)
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending();
        is_silent && self.arrived.is_empty()
    }

    /// Makes it ready for the pool.
    pub(super) fn rest(&mut self) {
        self.timer.set(None);
        self.room = LEAST_ROOM;
        // A burst may have made it large; what a usual answer takes is kept.
        if self.arrived.capacity() > MOST_KEPT {
            self.arrived = BytesMut::new();
        }
        self.rested = Instant::now();
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What is read at a time at first.
const LEAST_ROOM: usize = 8 * 1024;
/// What is read at a time at most: a stream takes this much memory, not more.
const MOST_ROOM: usize = 128 * 1024;
/// What an idle connection keeps.
const MOST_KEPT: usize = 16 * 1024;

#[cfg(test)]
mod tests;
