//! What is on its way to the upstream: the head of a request, then its body as it comes.
//!
//! 1. Head and first piece go in one write where the piece is there already.
//! 2. Nothing is read from the client before what it sent last has gone: a slow upstream slows the client down, no memory
//!    grows.
//! 3. The body is exactly as long as the head says, or the connection is cut: whatever is left over would be read as the
//!    next request (attack 154).

use std::io::{self, IoSlice, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use tokio::io::AsyncWrite as _;

use super::connect::Wire;
use super::upload::{Cut, Framing, INCOMPLETE, Piece, Upload};

/// One request on its way.
#[derive(Debug)]
pub(super) struct Outbox {
    /// The head, then what stands around the pieces of the body.
    front: Vec<u8>,
    /// How much of it has gone.
    gone: usize,
    /// A piece of the body.
    piece: Bytes,
    /// What ends the piece.
    end: &'static [u8],
    framing: Framing,
    /// Nothing more comes.
    complete: bool,
    /// What has been written has left for the upstream: TLS holds records back while the socket takes none.
    flushed: bool,
    pub(super) upload: Upload,
}

/// Why a request does not get through.
#[derive(Debug)]
pub(super) enum Stuck {
    /// By the client's fault.
    Cut(Cut),
    /// The socket takes nothing any more.
    Socket(io::Error),
}

impl Outbox {
    /// A request with this head; its body is framed as the head says.
    pub(super) const fn new(head: Vec<u8>, framing: Framing, upload: Upload) -> Self {
        Self {
            front: head,
            gone: 0,
            piece: Bytes::new(),
            end: b"",
            complete: matches!(framing, Framing::Nothing),
            flushed: false,
            framing,
            upload,
        }
    }

    /// Whether it can be sent once more from its beginning.
    pub(super) const fn can_start_over(&self) -> bool {
        matches!(self.framing, Framing::Nothing)
    }

    /// From its beginning.
    pub(super) const fn start_over(&mut self) {
        self.gone = 0;
        self.flushed = false;
    }

    /// The client is waited for.
    pub(super) const fn awaits_client(&self) -> bool {
        self.upload.awaits_client && !self.complete
    }

    /// Whether all of it has gone.
    pub(super) const fn is_sent(&self) -> bool {
        self.complete && self.is_written() && self.flushed
    }

    /// The buffer, for the next head.
    pub(super) fn into_buffer(mut self) -> Vec<u8> {
        self.front.clear();
        self.front.shrink_to(MOST_KEPT);
        self.front
    }

    /// Sends on. Ready when all has gone.
    pub(super) fn poll_send(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<Result<(), Stuck>> {
        loop {
            let mut waits = false;
            if !self.complete && self.piece.is_empty() && self.end.is_empty() {
                match self.upload.poll_piece(cx) {
                    Poll::Ready(Ok(piece)) => self.put(piece).map_err(Stuck::Cut)?,
                    Poll::Ready(Err(cut)) => return Poll::Ready(Err(Stuck::Cut(cut))),
                    Poll::Pending => waits = true,
                }
            }
            while !self.is_written() {
                ready!(self.poll_write(wire, cx)).map_err(Stuck::Socket)?;
            }
            if self.complete || waits {
                ready!(Pin::new(&mut *wire).poll_flush(cx)).map_err(Stuck::Socket)?;
                return if self.complete {
                    self.flushed = true;
                    Poll::Ready(Ok(()))
                } else {
                    Poll::Pending
                };
            }
        }
    }

    const fn is_written(&self) -> bool {
        self.gone == self.front.len() && self.piece.is_empty() && self.end.is_empty()
    }

    fn put(&mut self, piece: Piece) -> Result<(), Cut> {
        if self.gone == self.front.len() {
            self.front.clear();
            self.gone = 0;
        }
        match (piece, &mut self.framing) {
            // An empty chunk would be the last one.
            (Piece::Data(data), _) if data.is_empty() => Ok(()),
            (Piece::Data(data), Framing::Length(left)) => {
                *left = left.checked_sub(data.len() as u64).ok_or(INCOMPLETE)?;
                self.complete = *left == 0;
                self.piece = data;
                Ok(())
            }
            (Piece::Data(data), Framing::Chunked) => {
                // Writing to memory does not fail.
                let _ = write!(self.front, "{:x}\r\n", data.len());
                self.piece = data;
                self.end = b"\r\n";
                Ok(())
            }
            (Piece::Data(_), Framing::Nothing) => Err(INCOMPLETE),
            (Piece::End(_), Framing::Length(left)) if *left > 0 => Err(INCOMPLETE),
            (Piece::End(trailers), framing) => {
                if *framing == Framing::Chunked {
                    put_trailers(&mut self.front, &trailers);
                }
                self.complete = true;
                Ok(())
            }
        }
    }

    fn poll_write(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let front = self.front.get(self.gone..).unwrap_or_default();
        let written = if self.piece.is_empty() && self.end.is_empty() {
            ready!(Pin::new(wire).poll_write(cx, front))?
        } else {
            let slices = [
                IoSlice::new(front),
                IoSlice::new(&self.piece),
                IoSlice::new(self.end),
            ];
            ready!(Pin::new(wire).poll_write_vectored(cx, &slices))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let of_front = written.min(front.len());
        let of_piece = (written - of_front).min(self.piece.len());
        let of_end = written - of_front - of_piece;
        self.gone += of_front;
        self.piece.advance(of_piece);
        self.end = self.end.get(of_end..).unwrap_or_default();
        Poll::Ready(Ok(()))
    }
}

fn put_trailers(front: &mut Vec<u8>, trailers: &HeaderMap) {
    front.extend_from_slice(b"0\r\n");
    for (name, value) in trailers {
        front.extend_from_slice(name.as_str().as_bytes());
        front.extend_from_slice(b": ");
        front.extend_from_slice(value.as_bytes());
        front.extend_from_slice(b"\r\n");
    }
    front.extend_from_slice(b"\r\n");
}

/// What a connection keeps of a buffer for heads.
const MOST_KEPT: usize = 16 * 1024;

#[cfg(test)]
mod tests;
