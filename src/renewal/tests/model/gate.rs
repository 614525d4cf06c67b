//! A store whose every operation waits for leave, so that whoever gives it decides the order of everything.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio::task::Id;

use crate::clock::{Clock as _, Timestamp};
use crate::renewal::tests::world::ManualClock;
use crate::session::{Generation, SessionHandle, SessionId};
use crate::store::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Look, MemoryStore, Record, SessionRef, Store,
    StoreError, Whose,
};

/// Where operations wait.
#[derive(Debug, Default)]
pub(super) struct Gate {
    waiting: Mutex<Vec<Waiting>>,
    /// Operations that were let through.
    passed: AtomicU64,
}

/// One operation that waits.
#[derive(Debug)]
struct Waiting {
    /// Which process it is of; each that starts has another number.
    life: u64,
    task: Id,
    name: &'static str,
    leave: oneshot::Sender<()>,
}

impl Gate {
    /// Waits for leave; for ever, where nobody lives who could give it.
    pub(super) async fn pass(&self, life: u64, name: &'static str) {
        let (leave, left) = oneshot::channel();
        let task = tokio::task::id();
        self.waiting.lock().unwrap().push(Waiting {
            life,
            task,
            name,
            leave,
        });
        if left.await.is_err() {
            std::future::pending::<()>().await;
        }
        self.passed.fetch_add(1, Ordering::SeqCst);
    }

    /// Who waits for what in a process, but for those who gave up.
    pub(super) fn waiting(&self, life: u64) -> Vec<(Id, &'static str)> {
        let mut waiting = self.waiting.lock().unwrap();
        waiting.retain(|one| !one.leave.is_closed());
        let here = waiting.iter().filter(|one| one.life == life);
        here.map(|one| (one.task, one.name)).collect()
    }

    /// Gives leave; the number of operations let through before.
    pub(super) fn leave(&self, task: Id, name: &str) -> u64 {
        let mut waiting = self.waiting.lock().unwrap();
        let at = waiting
            .iter()
            .position(|one| one.task == task && one.name == name);
        let passed = self.passed();
        waiting.remove(at.unwrap()).leave.send(()).unwrap();
        passed
    }

    pub(super) fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// A process dies where it stands.
    pub(super) fn kill(&self, life: u64) {
        self.waiting.lock().unwrap().retain(|one| one.life != life);
    }
}

/// The store as one process sees it.
#[derive(Debug)]
pub(super) struct GatedStore {
    pub(super) life: u64,
    pub(super) gate: Arc<Gate>,
    /// Another one after the store has lost its memory.
    pub(super) store: Arc<Mutex<Arc<MemoryStore>>>,
    pub(super) clock: Arc<ManualClock>,
}

impl GatedStore {
    async fn enter(&self, name: &'static str) -> Arc<MemoryStore> {
        self.gate.pass(self.life, name).await;
        self.now()
    }

    fn now(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.store.lock().unwrap())
    }
}

impl Store for GatedStore {
    fn epoch(&self) -> Epoch {
        self.now().epoch()
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        Box::pin(async move { self.enter("look").await.look(session, now).await })
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move { self.enter("end").await.end(session, reason, until, now).await })
    }

    /// A lease begins when it is given, however long it was asked for.
    fn claim(&self, session: SessionId, claimant: Claimant, _: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let store = self.enter("claim").await;
            store.claim(session, claimant, self.clock.now()).await
        })
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        Box::pin(async move { self.enter("release").await.release(session, claimant).await })
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
        Box::pin(async move {
            let store = self.enter("keep_renewal").await;
            store
                .keep_renewal(session, from, sealed, result_until, until, now)
                .await
        })
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move { self.enter("renewal").await.renewal(session, from, now).await })
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let store = self.enter("presented").await;
            store.presented(session, generation, now).await
        })
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        Box::pin(async move {
            self.enter("refused")
                .await
                .refused(session, generation, now)
                .await
        })
    }

    /// A login's, before anything is watched.
    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move { self.now().record(session, record, now).await })
    }

    // Renewals have nothing to do with the rest.

    fn use_once(&self, _: [u8; 32], _: Timestamp, _: Timestamp) -> Answer<'_, bool> {
        unasked()
    }

    fn end_all<'a>(&'a self, _: &'a str, _: Whose<'a>, _: Cutoff, _: Timestamp) -> Answer<'a, ()> {
        unasked()
    }

    fn recorded<'a>(&'a self, _: Find<'a>, _: usize, _: Timestamp) -> Answer<'a, Vec<Record>> {
        unasked()
    }

    fn end_recorded(&self, _: SessionHandle, _: EndReason, _: Timestamp) -> Answer<'_, bool> {
        unasked()
    }

    fn put_content(&self, _: [u8; 32], _: Vec<u8>, _: Timestamp, _: Timestamp) -> Answer<'_, ()> {
        unasked()
    }

    fn content(&self, _: [u8; 32], _: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        unasked()
    }

    fn forget_content(&self, _: [u8; 32], _: Timestamp, _: Timestamp) -> Answer<'_, ()> {
        unasked()
    }
}

fn unasked<T: Send + 'static>() -> Answer<'static, T> {
    Box::pin(std::future::ready(Err(StoreError("no part of a renewal".into()))))
}
