//! Writes behind the memory: one thread that takes what has changed, all of it at once, and puts it on the disk.
//!
//! 1. What is noted is the name of what changed, not the change. The thread writes what the memory knows of it when its turn
//!    comes, so nothing old ever overwrites something newer, and what cannot be written for hours takes no more room than
//!    the memory has.
//! 2. Whoever waits is told when the transaction that has its change is on the disk. A flood shares transactions.
//! 3. A write that fails: those who wait are told, what was to be written stays noted, and it is tried again every second,
//!    with the file opened anew (the database wants that). Until then nobody else waits: they are told at once.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::database::{Database, FileError};
use super::identity::Identity;
use super::names::Names;
use crate::clock::Timestamp;
use crate::config::CookieKey;
use crate::random::Random;
use crate::store::memory::facts::Subject;
use crate::store::{Health, MemoryStore, StoreError};

/// What has changed and is not on the disk yet.
pub(super) struct Log {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({})", self.shared.state().subjects.len())
    }
}

/// What the thread works with.
pub(super) struct Disk {
    /// Opens the file again.
    pub(super) open: Box<dyn Fn() -> Result<Database, FileError> + Send>,
    /// `None` after a failure.
    pub(super) database: Option<Database>,
    pub(super) identity: Identity,
    pub(super) names: Arc<Names>,
    pub(super) ring: Vec<CookieKey>,
    pub(super) random: Arc<dyn Random>,
    pub(super) memory: Arc<MemoryStore>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    subjects: HashSet<Subject>,
    waiting: Vec<oneshot::Sender<Result<(), StoreError>>>,
    /// Who waits until nothing is left to write.
    settling: Vec<oneshot::Sender<()>>,
    /// The ring to wrap the identity for, where it is another.
    ring: Option<Vec<CookieKey>>,
    /// The latest time that anybody handed in.
    now: Timestamp,
    /// The last write failed.
    down: bool,
    closed: bool,
}

/// What one transaction takes.
struct Work {
    subjects: HashSet<Subject>,
    waiting: Vec<oneshot::Sender<Result<(), StoreError>>>,
    ring: Option<Vec<CookieKey>>,
    now: Timestamp,
}

impl Log {
    /// Starts the thread.
    pub(super) fn start(disk: Disk) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let thread = std::thread::Builder::new().name("cloakroom-store".to_owned());
        let theirs = Arc::clone(&shared);
        let thread = thread.spawn(move || theirs.work(disk))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Notes what has changed, and waits until it is on the disk.
    pub(super) fn write(
        &self,
        subjects: impl IntoIterator<Item = Subject>,
        now: Timestamp,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (told, tell) = oneshot::channel();
        let mut state = self.shared.state();
        state.note(subjects, now);
        if state.down {
            return Box::pin(std::future::ready(Err(out_of_reach())));
        }
        state.waiting.push(told);
        drop(state);
        self.shared.wake.notify_one();
        Box::pin(async move { tell.await.unwrap_or_else(|_| Err(out_of_reach())) })
    }

    /// Notes what has changed; it is written soon.
    pub(super) fn note(&self, subjects: impl IntoIterator<Item = Subject>, now: Timestamp) {
        self.shared.state().note(subjects, now);
        self.shared.wake.notify_one();
    }

    /// The identity is wrapped for these keys soon.
    pub(super) fn use_ring(&self, ring: &[CookieKey]) {
        self.shared.state().ring = Some(ring.to_vec());
        self.shared.wake.notify_one();
    }

    /// Whether the last write went well.
    pub(super) fn health(&self) -> Health {
        if self.shared.state().down {
            Health::Down
        } else {
            Health::Up
        }
    }

    /// An error where the disk takes nothing at the moment.
    pub(super) fn reachable(&self) -> Result<(), StoreError> {
        match self.health() {
            Health::Up => Ok(()),
            Health::Down => Err(out_of_reach()),
        }
    }

    /// Waits until all that was noted is on the disk.
    pub(super) fn settled(&self) -> BoxFuture<'static, ()> {
        let (told, tell) = oneshot::channel();
        self.shared.state().settling.push(told);
        self.shared.wake.notify_one();
        Box::pin(async move {
            // The thread is gone: there is nothing more to wait for.
            let _gone = tell.await;
        })
    }
}

impl Drop for Log {
    /// Writes what is left and closes the file: whoever opens it next finds it free.
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It catches its panics itself.
            let _ended = thread.join();
        }
    }
}

impl State {
    fn note(&mut self, subjects: impl IntoIterator<Item = Subject>, now: Timestamp) {
        self.subjects.extend(subjects);
        self.now = self.now.max(now);
    }

    fn is_idle(&self) -> bool {
        self.subjects.is_empty() && self.ring.is_none() && self.waiting.is_empty()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can panic half-way through a change that matters.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn work(&self, mut disk: Disk) {
        while let Some(work) = self.next() {
            let written = catch_unwind(AssertUnwindSafe(|| disk.write(&work)))
                .unwrap_or_else(|_| Err(FileError("a panic: this is a bug".to_owned())));
            if written.is_err() {
                // To drop it may fail in the same way.
                let _closed = catch_unwind(AssertUnwindSafe(|| disk.database = None));
            }
            self.done(work, &written);
        }
    }

    /// Waits for something to write; `None`: nothing more will come.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        if state.down && !state.closed {
            let paused = self.wake.wait_timeout_while(state, RETRY, |state| !state.closed);
            state = paused.unwrap_or_else(PoisonError::into_inner).0;
        }
        while state.is_idle() {
            for settled in state.settling.drain(..) {
                // Whoever asked may have gone.
                let _gone = settled.send(());
            }
            if state.closed {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Some(Work {
            subjects: std::mem::take(&mut state.subjects),
            waiting: std::mem::take(&mut state.waiting),
            ring: state.ring.take(),
            now: state.now,
        })
    }

    fn done(&self, work: Work, written: &Result<(), FileError>) {
        let mut state = self.state();
        match written {
            Ok(()) if state.down => {
                state.down = false;
                tracing::info!(event = "store_file_back", "the store's file is written again");
            }
            Ok(()) => {}
            Err(error) => {
                if !state.down {
                    tracing::error!(
                        event = "store_file_failed",
                        %error,
                        "the store's file cannot be written; logins, renewals and logouts wait for it"
                    );
                }
                state.down = true;
                state.subjects.extend(work.subjects);
                // A newer ring than this one may have come meanwhile.
                state.ring = state.ring.take().or(work.ring);
                if state.closed {
                    // The last try has failed: what is left is lost, and nobody was told otherwise.
                    state.subjects.clear();
                    state.ring = None;
                }
            }
        }
        // Also those who came while it failed.
        let mut waiting = work.waiting;
        if state.down {
            waiting.append(&mut state.waiting);
        }
        drop(state);
        for told in waiting {
            // Whoever waited may have gone.
            let _gone = told.send(written.clone().map_err(|_| out_of_reach()));
        }
    }
}

impl Disk {
    fn write(&mut self, work: &Work) -> Result<(), FileError> {
        if let Some(ring) = &work.ring {
            self.ring.clone_from(ring);
        }
        let database = if let Some(database) = self.database.take() {
            database
        } else {
            let database = (self.open)()?;
            if database.identity(&self.ring, &self.random)? != self.identity {
                return Err(FileError("another store lies there now".to_owned()));
            }
            database
        };
        let facts = work
            .subjects
            .iter()
            .map(|subject| (subject.clone(), self.memory.facts(subject)));
        let ring = work
            .ring
            .as_ref()
            .map(|ring| (&self.identity, ring.as_slice(), &self.random));
        database.write(facts, ring, &self.names, work.now)?;
        self.database = Some(database);
        Ok(())
    }
}

fn out_of_reach() -> StoreError {
    StoreError("the store's file cannot be written".into())
}

/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(1);
