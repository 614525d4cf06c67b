//! A document of the provider that is fetched when it is first needed, kept, and fetched again when it is old.
//!
//! 1. One flight at a time: whoever asks during a fetch shares its outcome, success or failure.
//! 2. While it is fresh nobody asks the provider.
//! 3. When it is older, one caller asks; the others, and that one too when the provider fails, use what is held, up to
//!    a day (D-06). A provider that is down ends nothing.
//! 4. After a failure the next attempt waits out a short pause instead of failing at once: a provider that has just
//!    come back is found, one that is down is not hammered.
//! 5. [`Cached::newer_than`] is for what only a newer document can tell (an unknown `kid`, T-14): at most three fetches in
//!    vain per five seconds. One that proved useful ([`Cached::proved`]) counts for nothing, and a single bad token leaves
//!    room for the genuine rotation right behind it (D-05).
//!
//! Age is counted on the injected clock, pauses on the runtime's: they only bound how often a socket is opened.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::clock::Timestamp;

use super::ProviderError;

/// What is held of one document.
#[derive(Debug)]
pub(super) struct Cached<T> {
    held: Mutex<Option<Held<T>>>,
    /// When fetches were forced that have not proved useful since.
    forced: Mutex<Vec<Timestamp>>,
    flight: tokio::sync::Mutex<Flight>,
    pause: Duration,
    patience: Duration,
}

/// One version of the document.
#[derive(Debug)]
pub(super) struct Held<T> {
    /// The document.
    pub(super) value: Arc<T>,
    fetched: Timestamp,
    number: u64,
}

/// Locked by whoever fetches.
#[derive(Debug, Default)]
struct Flight {
    fetches: u64,
    failed: Option<(Instant, ProviderError)>,
}

impl<T> Cached<T> {
    /// Nothing is held yet. `pause` is waited between a failure and the next attempt; the one caller that asks again while
    /// an older version would do waits no longer than `patience`.
    pub(super) fn new(pause: Duration, patience: Duration) -> Self {
        Self {
            held: Mutex::new(None),
            forced: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
            pause,
            patience,
        }
    }

    /// What is held and so young that nobody would ask for it anew.
    pub(super) fn at_hand(&self, now: Timestamp) -> Option<Held<T>> {
        self.held().filter(|held| held.is_younger(now, FRESH))
    }

    /// What is held, fetched first where there is nothing or only something old. `fetch` is not polled otherwise.
    ///
    /// # Errors
    /// What the fetch ended with, where nothing is held that could stand in.
    pub(super) async fn get<F>(&self, now: Timestamp, fetch: F) -> Result<Held<T>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        let asked = Instant::now();
        if let Some(held) = self.held() {
            if held.is_younger(now, FRESH) {
                return Ok(held);
            }
            if held.is_younger(now, KEPT) {
                return Ok(match self.flight.try_lock() {
                    Ok(mut flight) if !flight.rests(self.pause * STALE_PAUSES) => self
                        .fetch(&mut flight, now, bounded(self.patience, fetch))
                        .await
                        .unwrap_or(held),
                    _ => held,
                });
            }
        }
        let mut flight = self.flight.lock().await;
        if let Some(held) = self.at_hand(now) {
            return Ok(held);
        }
        if let Some((failed, error)) = &flight.failed {
            if *failed >= asked {
                return Err(error.clone());
            }
            sleep_until(*failed + self.pause).await;
        }
        self.fetch(&mut flight, now, fetch).await
    }

    /// A newer version than `seen`, which lacks something; `None` when there can be none yet.
    ///
    /// # Errors
    /// What the fetch ended with.
    pub(super) async fn newer_than<F>(
        &self,
        seen: &Held<T>,
        now: Timestamp,
        fetch: F,
    ) -> Result<Option<Held<T>>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        let asked = Instant::now();
        let mut flight = self.flight.lock().await;
        if let Some(held) = self.held().filter(|held| held.number != seen.number) {
            return Ok(Some(held));
        }
        if let Some((failed, error)) = &flight.failed
            && (*failed >= asked || flight.rests(self.pause))
        {
            return Err(error.clone());
        }
        if !self.may_force(now) {
            return Ok(None);
        }
        let held = self.fetch(&mut flight, now, fetch).await?;
        lock(&self.forced).push(now);
        Ok(Some(held))
    }

    /// The version that [`Self::newer_than`] brought had what was missing: the next one may be fetched at once.
    pub(super) fn proved(&self) {
        lock(&self.forced).clear();
    }

    fn may_force(&self, now: Timestamp) -> bool {
        let mut forced = lock(&self.forced);
        forced.retain(|then| is_within(now, *then, FORCED_SPAN));
        forced.len() < FORCED_IN_VAIN
    }

    async fn fetch<F>(&self, flight: &mut Flight, now: Timestamp, fetch: F) -> Result<Held<T>, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        match fetch.await {
            Ok(value) => {
                flight.failed = None;
                flight.fetches += 1;
                let held = Held {
                    value: Arc::new(value),
                    fetched: now,
                    number: flight.fetches,
                };
                *lock(&self.held) = Some(held.clone());
                Ok(held)
            }
            Err(error) => {
                flight.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn held(&self) -> Option<Held<T>> {
        lock(&self.held).clone()
    }
}

impl<T> Held<T> {
    fn is_younger(&self, now: Timestamp, than: Duration) -> bool {
        is_within(now, self.fetched, than)
    }
}

impl<T> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            fetched: self.fetched,
            number: self.number,
        }
    }
}

impl Flight {
    fn rests(&self, pause: Duration) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|(failed, _)| failed.elapsed() < pause)
    }
}

/// With something at hand nobody waits for a provider that hangs.
async fn bounded<T>(
    patience: Duration,
    fetch: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    let late = |_| ProviderError::Unavailable("no answer while an older document served".into());
    tokio::time::timeout(patience, fetch).await.map_err(late)?
}

/// Whether `then` lies within the last `span`. A clock that was set back counts as time passed: better one fetch too
/// many than a document kept until the clock has caught up.
fn is_within(now: Timestamp, then: Timestamp, span: Duration) -> bool {
    now >= then && now.since(then) < span
}

fn lock<V>(mutex: &Mutex<V>) -> std::sync::MutexGuard<'_, V> {
    // Every critical section is one assignment: there is no half-done state that a panic could leave behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As long as nobody asks the provider again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// As long as it serves while the provider is down.
const KEPT: Duration = Duration::from_secs(25 * 60 * 60);
/// As many fetches are forced in vain…
const FORCED_IN_VAIN: usize = 3;
/// …within this long.
const FORCED_SPAN: Duration = Duration::from_secs(5);
/// With something held there is no hurry: this many pauses lie between two attempts.
const STALE_PAUSES: u32 = 30;
