//! What requests and the feed share: the mirror, the connection of the moment, what is owed.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use redis::Value;
use tokio::sync::Notify;

use super::backlog::Backlog;
use super::event::Event;
use super::identity::Identity;
use super::link::{Link, Trouble};
use super::reach::{Reach, unreachable};
use super::script::{Call, Keys};
use crate::clock::{Clock, Timestamp};
use crate::config::{CookieKey, Redis};
use crate::random::Random;
use crate::session::SessionId;
use crate::store::{Claimant, Epoch, MemoryStore, Store as _, StoreError};

pub(super) struct Shared {
    pub(super) settings: Redis,
    pub(super) keys: Keys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    /// The cookie keys.
    pub(super) ring: RwLock<Vec<CookieKey>>,
    /// What is known here, and answered without asking.
    pub(super) mirror: MemoryStore,
    pub(super) reach: Reach,
    pub(super) backlog: Backlog,
    /// The rights to renew that this process has.
    pub(super) leases: Mutex<HashMap<SessionId, Claimant>>,
    /// Wakes the feed: look whether all is well.
    pub(super) doubt: Notify,
    epoch: AtomicU64,
    /// The number of the last entry of the feed that was taken in.
    seen: AtomicU64,
    /// There while Redis can be reached.
    connected: RwLock<Option<Arc<Connected>>>,
}

/// One connection to one store.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) link: Link,
    pub(super) identity: Identity,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("servers", &self.settings.url)
            .field("reach", &self.reach)
            .field("backlog", &self.backlog)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        settings: Redis,
        ring: &[CookieKey],
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            keys: Keys::new(settings.prefix.clone()),
            mirror: MemoryStore::new(&*random),
            reach: Reach::new(settings.grace),
            backlog: Backlog::default(),
            ring: RwLock::new(ring.to_vec()),
            leases: Mutex::default(),
            doubt: Notify::new(),
            epoch: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            connected: RwLock::default(),
            settings,
            clock,
            random,
        }
    }

    /// What all replicas agree to be the time.
    pub(super) fn now(&self) -> Timestamp {
        self.reach.time(self.clock.now())
    }

    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// The connection of the moment, or that there is none.
    fn connected(&self) -> Result<Arc<Connected>, StoreError> {
        let connected = self.connected.read().unwrap_or_else(PoisonError::into_inner);
        connected.clone().ok_or_else(unreachable)
    }

    pub(super) fn connect(&self, connected: Arc<Connected>) {
        *self.connected.write().unwrap_or_else(PoisonError::into_inner) = Some(connected);
        self.reach.now_live();
    }

    /// Says whether Redis could be reached until now.
    pub(super) fn disconnect(&self) -> bool {
        *self.connected.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.reach.now_lost(self.now())
    }

    /// `met` turned out to be another store than was thought: the feed finds out which.
    pub(super) fn forget_store(&self, met: &Arc<Connected>) {
        let mut connected = self.connected.write().unwrap_or_else(PoisonError::into_inner);
        if connected.as_ref().is_some_and(|now| Arc::ptr_eq(now, met)) {
            *connected = None;
            self.reach.now_finding(self.now());
        }
        drop(connected);
        self.doubt.notify_one();
    }

    pub(super) fn begin_epoch(&self, epoch: Epoch) {
        self.epoch.store(epoch.0, Ordering::Release);
    }

    pub(super) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    pub(super) fn see(&self, number: u64) {
        self.seen.store(number, Ordering::Release);
    }

    pub(super) fn ring(&self) -> Vec<CookieKey> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn leases(&self) -> MutexGuard<'_, HashMap<SessionId, Claimant>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks what `call` makes for the store as it is now. Where it turns out to be another one than was thought, it is asked
    /// again as soon as that one is known.
    pub(super) async fn ask(
        &self,
        call: impl Fn(&Connected) -> Result<Call, StoreError>,
    ) -> Result<Value, StoreError> {
        let connected = self.wait_connected().await?;
        match connected.link.ask(&call(&connected)?.command()).await {
            Ok(answer) => Ok(answer),
            Err(Trouble::AnotherStore) => {
                self.forget_store(&connected);
                let connected = self.wait_connected().await?;
                let asked = connected.link.ask(&call(&connected)?.command()).await;
                asked.map_err(|trouble| self.doubtful(trouble))
            }
            Err(trouble) => Err(self.doubtful(trouble)),
        }
    }

    /// A connection, also for who comes in the first moment of this process, or in the one in which a store is found anew.
    pub(super) async fn wait_connected(&self) -> Result<Arc<Connected>, StoreError> {
        if let Ok(connected) = self.connected() {
            return Ok(connected);
        }
        self.reach.found().await?;
        self.connected()
    }

    /// Has the feed look whether the connection is still good.
    pub(super) fn doubtful(&self, trouble: Trouble) -> StoreError {
        tracing::debug!(event = "store_call_failed", why = trouble.text());
        if matches!(trouble, Trouble::Broken(_) | Trouble::AnotherStore) {
            self.doubt.notify_one();
        }
        trouble.into()
    }

    /// Takes a fact into the mirror.
    pub(super) async fn learn(&self, event: &Event, now: Timestamp) -> Result<(), StoreError> {
        let mirror = &self.mirror;
        match event {
            Event::Ended {
                session,
                reason,
                until,
            } => {
                if *until > now {
                    mirror.end(*session, (*reason).into(), *until, now).await?;
                }
            }
            Event::Cutoff {
                issuer,
                whose,
                before,
                reason,
                until,
            } => {
                let cutoff = crate::store::Cutoff {
                    before: *before,
                    reason: (*reason).into(),
                    until: *until,
                };
                if *until > now {
                    mirror.end_all(issuer, whose.as_whose(), cutoff, now).await?;
                }
            }
            Event::Renewed {
                session,
                generation,
                until,
            } => {
                // Without room for it here: who claims the right to renew the session learns it all the same.
                let newest = super::event::unseen(*generation);
                let _full = mirror.learn(*session, newest, *until, now);
            }
            Event::Presented { session, generation } => mirror.presented(*session, *generation, now).await?,
        }
        Ok(())
    }
}
