//! Looks after what outlasts a look: an answer or an upload that goes on for longer than a moment ends with its session
//! (contract §9, attack 130).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Sleep;

use super::{SessionParts, Sessions};
use crate::session::Session;

/// Watches one session for one stream. It costs nothing until it is polled.
pub struct Watch {
    parts: Arc<SessionParts>,
    session: Arc<Session>,
    /// When to look again; set when the stream turns out to be one.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

impl Sessions {
    /// Watches `session` for a stream of its.
    pub(crate) fn watch(&self, session: &Arc<Session>) -> Watch {
        Watch {
            parts: Arc::clone(&self.parts),
            session: Arc::clone(session),
            sleep: None,
        }
    }
}

impl Watch {
    /// Whether it is being watched already.
    pub(crate) fn is_awake(&self) -> bool {
        self.sleep.is_some()
    }

    /// Ready once the session has ended, at most [`EVERY`] later. Idling ends no stream, and a store that cannot be asked
    /// does not either.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let sleep = self
                .sleep
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(EVERY)));
            // Outside the task's budget: a stream that flows all the time must not put its end off.
            ready!(tokio::task::unconstrained(sleep.as_mut()).poll_unpin(cx));
            sleep.as_mut().reset(tokio::time::Instant::now() + EVERY);
            if self.is_over() {
                return Poll::Ready(());
            }
        }
    }

    /// Waits for the end of the session.
    pub(crate) async fn over(mut self) {
        std::future::poll_fn(|cx| self.poll_over(cx)).await;
    }

    fn is_over(&self) -> bool {
        let (parts, session) = (&*self.parts, &*self.session);
        let now = parts.now();
        now >= session.absolute_end(parts.app.session.absolute_timeout)
            // Nothing renews it.
            || session.refresh.is_none() && session.access.expires.is_some_and(|expires| now >= expires)
            || parts.has_ended(session, now)
    }
}

/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);
