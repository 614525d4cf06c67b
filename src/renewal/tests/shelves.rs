//! A store whose contents a test watches, changes and takes away.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::clock::Timestamp;
use crate::store::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Generation, Look, MemoryStore, Record, SessionHandle,
    SessionId, SessionRef, Store, StoreError, Whose,
};

/// A memory store, as far as a test lets it.
#[derive(Debug)]
pub(super) struct Shelves {
    memory: MemoryStore,
    /// Whether it says that it keeps what it is given.
    keeps: bool,
    /// Every name and sealed content that was put there, oldest first.
    put: Mutex<Vec<([u8; 32], Vec<u8>)>>,
    /// How often content was asked for.
    pub(super) fetched: AtomicUsize,
    /// Everything about contents fails.
    pub(super) down: AtomicBool,
    /// Said in place of every content.
    pub(super) instead: Mutex<Option<Vec<u8>>>,
}

impl Shelves {
    pub(super) fn over(memory: MemoryStore, keeps: bool) -> Arc<Self> {
        Arc::new(Self {
            memory,
            keeps,
            put: Mutex::default(),
            fetched: AtomicUsize::default(),
            down: AtomicBool::default(),
            instead: Mutex::default(),
        })
    }

    pub(super) fn put(&self) -> Vec<([u8; 32], Vec<u8>)> {
        self.put.lock().unwrap().clone()
    }

    /// Which of all that was put is still there.
    pub(super) async fn left(&self, now: Timestamp) -> Vec<bool> {
        let mut left = Vec::new();
        for (name, _) in self.put() {
            left.push(self.memory.content(name, now).await.unwrap().is_some());
        }
        left
    }

    fn up(&self) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) {
            Err(StoreError("down".into()))
        } else {
            Ok(())
        }
    }
}

impl Store for Shelves {
    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        Box::pin(async move {
            self.up()?;
            self.put.lock().unwrap().push((name, sealed.clone()));
            self.memory.put_content(name, sealed, until, now).await
        })
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            self.up()?;
            self.fetched.fetch_add(1, Ordering::SeqCst);
            let instead = self.instead.lock().unwrap().clone();
            match instead {
                Some(instead) => Ok(Some(instead)),
                None => self.memory.content(name, now).await,
            }
        })
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            self.up()?;
            self.memory.forget_content(name, until, now).await
        })
    }

    fn keeps_content(&self) -> bool {
        self.keeps
    }

    fn epoch(&self) -> Epoch {
        self.memory.epoch()
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        self.memory.use_once(mark, until, now)
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        self.memory.look(session, now)
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        self.memory.end(session, reason, until, now)
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        self.memory.end_all(issuer, whose, cutoff, now)
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        self.memory.record(session, record, now)
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        self.memory.recorded(find, limit, now)
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        self.memory.end_recorded(handle, reason, now)
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        self.memory.claim(session, claimant, now)
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        self.memory.release(session, claimant)
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
        self.memory
            .keep_renewal(session, from, sealed, result_until, until, now)
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        self.memory.renewal(session, from, now)
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        self.memory.presented(session, generation, now)
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        self.memory.refused(session, generation, now)
    }
}
