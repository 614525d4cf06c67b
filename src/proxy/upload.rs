//! A request body on its way to the upstream: streamed, counted, watched.
//!
//! The body is inside hyper's connection while it is sent; what happens to it is told to the waiting request through a
//! small shared note.
//!
//! A client may keep the upstream waiting, but not for ever a byte at a time (attack 163): its silences together may take as
//! long as a single one, and what it delivers buys more at [`SLOWEST`].

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use super::headers;
use crate::body::{BodyError, RequestBody};

/// The body of one forwarded request.
#[derive(Debug, Default)]
pub(super) struct Upload {
    body: RequestBody,
    /// How many bytes may still come.
    left: u64,
    /// How long the client may still keep us waiting.
    patience: Duration,
    waiting_since: Option<Instant>,
    note: Option<Arc<Note>>,
}

/// How an upload goes.
#[derive(Debug, Default)]
pub(super) struct Note {
    state: AtomicU8,
    pieces: AtomicU32,
}

/// The state of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The client has sent something that the upstream has not taken yet.
    Sending,
    /// The client is to send more.
    AwaitingClient,
    /// All is sent.
    Done,
    /// More than `max_body` came; the upload was cut.
    TooLarge,
    /// The client's body ended in an error.
    Broken,
}

impl Upload {
    /// A body of at most `max` bytes whose client is waited for with this `patience`, and the note about it; none for an
    /// empty one.
    pub(super) fn new(body: RequestBody, max: u64, patience: Duration) -> (Self, Option<Arc<Note>>) {
        if body.is_end_stream() {
            return (Self::default(), None);
        }
        let note = Arc::new(Note::default());
        let upload = Self {
            body,
            left: max,
            patience,
            waiting_since: None,
            note: Some(Arc::clone(&note)),
        };
        (upload, Some(note))
    }

    /// Takes the silence before a piece of `length` bytes from what is left of our patience, and adds what the piece buys.
    fn is_fast_enough(&mut self, length: usize) -> bool {
        let silence = self.waiting_since.take().map(|since| since.elapsed());
        let Some(patience) = self.patience.checked_sub(silence.unwrap_or_default()) else {
            return false;
        };
        self.patience = patience + Duration::from_secs(length as u64) / SLOWEST;
        true
    }

    fn tell(&self, progress: Progress) {
        if let Some(note) = &self.note {
            note.state.store(progress as u8, Ordering::Relaxed);
        }
    }

    fn fail(
        &mut self,
        progress: Progress,
        error: BodyError,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.tell(progress);
        self.note = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl Note {
    /// Where the upload is.
    pub(super) fn progress(&self) -> Progress {
        match self.state.load(Ordering::Relaxed) {
            0 => Progress::Sending,
            1 => Progress::AwaitingClient,
            2 => Progress::Done,
            3 => Progress::TooLarge,
            _ => Progress::Broken,
        }
    }

    /// How many pieces have come from the client.
    pub(super) fn pieces(&self) -> u32 {
        self.pieces.load(Ordering::Relaxed)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending => {
                this.waiting_since.get_or_insert_with(Instant::now);
                this.tell(Progress::AwaitingClient);
                Poll::Pending
            }
            Poll::Ready(None) => {
                this.tell(Progress::Done);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => this.fail(Progress::Broken, error),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(note) = &this.note {
                    note.pieces.fetch_add(1, Ordering::Relaxed);
                }
                match frame.into_data() {
                    Ok(data) => {
                        if !this.is_fast_enough(data.len()) {
                            return this.fail(Progress::Broken, "the body came too slowly".into());
                        }
                        let Some(left) = this.left.checked_sub(data.len() as u64) else {
                            return this.fail(
                                Progress::TooLarge,
                                "the body is larger than the route allows".into(),
                            );
                        };
                        this.left = left;
                        this.tell(if this.body.is_end_stream() {
                            Progress::Done
                        } else {
                            Progress::Sending
                        });
                        Poll::Ready(Some(Ok(Frame::data(data))))
                    }
                    Err(frame) => {
                        this.tell(Progress::Done);
                        let mut trailers = frame.into_trailers().unwrap_or_default();
                        headers::clean_trailers(&mut trailers);
                        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    /// hyper drops a body it has sent, or one it has given up on.
    fn drop(&mut self) {
        if let Some(note) = &self.note
            && self.body.is_end_stream()
        {
            note.state.store(Progress::Done as u8, Ordering::Relaxed);
        }
    }
}

/// Bytes a second that a client delivers at least.
const SLOWEST: u32 = 500;
