//! The client's socket, watched: whether it stalls, and the bytes of the head that is coming in.
//!
//! hyper owns the socket while it serves; what the connection needs to know about it is noted here.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What is known about one connection.
#[derive(Debug)]
pub(super) struct Watch {
    phase: AtomicU8,
    /// The socket takes nothing at the moment.
    stalled: AtomicBool,
    /// The client has closed its side.
    left: AtomicBool,
    /// Counts writes, to tell a slow reader from one that reads nothing.
    writes: AtomicU32,
    /// The bytes read since a head is awaited, up to `limit`.
    head: Mutex<Vec<u8>>,
    limit: usize,
}

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing of the next request has come.
    Idle,
    /// Some of its head.
    Head,
    /// It is being answered.
    Busy,
    /// It is being answered, and the client has closed its side: it has gone, or it only has no more to ask.
    Left,
    /// The client takes nothing of its answer.
    Stalled,
}

impl Watch {
    /// A watch that keeps up to `limit` bytes of a head.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(IDLE),
            stalled: AtomicBool::new(false),
            left: AtomicBool::new(false),
            writes: AtomicU32::new(0),
            head: Mutex::default(),
            limit,
        })
    }

    /// Where the connection is.
    pub(super) fn phase(&self) -> Phase {
        if self.stalled.load(Ordering::Relaxed) {
            return Phase::Stalled;
        }
        match self.phase.load(Ordering::Relaxed) {
            IDLE => Phase::Idle,
            HEAD => Phase::Head,
            _ if self.left.load(Ordering::Relaxed) => Phase::Left,
            _ => Phase::Busy,
        }
    }

    /// How often something was written.
    pub(super) fn writes(&self) -> u32 {
        self.writes.load(Ordering::Relaxed)
    }

    /// hyper has a request to be answered.
    pub(super) fn begin(&self) {
        self.phase.store(BUSY, Ordering::Relaxed);
    }

    /// A head has been read whole: `look` sees the bytes that brought it, as far as they were kept.
    pub(super) fn take_head<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        let mut head = std::mem::take(&mut *self.head.lock().unwrap_or_else(PoisonError::into_inner));
        let seen = look(&head);
        head.clear();
        SPARE.with(|spare| spare.replace(head));
        seen
    }

    /// The answer is written as far as hyper is concerned: the next head may come.
    pub(super) fn await_next(&self) {
        // A pipelined head may be in hyper's buffer already; then it is not seen here, and counts as idle until it is served.
        self.phase.store(IDLE, Ordering::Relaxed);
    }

    fn note_read(&self, bytes: &[u8]) {
        if self.phase.load(Ordering::Relaxed) == BUSY {
            return;
        }
        self.phase.store(HEAD, Ordering::Relaxed);
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if head.capacity() == 0 {
            *head = SPARE.with(Cell::take);
        }
        let room = self.limit.saturating_sub(head.len()).min(bytes.len());
        head.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// Whether the client had closed its side; from here on that is forgotten, until it is read again.
    pub(super) fn forget_end(&self) -> bool {
        self.left.load(Ordering::Relaxed) && self.left.swap(false, Ordering::Relaxed)
    }

    /// The client has closed its side. Whether hyper is not to know yet: it would drop the answer.
    fn note_end(&self) -> bool {
        self.left.store(true, Ordering::Relaxed);
        self.phase.load(Ordering::Relaxed) == BUSY
    }

    fn note_write(&self, polled: &Poll<io::Result<usize>>) {
        self.stalled.store(polled.is_pending(), Ordering::Relaxed);
        if polled.is_ready() {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

thread_local! {
    /// One empty buffer for the next head: a connection holds one only while a head is coming in.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;

/// The socket of one connection.
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    watch: Arc<Watch>,
    /// Read once and not taken: comes first.
    unread: Bytes,
}

impl Watched {
    /// Watches `stream`.
    pub(super) fn new(stream: TcpStream, watch: Arc<Watch>) -> Self {
        Self {
            stream,
            watch,
            unread: Bytes::new(),
        }
    }

    /// Takes back what was read from it and not used: a copy, because a piece of a buffer, be it an empty one, keeps all of
    /// the buffer.
    pub(super) fn put_back(&mut self, unread: &[u8]) {
        self.unread = Bytes::copy_from_slice(unread);
    }

    /// Waits until there is something to read, the end included.
    pub(super) fn poll_stirs(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unread.is_empty() {
            return Poll::Ready(());
        }
        // An error is something to read, too.
        self.stream.poll_read_ready(cx).map(drop)
    }

    /// The bare socket.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.unread.is_empty() {
            // The watch has seen it.
            let length = this.unread.len().min(buf.remaining());
            buf.put_slice(&this.unread.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Some(new @ [_, ..]) = buf.filled().get(before..) {
            this.watch.note_read(new);
        } else if matches!(polled, Poll::Ready(Ok(()))) && buf.remaining() > 0 && this.watch.note_end() {
            // The end stays: it is read again when the answer is out. Until then the connection's deadline wakes the task.
            return Poll::Pending;
        }
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watch.note_write(&polled);
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.watch.note_write(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
