//! The store of several processes that share nothing: each knows what it did itself, and that there are others.
//!
//! 1. What this process ended has ended here; a copy of the cookies is good at every other one. What it renewed it hands to
//!    whoever presents the older generation here.
//! 2. It is no authority: a generation that it does not know may be another process' renewal, and a refusal of the provider
//!    may mean just that (contract §9: 409 first).
//! 3. There is one epoch, always the same: a session is as good at one process as at another, and a restart forgets the ends
//!    that this process knew. Whoever cannot bear that shares a store.

use futures_util::future::BoxFuture;

use super::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Look, MemoryStore, Record, SessionRef, Store, Whose,
};
use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::{Generation, SessionHandle, SessionId};

/// What one of several processes that share nothing knows.
#[derive(Debug)]
pub(crate) struct AloneStore(MemoryStore);

impl AloneStore {
    /// An empty one.
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self(MemoryStore::new(random))
    }
}

impl Store for AloneStore {
    fn epoch(&self) -> Epoch {
        EPOCH
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        self.0.use_once(mark, until, now)
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        self.0.look(session, now)
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.0.end(session, reason, until, now)
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        self.0.end_all(issuer, whose, cutoff, now)
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        self.0.record(session, record, now)
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        self.0.recorded(find, limit, now)
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        self.0.end_recorded(handle, reason, now)
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        self.0.claim(session, claimant, now)
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        self.0.release(session, claimant)
    }

    fn keep_renewal(
        &self,
        session: SessionId,
        from: Generation,
        sealed: Vec<u8>,
        result_until: Timestamp,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, bool> {
        self.0
            .keep_renewal(session, from, sealed, result_until, until, now)
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.0.renewal(session, from, now)
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        self.0.presented(session, generation, now)
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        self.0.refused(session, generation, now)
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        self.0.put_content(name, sealed, until, now)
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.0.content(name, now)
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.0.forget_content(name, until, now)
    }

    fn is_authority(&self) -> bool {
        false
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        self.0.settled()
    }
}

/// Of all that share nothing. No other store has it but by a chance of one in 2^64, and then nothing is lost.
const EPOCH: Epoch = Epoch(0);
