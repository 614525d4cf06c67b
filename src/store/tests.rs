//! The rules of the store (contract §9), one by one, on the memory store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Answer, Capacity, Cutoff, EndReason, Look, MemoryStore, SessionRef, Store, StoreError, Whose};
use crate::clock::Timestamp;
use crate::random::OsRandom;
use crate::session::{Generation, SessionId};

mod contents;
mod directory;
mod ends;
mod leases;
mod marks;
mod refusals;
mod renewals;
mod subjects;
mod together;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ISSUER: &str = "https://login.example.com";
const G0: Generation = Generation(0);
const G1: Generation = Generation(1);
const G2: Generation = Generation(2);

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

fn store() -> MemoryStore {
    MemoryStore::new(&OsRandom)
}

fn small(change: impl FnOnce(&mut Capacity)) -> MemoryStore {
    let mut capacity = Capacity::default();
    change(&mut capacity);
    MemoryStore::with_capacity(&OsRandom, capacity)
}

fn session(number: u32) -> SessionId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    SessionId(id)
}

/// The memory store never waits.
fn now<T>(answer: Answer<'_, T>) -> Result<T, StoreError> {
    answer.now_or_never().expect("the memory store waits for nobody")
}

fn look_as(store: &MemoryStore, id: SessionId, subject: &str, started: Timestamp, when: Timestamp) -> Look {
    let session = SessionRef {
        id,
        issuer: ISSUER,
        subject,
        provider_session: None,
        started,
    };
    now(store.look(session, when)).unwrap()
}

fn look(store: &MemoryStore, id: SessionId, when: Timestamp) -> Look {
    look_as(store, id, "alice", NOW, when)
}

fn end(store: &MemoryStore, id: SessionId, reason: EndReason, until: Timestamp, when: Timestamp) {
    now(store.end(id, reason, until, when)).unwrap();
}

fn end_subject(
    store: &MemoryStore,
    subject: Option<&str>,
    before: Timestamp,
    until: Timestamp,
    when: Timestamp,
) {
    let cutoff = Cutoff {
        before,
        reason: EndReason::Revoked,
        until,
    };
    let whose = subject.map_or(Whose::Everybody, Whose::Subject);
    now(store.end_all(ISSUER, whose, cutoff, when)).unwrap();
}

/// Keeps `sealed` as what the renewal of `from` brought, for 600 s; the session ends after an hour.
fn keep(store: &MemoryStore, id: SessionId, from: Generation, sealed: &[u8], when: Timestamp) -> bool {
    let until = when.after(Duration::from_secs(600));
    now(store.keep_renewal(id, from, sealed.to_vec(), until, at(3600), when)).unwrap()
}

fn kept(store: &MemoryStore, id: SessionId, from: Generation, when: Timestamp) -> Option<Vec<u8>> {
    now(store.renewal(id, from, when)).unwrap()
}

fn present(store: &MemoryStore, id: SessionId, generation: Generation, when: Timestamp) {
    now(store.presented(id, generation, when)).unwrap();
}
