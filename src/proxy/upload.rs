//! A request body on its way to the upstream: streamed, counted, watched.
//!
//! A client may keep the upstream waiting, but not for ever a byte at a time (attack 163): its silences together may take as
//! long as a single one, and what it delivers buys more at [`SLOWEST`].

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use tokio::time::Instant;

use super::headers;
use crate::body::RequestBody;

/// The body of one forwarded request.
#[derive(Debug, Default)]
pub(super) struct Upload {
    body: RequestBody,
    /// How many bytes may still come.
    left: u64,
    /// How long the client may still keep us waiting.
    patience: Duration,
    waiting_since: Option<Instant>,
    /// The client is to send more.
    pub(super) awaits_client: bool,
    /// How many pieces have come from the client.
    pub(super) pieces: u32,
}

/// How the upstream is told where a request body ends (RFC 9112 §6.1, §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Framing {
    /// There is none.
    #[default]
    Nothing,
    /// This many bytes.
    Length(u64),
    /// Nobody knows yet.
    Chunked,
}

/// What comes of an upload.
#[derive(Debug)]
pub(super) enum Piece {
    /// Bytes.
    Data(Bytes),
    /// The end, and what came behind it.
    End(HeaderMap),
}

/// Why an upload ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// More than `max_body` came.
    TooLarge,
    /// The client does not deliver the body that it announced.
    Broken(&'static str),
}

impl Upload {
    /// A body of at most `max` bytes whose client is waited for with this `patience`.
    pub(super) fn new(body: RequestBody, max: u64, patience: Duration) -> Self {
        Self {
            body,
            left: max,
            patience,
            ..Self::default()
        }
    }

    /// How it is framed: as the client framed it, where it has a body at all.
    pub(super) fn framing(&self) -> Framing {
        if self.body.is_end_stream() {
            return Framing::Nothing;
        }
        self.body
            .size_hint()
            .exact()
            .map_or(Framing::Chunked, Framing::Length)
    }

    /// The next piece from the client.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Piece, Cut>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.awaits_client = polled.is_pending();
        match polled {
            Poll::Pending => {
                self.waiting_since.get_or_insert_with(Instant::now);
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Ok(Piece::End(HeaderMap::new()))),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Err(INCOMPLETE)),
            Poll::Ready(Some(Ok(frame))) => {
                self.pieces = self.pieces.wrapping_add(1);
                Poll::Ready(match frame.into_data() {
                    Ok(data) => self.count(data.len()).map(|()| Piece::Data(data)),
                    Err(frame) => {
                        let mut trailers = frame.into_trailers().unwrap_or_default();
                        headers::clean_trailers(&mut trailers);
                        Ok(Piece::End(trailers))
                    }
                })
            }
        }
    }

    fn count(&mut self, length: usize) -> Result<(), Cut> {
        if !self.is_fast_enough(length) {
            return Err(Cut::Broken("the request body came too slowly"));
        }
        self.left = self.left.checked_sub(length as u64).ok_or(Cut::TooLarge)?;
        Ok(())
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
}

/// The client stopped in the middle, or its framing makes no sense.
pub(super) const INCOMPLETE: Cut = Cut::Broken("the request body is incomplete or malformed");

/// Bytes a second that a client delivers at least.
const SLOWEST: u32 = 500;
