//! `GET session`: what is there, without changing it.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::alive::{Alive, Over, Standing};
use super::shelf::Arrival;
use super::{Peek, Sessions};
use crate::clock::Timestamp;
use crate::refusal::Refusal;
use crate::session::{Parts, Presented, Replaces, Session};

impl Sessions {
    /// `GET session`: never slides, never renews; clears the cookies of an ended session.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn peek(&self, headers: &HeaderMap) -> Result<Peek, Refusal> {
        let gone = |reason, clear: bool| Peek::Gone {
            reason,
            set_cookies: if clear {
                self.parts.cookies.clear(headers)
            } else {
                Vec::new()
            },
        };
        let now = self.now();
        Ok(match self.arrive(headers, now).await? {
            Arrival::Absent => gone("none", false),
            Arrival::Unreadable { clear } => gone("none", clear),
            Arrival::Session(Standing::Alive(alive), presented) => self.alive(alive, presented, now),
            // No session, but perhaps one for a replica that has the key.
            Arrival::Session(Standing::Over(Over::Damaged), _) => gone(Over::Damaged.reason(), false),
            Arrival::Session(Standing::Over(over), _) => gone(over.reason(), true),
        })
    }

    fn alive(&self, alive: Alive, presented: Presented, now: Timestamp) -> Peek {
        let configured = &self.parts.app.session;
        let session = alive.session;
        // A token that must not be used before it is renewed has no time left, whatever its `exp` says.
        let stale = session.epoch != self.parts.store.epoch();
        let access_left = if stale {
            Some(Duration::ZERO)
        } else {
            session.access.expires.map(|expires| expires.since(now))
        };
        let absolute_left = session.absolute_end(configured.absolute_timeout).since(now);
        let session_left = match access_left {
            Some(access_left) if session.refresh.is_none() => absolute_left.min(access_left),
            _ => absolute_left,
        };
        Peek::Alive {
            access_expires_in: access_left.map(|left| left.as_secs()),
            session_expires_in: session_left.as_secs(),
            idle_expires_in: session.idle_end(configured.idle_timeout).since(now).as_secs(),
            set_cookies: if alive.handed {
                self.newest_cookies(&session, presented, now)
            } else {
                self.surplus(&session, presented, Parts::NONE)
            },
            session,
        }
    }

    /// The cookies of a newer generation for a browser that presented an older one; `touched` stays.
    fn newest_cookies(&self, session: &Session, presented: Presented, now: Timestamp) -> Vec<HeaderValue> {
        self.parts
            .cookies
            .seal(session, Parts::ALL, Replaces::Presented(presented), now)
            .unwrap_or_else(|error| {
                drop(self.too_large(error));
                Vec::new()
            })
    }
}
