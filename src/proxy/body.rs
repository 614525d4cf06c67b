//! A response body on its way from an upstream to the browser.
//!
//! It carries the connection it comes from, drives it, and gives it back to its thread's pool at its end. A body that
//! is dropped before takes its connection with it: what is left on the wire belongs to nobody (attack 154).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::link::Link;
use super::{answer, pool};
use crate::body::BodyError;

/// A response body on its way from an upstream connection, which it gives back to its thread's pool at its end.
#[derive(Debug)]
pub struct UpstreamBody {
    body: Incoming,
    link: Option<Box<Link>>,
    /// How long it may be waited for a piece; `None` = as long as it takes.
    idle: Option<Duration>,
    /// Somebody waits. Silence counts from there: that the browser read slowly is no fault of the upstream.
    waiting: bool,
}

impl UpstreamBody {
    /// Takes over a body and its connection; an empty body gives the connection back at once.
    pub(super) fn new(body: Incoming, link: Box<Link>, idle: Option<Duration>) -> Option<Self> {
        if body.is_end_stream() {
            pool::give_back(link);
            return None;
        }
        Some(Self {
            body,
            link: Some(link),
            idle,
            waiting: false,
        })
    }

    fn settle(&mut self) {
        if let Some(link) = self.link.take() {
            pool::give_back(link);
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
        let Some(link) = &mut this.link else {
            return Poll::Ready(None);
        };
        let body = &mut this.body;
        // What is there already; this also tells the connection that more is wanted.
        let mut polled = link.glance(|cx| poll_piece(body, cx));
        if polled.is_pending() {
            polled = link.drive(cx, |cx, ended| match poll_piece(body, cx) {
                Poll::Pending if ended => Poll::Ready(Some(Err(
                    "the upstream connection ended in the middle of its answer".into(),
                ))),
                polled => polled,
            });
        }
        let waited = std::mem::replace(&mut this.waiting, polled.is_pending());
        match polled {
            Poll::Pending => {
                if !waited {
                    link.set_deadline(this.idle);
                }
                if link.is_overdue() {
                    this.link = None;
                    return Poll::Ready(Some(Err(
                        "the upstream fell silent in the middle of its answer".into()
                    )));
                }
                Poll::Pending
            }
            Poll::Ready(None) => {
                this.settle();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => {
                this.link = None;
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(Some(Ok(frame))) => {
                if this.body.is_end_stream() {
                    this.settle();
                }
                Poll::Ready(Some(Ok(answer::clean_frame(frame))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.link.is_none() || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

type Piece = Option<Result<Frame<Bytes>, BodyError>>;

fn poll_piece(body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Piece> {
    Pin::new(body).poll_frame(cx).map_err(Into::into)
}
