//! What only a store elsewhere can do: be out of reach, be emptied, be another one, be shared, be no Redis at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use server::RedisServer;

use super::{Health, RedisStore};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::tests::fixture;
use crate::config::{CookieKey, Redis, RedisUrl};
use crate::random::OsRandom;
use crate::session::{Generation, SessionId};
use crate::store::{Claimant, Cutoff, EndReason, LEASE, Look, SessionRef, Store as _, Whose};

mod outages;
#[allow(unreachable_pub, dead_code, reason = "it serves tests outside the crate, too")]
#[path = "../../../tests/support/redis_server.rs"]
pub(in crate::store) mod server;
mod shared;
mod strangers;

const ISSUER: &str = "https://login.example.com";
const SESSION: SessionId = SessionId([7; 16]);
const G0: Generation = Generation(0);

/// The machine's clock, set wrong by so many milliseconds.
#[derive(Debug)]
struct Wrong(AtomicI64);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now().as_millis();
        Timestamp::from_millis(now.saturating_add_signed(self.0.load(Ordering::Relaxed)))
    }
}

fn settings(url: &str, prefix: &str) -> Redis {
    Redis {
        url: RedisUrl::of(url),
        prefix: prefix.into(),
        grace: Duration::from_secs(600),
    }
}

fn with(settings: &Redis, keys: &[CookieKey], clock: impl Clock) -> RedisStore {
    RedisStore::start(settings, keys, Arc::new(clock), Arc::new(OsRandom)).unwrap()
}

/// A replica, connected.
async fn replica(server: &RedisServer) -> RedisStore {
    replica_with(server, "t:", &[7]).await
}

async fn replica_with(server: &RedisServer, prefix: &str, keys: &[u8]) -> RedisStore {
    let keys: Vec<_> = keys.iter().map(|byte| fixture::key(*byte)).collect();
    let store = with(&settings(&server.url(), prefix), &keys, SystemClock);
    store.found().await.unwrap();
    store
}

fn now(store: &RedisStore) -> Timestamp {
    store.time(SystemClock.now())
}

fn hour(store: &RedisStore) -> Timestamp {
    now(store).after(Duration::from_secs(3600))
}

async fn look(store: &RedisStore, id: SessionId) -> Look {
    store
        .look(of(id, Timestamp::from_secs(1)), now(store))
        .await
        .unwrap()
}

fn of(id: SessionId, started: Timestamp) -> SessionRef<'static> {
    SessionRef {
        id,
        issuer: ISSUER,
        subject: "alice",
        provider_session: Some("sid-1"),
        started,
    }
}

/// Looks again and again until it is so; says how long that took. Each look lets the others go on.
async fn eventually(what: &str, mut so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !so().await {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "never happened: {what}"
        );
        tokio::task::yield_now().await;
    }
    began.elapsed()
}

async fn down(store: &RedisStore) {
    eventually("it is known to be out of reach", async || {
        store.health() == Health::Down
    })
    .await;
}

async fn up(store: &RedisStore) {
    eventually("it is back", async || store.health() == Health::Up).await;
}

async fn end(store: &RedisStore, id: SessionId) -> Result<(), crate::store::StoreError> {
    store.end(id, EndReason::LoggedOut, hour(store), now(store)).await
}
