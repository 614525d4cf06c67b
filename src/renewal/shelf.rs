//! Sessions in the store: where the tokens of a generation are put, fetched from and forgotten (`session.mode`).
//!
//! Each generation has content of its own, under a name of its own. The old one stays as long as the kept result of the
//! renewal does: whoever still holds the old cookies needs both to be given the new ones. What is forgotten late, because
//! the store failed or a process died, is sealed and goes at the session's absolute end.

use std::sync::Arc;

use http::HeaderMap;

use super::Sessions;
use super::alive::{Over, Standing, store_unavailable};
use crate::clock::Timestamp;
use crate::config::SessionMode;
use crate::refusal::{Code, Refusal};
use crate::session::{Opened, Presented, Session, Shelf, Shelved};
use crate::store::EndReason;

/// What the cookies of a request come to.
pub(super) enum Arrival {
    /// There are none of ours.
    Absent,
    /// They make no session.
    Unreadable {
        /// Whether the jar is to be cleared.
        clear: bool,
    },
    /// A session, and where it stands.
    Session(Standing, Presented),
}

impl Sessions {
    /// What the cookies in `headers` come to. Waits for the store only where it holds the tokens and this thread does not
    /// remember them.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(super) async fn arrive(&self, headers: &HeaderMap, now: Timestamp) -> Result<Arrival, Refusal> {
        match self.parts.cookies.open(headers) {
            Opened::Absent => Ok(Arrival::Absent),
            Opened::Unreadable { clear } => Ok(Arrival::Unreadable { clear }),
            Opened::Session(session, presented) => {
                let standing = self.presented_standing(session, now).await?;
                Ok(Arrival::Session(standing, presented))
            }
            // Boxed: the way of every other request stays as small as it was.
            Opened::Shelved(shelved, presented) => {
                let standing = Box::pin(self.shelved(headers, &shelved, presented, now)).await?;
                Ok(Arrival::Session(standing, presented))
            }
        }
    }

    /// Where a session stands whose tokens lie in the store. What its cookies tell comes first: of an ended session nothing
    /// is fetched, for there may be nothing left.
    async fn shelved(
        &self,
        headers: &HeaderMap,
        shelved: &Shelved,
        presented: Presented,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        let facts = shelved.facts();
        let look = self.look(facts, now).await?;
        if let Some(reason) = look.ended {
            return Ok(Standing::Over(Over::Ended(reason)));
        }
        if self.timed_out(facts, now) {
            return Ok(Standing::Over(Over::Expired));
        }
        if let Some(session) = self.fetch(shelved, now).await? {
            let session = Arc::new(session);
            self.parts.cookies.remember(headers, &session, presented);
            return self.presented_standing(session, now).await;
        }
        if look
            .newest
            .is_some_and(|newest| facts.generation < newest.generation)
        {
            // The content of an old generation goes with its excuse.
            self.end_reused(facts, now).await?;
            return Ok(Standing::Over(Over::Ended(EndReason::Revoked)));
        }
        tracing::info!(
            event = "session_content_missing",
            app = self.parts.app.id.as_str(),
            "the store does not have the tokens of a session that lives there; it is over"
        );
        // Its refresh token is gone: nothing renews it (contract §9).
        Ok(Standing::Over(Over::Expired))
    }

    /// The session of these cookies; `None` when the store does not have its content, or has something else in its place.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(super) async fn fetch(&self, shelved: &Shelved, now: Timestamp) -> Result<Option<Session>, Refusal> {
        let kept = self.parts.store.content(shelved.shelf().name(), now).await;
        let Some(sealed) = kept.map_err(store_unavailable)? else {
            return Ok(None);
        };
        let session = self.parts.cookies.open_content(shelved, &sealed);
        if session.is_none() {
            tracing::warn!(
                event = "session_content_unreadable",
                app = self.parts.app.id.as_str(),
                "the store answered with something else than what was put there"
            );
        }
        Ok(session)
    }

    /// Puts the new generation `session` into the store, where the mode says so or its cookies cannot hold it. `before` is
    /// the generation that it follows.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(super) async fn put(
        &self,
        session: &Session,
        before: Option<&Session>,
        now: Timestamp,
    ) -> Result<Option<Shelf>, Refusal> {
        if !self.belongs_in_store(session) {
            return Ok(None);
        }
        let parts = &self.parts;
        let before = before.and_then(|before| before.shelf.as_ref()).map(Shelf::name);
        let shelf = Shelf::new(before, &*parts.random);
        let sealed = parts.cookies.seal_content(session, &shelf).ok_or_else(|| {
            Refusal::new(Code::Internal).because("the content of a session cannot be sealed")
        })?;
        let until = Self::longest(session);
        let put = parts.store.put_content(shelf.name(), sealed, until, now).await;
        put.map_err(store_unavailable)?;
        Ok(Some(shelf))
    }

    /// [`Self::put`] after a renewal. The old refresh token is spent, so a store that failed in between must not cost the
    /// session: its cookies hold the tokens until it is renewed again.
    pub(super) async fn put_renewed(
        &self,
        renewed: &Session,
        old: &Session,
        now: Timestamp,
    ) -> Option<Shelf> {
        self.put(renewed, Some(old), now).await.unwrap_or_else(|refusal| {
            tracing::error!(
                event = "session_content_not_kept",
                app = self.parts.app.id.as_str(),
                %refusal,
                "the store does not take the tokens of a renewed session; its cookies hold them until the next renewal"
            );
            None
        })
    }

    /// Whether a new generation's tokens go to the store: by the mode, or because they do not fit into the cookies and the
    /// store keeps what it is given.
    fn belongs_in_store(&self, session: &Session) -> bool {
        let parts = &self.parts;
        match parts.app.session.mode {
            SessionMode::Store => true,
            // Where a restart forgets the tokens, a session is better refused than lost.
            SessionMode::Cookie if !parts.store.keeps_content() => false,
            SessionMode::Cookie => {
                let Err(error) = parts.cookies.room_for(session) else {
                    return false;
                };
                let [at, rt, id] = error.cookies;
                tracing::info!(
                    event = "session_moved_to_store",
                    app = parts.app.id.as_str(),
                    needed = error.needed,
                    budget = error.budget,
                    at,
                    rt,
                    id,
                    "the tokens do not fit into the cookies; the store keeps them"
                );
                true
            }
        }
    }

    /// Until when its content can be of use, whatever a reload does to the configured timeouts.
    fn longest(session: &Session) -> Timestamp {
        let end = session.absolute_end(session.absolute);
        match session.access.expires {
            Some(expires) if session.refresh.is_none() => end.min(expires),
            _ => end,
        }
    }

    /// The content of `session` goes at `until`. A failure only lets it lie until the absolute end.
    pub(super) async fn forget(&self, session: &Session, until: Timestamp, now: Timestamp) {
        if let Some(shelf) = &session.shelf {
            self.forget_name(shelf.name(), until, now).await;
        }
    }

    /// The content of a session that has ended goes at once, that of the generation before it too.
    pub(super) async fn forget_ended(&self, session: &Session, now: Timestamp) {
        self.forget(session, now, now).await;
        self.forget_before(session, now, now).await;
    }

    /// The content of the generation before `session` goes at `until`.
    pub(super) async fn forget_before(&self, session: &Session, until: Timestamp, now: Timestamp) {
        if let Some(before) = session.shelf.as_ref().and_then(|shelf| shelf.before) {
            self.forget_name(before, until, now).await;
        }
    }

    async fn forget_name(&self, name: [u8; 32], until: Timestamp, now: Timestamp) {
        if let Err(error) = self.parts.store.forget_content(name, until, now).await {
            tracing::debug!(event = "session_content_not_forgotten", %error);
        }
    }
}
