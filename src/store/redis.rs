//! The store of several processes: Redis or Valkey, and beside it in each process a mirror of what is asked on every request.
//!
//! 1. [`Store::look`] asks nobody. Ends, cutoffs and the newest generations arrive by a feed (`feed`), in the order in which they
//!    were written, within milliseconds. Whoever was away reads everything that still holds again before it is trusted.
//! 2. What changes something is one script in Redis (`script`), so that it happens as a whole or not at all, and it first makes
//!    sure that this is still the store it was written for. An emptied Redis is a new epoch (`identity`).
//! 3. **Out of reach**: known ends hold, looks are answered for `store.grace`, then 503. Every other call fails at once. An end
//!    (logout, revocation) holds in this process from that moment and is owed to the others (`backlog`), but it is answered with
//!    an error: at another process a copy of the cookies may still be good, and to say otherwise would be a lie.
//! 4. **Back again**: what is owed is written, what holds is read; a store that lost its data is told what is known here (`again`).
//! 5. Time is Redis's: each process knows how far its clock is off (`reach`), so that clocks apart do no harm.
//! 6. What is put in is sealed, under names that tell nothing (`session::sealer`). The server is trusted to be Redis, over TLS where it is not
//!    on this machine; it is not trusted with secrets.

use std::fmt;
use std::sync::{Arc, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::{
    Answer, Claimant, Cutoff, EndReason, Epoch, Find, Health, Look, Record, SessionRef, Store, StoreError,
    Whose,
};
use crate::clock::{Clock, Timestamp};
use crate::config::{CookieKey, Redis};
use crate::random::Random;
use crate::session::{Generation, SessionHandle, SessionId};

mod again;
mod backlog;
mod calls;
mod contents;
mod directory;
mod ends;
mod event;
mod feed;
mod identity;
mod link;
mod parse;
mod reach;
mod renewals;
mod script;
mod shared;
#[cfg(test)]
pub(in crate::store) mod tests;

use parse::{time, yes};
use reach::{Sight, unreachable};
use shared::Shared;

/// Shared state of several processes, in Redis.
pub struct RedisStore {
    shared: Arc<Shared>,
    /// Its thread ends when this goes.
    _stop: oneshot::Sender<()>,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

impl RedisStore {
    /// The store of `settings`, sealed for who has `keys`. It connects by itself, and again whenever it has to; nothing is waited
    /// for here.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        settings: &Redis,
        keys: &[CookieKey],
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(settings.clone(), keys, clock, random));
        let (stop, stopped) = oneshot::channel::<()>();
        let follower = Arc::clone(&shared);
        // A runtime of its own: the store is built where there may be none, and outlives any that it is asked from.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StoreError(format!("the store's thread cannot start: {error}").into()))?;
        std::thread::Builder::new()
            .name("cloakroom-store".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = follower.follow() => {}
                        _ = stopped => {}
                    }
                });
            })
            .map_err(|error| StoreError(format!("the store's thread cannot start: {error}").into()))?;
        Ok(Self { shared, _stop: stop })
    }

    /// Waits for the first attempt to reach Redis; an error when it came to nothing.
    #[cfg(test)]
    pub(in crate::store) async fn found(&self) -> Result<(), StoreError> {
        self.shared.reach.found().await
    }
}

impl Store for RedisStore {
    fn epoch(&self) -> Epoch {
        self.shared.epoch()
    }

    fn use_once(&self, mark: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let shared = &self.shared;
            let answer = shared
                .ask(|to| Ok(calls::mark(shared, to, &mark, until, now)))
                .await?;
            Ok(yes(answer)?)
        })
    }

    fn look<'a>(&'a self, session: SessionRef<'a>, now: Timestamp) -> Answer<'a, Look> {
        let shared = &self.shared;
        match shared.reach.sight(now) {
            Sight::Clear => shared.mirror.look(session, now),
            Sight::Gone => Box::pin(std::future::ready(Err(unreachable()))),
            // The one wait: a process that has just started, and its first requests.
            Sight::NotYet => Box::pin(async move {
                shared.reach.started().await;
                match shared.reach.sight(now) {
                    Sight::Clear => shared.mirror.look(session, now).await,
                    Sight::NotYet | Sight::Gone => Err(unreachable()),
                }
            }),
        }
    }

    fn end(&self, session: SessionId, reason: EndReason, until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.end_one(session, reason, until, now))
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(self.end_many(issuer, whose, cutoff, now))
    }

    fn record(&self, session: SessionId, record: Record, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.put_record(session, record, now))
    }

    fn recorded<'a>(&'a self, find: Find<'a>, limit: usize, now: Timestamp) -> Answer<'a, Vec<Record>> {
        Box::pin(async move {
            let found = self.find_records(find, limit, now).await?;
            Ok(found.into_iter().map(|(_, record)| record).collect())
        })
    }

    fn end_recorded(&self, handle: SessionHandle, reason: EndReason, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(async move {
            let found = self.record_of(handle, now).await?;
            let Some((session, record)) = found else {
                return Ok(false);
            };
            self.end(session, reason, record.until, now).await?;
            Ok(true)
        })
    }

    fn claim(&self, session: SessionId, claimant: Claimant, now: Timestamp) -> Answer<'_, bool> {
        Box::pin(self.take_right(session, claimant, now))
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        Box::pin(self.give_right_back(session, claimant))
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
        Box::pin(self.keep(session, from, sealed, [result_until, until], now))
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(self.kept(session, from, now))
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.seen(session, generation, now))
    }

    fn refused(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, Timestamp> {
        Box::pin(async move {
            let shared = &self.shared;
            let call = |to: &_| Ok(calls::refused(shared, to, session, generation, now));
            Ok(time(shared.ask(call).await?)?)
        })
    }

    fn put_content(
        &self,
        name: [u8; 32],
        sealed: Vec<u8>,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<'_, ()> {
        Box::pin(self.put(name, sealed, until, now))
    }

    fn content(&self, name: [u8; 32], now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(self.get(name, now))
    }

    fn forget_content(&self, name: [u8; 32], until: Timestamp, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(self.forget(name, until, now))
    }

    fn keeps_content(&self) -> bool {
        true
    }

    fn time(&self, local: Timestamp) -> Timestamp {
        self.shared.reach.time(local)
    }

    fn health(&self) -> Health {
        if self.shared.reach.is_live() {
            Health::Up
        } else {
            Health::Down
        }
    }

    fn use_keys(&self, keys: &[CookieKey]) {
        *self.shared.ring.write().unwrap_or_else(PoisonError::into_inner) = keys.to_vec();
        self.shared.doubt.notify_one();
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shared.backlog.empty())
    }
}

/// A call that could be made.
fn sealed(call: Option<script::Call>) -> Result<script::Call, StoreError> {
    call.ok_or(StoreError("it cannot be sealed".into()))
}

fn full() -> StoreError {
    StoreError("the store is full".into())
}
