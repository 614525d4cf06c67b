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
//! 6. What is put in is sealed, under names that tell nothing (`names`). The server is trusted to be Redis, over TLS where it is not
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
mod event;
mod feed;
mod identity;
mod link;
mod names;
mod parse;
mod reach;
mod script;
mod shared;
#[cfg(test)]
pub(in crate::store) mod tests;

use backlog::Owed;
use event::{Event, Reason, unseen};
use parse::{exactly, list, maybe_bytes, maybe_number, number, text, time, yes};
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

    /// Ends of these kinds hold here whatever becomes of Redis: somebody wants a session to be over. A login or a renewal that
    /// fails leaves the session as it was.
    const fn holds_at_once(reason: EndReason) -> bool {
        matches!(reason, EndReason::LoggedOut | EndReason::Revoked)
    }

    fn owe(&self, owed: Owed) {
        if !self.shared.backlog.owe(owed) {
            tracing::error!(
                event = "store_backlog_full",
                "Redis is out of reach for too long: what ends now holds in this process only"
            );
        }
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
        Box::pin(async move {
            let shared = &self.shared;
            let at_once = Self::holds_at_once(reason);
            if at_once {
                shared.mirror.end(session, reason, until, now).await?;
            }
            let ended = self.end_there(session, reason.into(), until, now).await;
            match ended {
                Ok(()) => shared.mirror.end(session, reason, until, now).await,
                Err(error) => {
                    if at_once {
                        self.owe(Owed::End {
                            session,
                            reason,
                            until,
                        });
                    }
                    Err(error)
                }
            }
        })
    }

    fn end_all<'a>(
        &'a self,
        issuer: &'a str,
        whose: Whose<'a>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let shared = &self.shared;
            shared.mirror.end_all(issuer, whose, cutoff, now).await?;
            let ended = self.end_all_there(issuer, whose, cutoff, now).await;
            if ended.is_err()
                && let Event::Cutoff {
                    issuer,
                    whose,
                    before,
                    reason,
                    until,
                } = Event::cutoff(issuer, whose, cutoff)
            {
                self.owe(Owed::Cutoff {
                    issuer,
                    whose,
                    before,
                    reason,
                    until,
                });
            }
            ended
        })
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
        Box::pin(async move {
            let shared = &self.shared;
            let kept = shared.leases().get(&session) == Some(&claimant);
            let answer = shared
                .ask(|to| Ok(calls::claim(shared, to, session, claimant, kept, now)))
                .await?;
            let mut known = list(answer)?.into_iter();
            if !yes(known.next().unwrap_or_default())? {
                return Ok(false);
            }
            let [ended, newest, presented, until] = exactly(redis::Value::Array(known.collect()))?;
            // Before the right is given: a look from here on knows of every renewal before (contract §9).
            let until = Timestamp::from_millis(maybe_number(until)?.unwrap_or(0));
            if until > now {
                if let Some(newest) = maybe_number(newest)? {
                    let newest = super::Newest {
                        generation: Generation(newest),
                        presented: maybe_number(presented)? == Some(1),
                    };
                    shared.mirror.learn(session, newest, until, now)?;
                }
                if let Some(letter) = maybe_bytes(ended)? {
                    let reason = Reason::of_letter(&String::from_utf8_lossy(&letter));
                    shared.mirror.end(session, reason.into(), until, now).await?;
                }
            }
            shared.leases().insert(session, claimant);
            Ok(true)
        })
    }

    fn release(&self, session: SessionId, claimant: Claimant) -> Answer<'_, ()> {
        Box::pin(async move {
            let shared = &self.shared;
            {
                let mut leases = shared.leases();
                if leases.get(&session) == Some(&claimant) {
                    leases.remove(&session);
                }
            }
            let now = shared.now();
            let call = |to: &_| Ok(calls::release(shared, to, session, claimant, now));
            shared.ask(call).await.map(drop)
        })
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
            let shared = &self.shared;
            let kept = self
                .keep_there(session, from, &sealed, [result_until, until], now)
                .await;
            match kept {
                Ok(Ok(())) => {
                    // Here, too: it is found without asking, and a store that loses it is told again.
                    let here = shared
                        .mirror
                        .keep_renewal(session, from, sealed, result_until, until, now)
                        .await;
                    if here.is_err() {
                        shared.mirror.learn(session, unseen(from.next()), until, now)?;
                    }
                    Ok(true)
                }
                Ok(Err(reason)) => {
                    shared.mirror.end(session, reason.into(), until, now).await?;
                    Ok(false)
                }
                Err(error) => {
                    let here = shared
                        .mirror
                        .keep_renewal(session, from, sealed.clone(), result_until, until, now)
                        .await;
                    // It has ended, as far as is known here.
                    if here == Ok(false) {
                        return Ok(false);
                    }
                    self.owe(Owed::Renewal {
                        session,
                        from,
                        sealed,
                        result_until,
                        until,
                    });
                    Err(error)
                }
            }
        })
    }

    fn renewal(&self, session: SessionId, from: Generation, now: Timestamp) -> Answer<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            let shared = &self.shared;
            if let Some(sealed) = shared.mirror.renewal(session, from, now).await? {
                return Ok(Some(sealed));
            }
            let connected = shared.connected()?;
            let mut get = redis::cmd("HMGET");
            get.arg(calls::entry(shared, &connected, session))
                .arg(format!("r{}", from.0))
                .arg(format!("u{}", from.0));
            let answer = connected.link.ask(&get).await;
            let [sealed, until] = exactly(answer.map_err(|trouble| shared.doubtful(trouble))?)?;
            let until = Timestamp::from_millis(maybe_number(until)?.unwrap_or(0));
            Ok(maybe_bytes(sealed)?.filter(|_| until > now))
        })
    }

    fn presented(&self, session: SessionId, generation: Generation, now: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let shared = &self.shared;
            shared.mirror.presented(session, generation, now).await?;
            let call = |to: &_| sealed(calls::presented(shared, to, session, generation, now));
            shared.ask(call).await.map(drop)
        })
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

impl RedisStore {
    async fn end_there(
        &self,
        session: SessionId,
        reason: Reason,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::end(shared, to, session, reason, until, now));
        taken(yes(shared.ask(call).await?)?)
    }

    async fn end_all_there(
        &self,
        issuer: &str,
        whose: Whose<'_>,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::cutoff(shared, to, issuer, whose, cutoff, now));
        taken(yes(shared.ask(call).await?)?)
    }

    /// `Err` inside: it has ended, and why.
    async fn keep_there(
        &self,
        session: SessionId,
        from: Generation,
        result: &[u8],
        untils: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<Result<(), Reason>, StoreError> {
        let shared = &self.shared;
        let call = |to: &_| sealed(calls::keep(shared, to, session, from, result, untils, now));
        let mut answer = list(shared.ask(call).await?)?.into_iter();
        match number::<i64>(answer.next().unwrap_or_default())? {
            1 => Ok(Ok(())),
            0 => Ok(Err(Reason::of_letter(&text(answer.next().unwrap_or_default())?))),
            _ => Err(full()),
        }
    }
}

/// A call that could be made.
fn sealed(call: Option<script::Call>) -> Result<script::Call, StoreError> {
    call.ok_or(StoreError("it cannot be sealed".into()))
}

fn taken(taken: bool) -> Result<(), StoreError> {
    if taken { Ok(()) } else { Err(full()) }
}

fn full() -> StoreError {
    StoreError("the store is full".into())
}
