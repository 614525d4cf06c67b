//! A store that works, but for the moments in which it is told not to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cloakroom::clock::Timestamp;
use cloakroom::random::OsRandom;
use cloakroom::session::{Generation, SessionHandle, SessionId};
use cloakroom::store::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Look, MemoryStore, Record, SessionRef, Store,
    StoreError, Whose,
};

/// The store; what it refuses it has not done.
#[derive(Debug)]
pub struct Balky {
    store: MemoryStore,
    /// How many operations go well before one does not; the last number is for never.
    left: AtomicU32,
    /// None goes well.
    down: AtomicU32,
}

const NEVER: u32 = u32::MAX;

impl Balky {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(&OsRandom),
            left: AtomicU32::new(NEVER),
            down: AtomicU32::new(0),
        })
    }

    /// Refuses everything, or nothing.
    pub fn goes(&self, down: bool) {
        self.down.store(u32::from(down), Ordering::SeqCst);
        self.left.store(NEVER, Ordering::SeqCst);
    }

    /// Refuses one operation after so many others.
    pub fn refuses_after(&self, operations: u32) {
        self.left.store(operations, Ordering::SeqCst);
    }

    /// Whether it may refuse something.
    pub fn is_balky(&self) -> bool {
        self.down.load(Ordering::SeqCst) > 0 || self.left.load(Ordering::SeqCst) != NEVER
    }

    fn asked<'a, T: Send + 'a>(&'a self, answer: Answer<'a, T>) -> Answer<'a, T> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
                NEVER => None,
                0 => Some(NEVER),
                _ => Some(left - 1),
            });
        if left == Ok(0) || self.down.load(Ordering::SeqCst) > 0 {
            return Box::pin(std::future::ready(Err(StoreError("it balks".into()))));
        }
        answer
    }
}

impl Store for Balky {
    fn epoch(&self) -> Epoch {
        self.store.epoch()
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        self.asked(self.store.use_once(mark, until, now))
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        self.asked(self.store.look(session, now))
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.asked(self.store.end(session, reason, until, now))
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        self.asked(self.store.end_all(issuer, whose, cutoff, now))
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        self.asked(self.store.record(session, record, now))
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        self.asked(self.store.recorded(find, limit, now))
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        self.asked(self.store.end_recorded(handle, reason, now))
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        self.asked(self.store.claim(session, claimant, now))
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        self.asked(self.store.release(session, claimant))
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
        let kept = self
            .store
            .keep_renewal(session, from, sealed, result_until, until, now);
        self.asked(kept)
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.asked(self.store.renewal(session, from, now))
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        self.asked(self.store.presented(session, generation, now))
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        self.asked(self.store.refused(session, generation, now))
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        self.asked(self.store.put_content(name, sealed, until, now))
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.asked(self.store.content(name, now))
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.asked(self.store.forget_content(name, until, now))
    }
}
