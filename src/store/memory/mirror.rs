//! The memory as a mirror of a store that several processes share: what it learns from there, and what it can tell again when
//! that store has lost it.

use super::MemoryStore;
use super::members::Known;
use super::sessions::Renewals;
use crate::clock::Timestamp;
use crate::session::SessionId;
use crate::store::{EndReason, Newest, StoreError};

impl MemoryStore {
    /// Another process has renewed the session.
    pub(in crate::store) fn learn(
        &self,
        session: SessionId,
        newest: Newest,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.sessions.learn(session, newest, until, now, &self.capacity)
    }

    /// The ends of single sessions that hold.
    pub(in crate::store) fn ends(&self, now: Timestamp) -> Vec<(SessionId, EndReason, Timestamp)> {
        self.sessions.ends(now)
    }

    /// The ends of many that hold: of subjects and issuers, and of sessions of providers.
    pub(in crate::store) fn cutoffs(&self, now: Timestamp) -> (Vec<Known>, Vec<Known>) {
        (self.subjects.cutoffs(now), self.provider_sessions.cutoffs(now))
    }

    /// Forgets which generations are the newest, but where a result that is kept here leads to one; those it answers.
    pub(in crate::store) fn forget_generations(&self, now: Timestamp) -> Vec<Renewals> {
        self.sessions.forget_generations(now)
    }
}
