//! One request on one connection, up to the head of its answer.
//!
//! Sending and listening go on side by side: an upstream may answer before it has heard everything, and a client may take
//! its time. While the client uploads, each piece buys time; the route's timeout runs from the last one.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use http::Method;

use super::answer_head::{AnswerHead, HeadReader};
use super::link::Link;
use super::outbox::{Outbox, Stuck};
use super::upload::Cut;
use crate::config::{Route, Upstream};
use crate::refusal::{Code, Refusal};

/// A request under way.
pub(super) struct Exchange<'a> {
    link: &'a mut Link,
    method: &'a Method,
    outbox: &'a mut Outbox,
    route: &'a Route,
    reader: HeadReader,
    /// Not a byte of an answer has come.
    unheard: bool,
    /// The upstream takes nothing any more.
    stuck: Option<io::Error>,
    /// How far sending had come when the deadline was set.
    timed: Option<(bool, u32)>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection.
    Unreachable(io::Error),
    /// A connection, then none; or an answer that is none. `unheard`: not a byte of an answer has come.
    Died { why: Cow<'static, str>, unheard: bool },
    /// Not in time.
    Slow(&'static str),
    /// By the client's fault.
    Cut(Cut),
}

impl<'a> Exchange<'a> {
    /// Sends `outbox` through `link`.
    pub(super) fn new(
        link: &'a mut Link,
        method: &'a Method,
        outbox: &'a mut Outbox,
        route: &'a Route,
    ) -> Self {
        Self {
            link,
            method,
            outbox,
            route,
            reader: HeadReader::default(),
            unheard: true,
            stuck: None,
            timed: None,
        }
    }

    /// The head of the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn answer(mut self) -> Result<AnswerHead, Failure> {
        poll_fn(|cx| {
            self.send_on(cx)?;
            match self.poll_head(cx) {
                Poll::Pending => self.poll_deadline(cx),
                ready @ Poll::Ready(_) => ready,
            }
        })
        .await
    }

    fn send_on(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        if self.stuck.is_some() || self.outbox.is_sent() {
            return Ok(());
        }
        match self.outbox.poll_send(&mut self.link.wire, cx) {
            Poll::Ready(Err(Stuck::Cut(cut))) => return Err(Failure::Cut(cut)),
            // The upstream may have said why before it closed its side.
            Poll::Ready(Err(Stuck::Socket(error))) => self.stuck = Some(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        Ok(())
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<AnswerHead, Failure>> {
        loop {
            match ready!(self.link.poll_fill(cx, None)) {
                Ok(0) => return Poll::Ready(Err(self.died("the upstream closed the connection"))),
                Err(error) => return Poll::Ready(Err(self.died(error.to_string()))),
                Ok(_) => self.unheard = false,
            }
            match self.reader.read(&mut self.link.arrived, self.method) {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) => {}
                Err(why) => return Poll::Ready(Err(self.died(why))),
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Result<AnswerHead, Failure>> {
        let now = (self.outbox.is_sent(), self.outbox.upload.pieces);
        if self.timed != Some(now) {
            self.timed = Some(now);
            let (is_sent, _) = now;
            self.link.timer.set(Some(if is_sent {
                self.route.timeout
            } else {
                self.route.stream_idle_timeout
            }));
        }
        if !self.link.timer.is_overdue(cx) {
            return Poll::Pending;
        }
        Poll::Ready(Err(if self.stuck.is_some() {
            self.died("the upstream takes nothing and says nothing")
        } else if self.outbox.awaits_client() {
            Failure::Cut(Cut::Broken("the request body came too slowly"))
        } else {
            Failure::Slow("the upstream does not answer in time")
        }))
    }

    fn died(&self, why: impl Into<Cow<'static, str>>) -> Failure {
        let why = why.into();
        Failure::Died {
            why: match &self.stuck {
                Some(error) => format!("{why} ({error})").into(),
                None => why,
            },
            unheard: self.unheard,
        }
    }
}

impl Failure {
    /// What the client is told: never where. And the operator: which upstream, as it is configured, and why.
    pub(super) fn refusal(self, upstream: &Upstream) -> Refusal {
        let refusal =
            |code, why: fmt::Arguments<'_>| Refusal::new(code).because(format!("{upstream}: {why}"));
        match self {
            Self::Unreachable(error) => {
                refusal(Code::UpstreamUnavailable, format_args!("cannot connect: {error}"))
            }
            Self::Died { why, .. } => refusal(Code::UpstreamUnavailable, format_args!("{why}")),
            Self::Slow(why) => refusal(Code::UpstreamTimeout, format_args!("{why}")),
            Self::Cut(Cut::TooLarge) => Refusal::new(Code::PayloadTooLarge).closing(),
            Self::Cut(Cut::Broken(why)) => Refusal::new(Code::InvalidRequest).saying(why).closing(),
        }
    }
}

#[cfg(test)]
mod tests;
