//! A response body on its way from an upstream to the browser.
//!
//! It carries the connection it comes from, drives it, and gives it back to its thread's pool at its end. A body that
//! is dropped before takes its connection with it: what is left on the wire belongs to nobody (attack 154).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::answer;
use super::decode::{Decoded, Decoder};
use super::link::Link;
use super::outbox::{Outbox, Stuck};
use super::pool;
use crate::body::BodyError;

/// A response body on its way from an upstream connection, which it gives back to its thread's pool at its end.
#[derive(Debug)]
pub struct UpstreamBody {
    decoder: Decoder,
    link: Option<Box<Link>>,
    /// The connection may serve another request afterwards.
    keeps: bool,
    /// The rest of a request whose answer began before it was all sent.
    outbox: Option<Box<Outbox>>,
    /// That rest will never come, by the client's fault.
    is_cut: bool,
    /// How many pieces of it had come when the silence began: a client that uploads is no silence of the upstream.
    pieces: u32,
    /// How long it may be waited for a piece; `None` = as long as it takes.
    idle: Option<Duration>,
    /// Somebody waits. Silence counts from there: that the browser read slowly is no fault of the upstream.
    waiting: bool,
}

impl UpstreamBody {
    /// Takes over a connection whose next bytes are a body.
    pub(super) const fn new(
        decoder: Decoder,
        link: Box<Link>,
        keeps: bool,
        outbox: Option<Box<Outbox>>,
        idle: Option<Duration>,
    ) -> Self {
        Self {
            decoder,
            link: Some(link),
            keeps,
            outbox,
            is_cut: false,
            pieces: 0,
            idle,
            waiting: false,
        }
    }

    fn settle(&mut self) {
        self.outbox = None;
        if let Some(link) = self.link.take()
            && self.keeps
        {
            pool::give_back(link);
        }
    }

    /// The next piece, as far as it has arrived or can be read now.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Decoded, BodyError>> {
        let Some(link) = &mut self.link else {
            return Poll::Ready(Ok(Decoded::End));
        };
        if let Some(outbox) = &mut self.outbox
            && let Poll::Ready(sent) = outbox.poll_send(&mut link.wire, cx)
        {
            // Sent, or stuck: what the upstream says about it is the answer that it has begun.
            self.outbox = None;
            self.is_cut = matches!(sent, Err(Stuck::Cut(_)));
        }
        loop {
            match self.decoder.decode(&mut link.arrived)? {
                Decoded::More => {}
                piece => return Poll::Ready(Ok(piece)),
            }
            let polled = link.poll_fill(cx, self.decoder.left());
            // What has arrived is an answer all the same; but nothing more is waited for.
            if self.is_cut && polled.is_pending() {
                return Poll::Ready(Err("the rest of the request does not come".into()));
            }
            match ready!(polled)? {
                0 if self.decoder.ends_with_the_connection() => return Poll::Ready(Ok(Decoded::End)),
                0 => {
                    return Poll::Ready(Err(
                        "the upstream connection ended in the middle of its answer".into()
                    ));
                }
                _ => {}
            }
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = this.poll_piece(cx);
        let pieces = this
            .outbox
            .as_ref()
            .map_or(this.pieces, |outbox| outbox.upload.pieces);
        let uploads = std::mem::replace(&mut this.pieces, pieces) != pieces;
        let waited = std::mem::replace(&mut this.waiting, polled.is_pending());
        let frame = match polled {
            Poll::Pending => {
                let Some(link) = &mut this.link else {
                    return Poll::Pending;
                };
                if !waited || uploads {
                    link.timer.set(this.idle);
                }
                if !link.timer.is_overdue(cx) {
                    return Poll::Pending;
                }
                Err("the upstream fell silent in the middle of its answer".into())
            }
            Poll::Ready(Ok(Decoded::Data(data))) => Ok(Frame::data(data)),
            Poll::Ready(Ok(Decoded::Trailers(trailers))) => {
                Ok(answer::clean_frame(Frame::trailers(trailers)))
            }
            Poll::Ready(Ok(Decoded::End | Decoded::More)) => {
                this.settle();
                return Poll::Ready(None);
            }
            Poll::Ready(Err(error)) => Err(error),
        };
        if frame.is_err() {
            this.link = None;
        } else if this.decoder.is_done() {
            this.settle();
        }
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.link.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.decoder
            .left()
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
