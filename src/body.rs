//! The two bodies of the data plane: what comes in and goes to the upstream, what goes out to the browser.
//!
//! Both are enums, not boxed trait objects: the proxied case costs no allocation and no virtual call, and the
//! agent's axum bodies pass through the same type.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::proxy::UpstreamBody;
use crate::renewal::Watch;

/// Any error a body can end with.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// A request body on its way in.
#[derive(Debug, Default)]
pub enum RequestBody {
    /// Nothing.
    #[default]
    Empty,
    /// From our own listener.
    Incoming(hyper::body::Incoming),
    /// From whoever mounts this crate in an axum app.
    Any(axum::body::Body),
}

/// A response body on its way out.
#[derive(Debug, Default)]
pub enum ResponseBody {
    /// Nothing.
    #[default]
    Empty,
    /// A few bytes that are all there.
    Full(Bytes),
    /// Streamed from an upstream.
    Upstream(UpstreamBody),
    /// The same, for as long as a session lasts.
    OfSession(UpstreamBody, Watch),
    /// From the agent's axum router or the static files.
    Any(axum::body::Body),
}

impl ResponseBody {
    /// A body that is all there.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Full(bytes)
        }
    }

    /// A stream of an upstream ends with the session that `watch` watches; anything else is as it is.
    pub(crate) fn ending_with(self, watch: Watch) -> Self {
        match self {
            Self::Upstream(body) => Self::OfSession(body, watch),
            other => other,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Any(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Incoming(body) => body.is_end_stream(),
            Self::Any(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Incoming(body) => body.size_hint(),
            Self::Any(body) => body.size_hint(),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Upstream(body) => Pin::new(body).poll_frame(cx),
            Self::OfSession(body, watch) => poll_watched(body, watch, cx),
            Self::Any(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Upstream(body) | Self::OfSession(body, _) => body.is_end_stream(),
            Self::Any(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) | Self::OfSession(body, _) => body.size_hint(),
            Self::Any(body) => body.size_hint(),
        }
    }
}

/// The next piece of a stream whose session is watched from when it is first waited for. It breaks off instead of ending: a
/// browser must not take half a download for a whole one.
fn poll_watched(
    body: &mut UpstreamBody,
    watch: &mut Watch,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
    let over = || Poll::Ready(Some(Err("the session has ended".into())));
    if watch.is_awake() && watch.poll_over(cx).is_ready() {
        return over();
    }
    let polled = Pin::new(body).poll_frame(cx);
    if polled.is_pending() && !watch.is_awake() && watch.poll_over(cx).is_ready() {
        return over();
    }
    polled
}

/// A request body that has to arrive within a time.
#[derive(Debug)]
pub(crate) struct Hurried {
    body: RequestBody,
    time: Duration,
    /// Set when the body is first waited for.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Hurried {
    /// Gives `body` this long, from the first time it is asked for and not all there.
    pub(crate) fn new(body: RequestBody, time: Duration) -> Self {
        Self {
            body,
            time,
            sleep: None,
        }
    }
}

impl Body for Hurried {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if polled.is_pending() {
            let sleep = this
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(this.time)));
            if sleep.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Err("the request body came too slowly".into())));
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
