//! What a file is for: that a restart forgets nothing, whatever happened before it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::FileStore;
use super::database::FileError;
use crate::clock::Timestamp;
use crate::config::tests::fixture::key;
use crate::random::OsRandom;
use crate::session::{Generation, SessionId};
use crate::store::{Capacity, Cutoff, EndReason, Look, Record, SessionRef, Store as _, Whose};

mod growth;
#[cfg(target_os = "linux")]
mod measure;
mod opening;
mod restart;
mod trouble;

const NOW: Timestamp = Timestamp::from_secs(4_000_000_000);
const ISSUER: &str = "https://login.example.com";
const G0: Generation = Generation(0);
const G1: Generation = Generation(1);

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

fn session(number: u32) -> SessionId {
    let mut id = [0x5a; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    SessionId(id)
}

/// A folder with a store's file in it.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.redb")
    }

    /// Opens the file with a ring of these keys.
    fn try_open(&self, ring: &[u8], now: Timestamp) -> Result<FileStore, FileError> {
        open(&self.path(), ring, now)
    }

    fn open(&self, now: Timestamp) -> FileStore {
        self.try_open(&[7], now).unwrap()
    }
}

fn open(path: &Path, ring: &[u8], now: Timestamp) -> Result<FileStore, FileError> {
    let ring: Vec<_> = ring.iter().map(|byte| key(*byte)).collect();
    FileStore::with_capacity(path, &ring, Arc::new(OsRandom), now, Capacity::default())
}

async fn look(store: &FileStore, id: SessionId, when: Timestamp) -> Look {
    let session = SessionRef {
        id,
        issuer: ISSUER,
        subject: "alice",
        provider_session: Some("sid-1"),
        started: NOW,
    };
    store.look(session, when).await.unwrap()
}

async fn end(store: &FileStore, id: SessionId) {
    let ended = store.end(id, EndReason::LoggedOut, at(3600), NOW);
    ended.await.unwrap();
}

fn record(number: u32) -> Record {
    Record {
        handle: session(number).handle(),
        app: "shop".into(),
        issuer: ISSUER.into(),
        subject: "alice".into(),
        provider_session: Some("sid-1".into()),
        started: NOW,
        until: at(3600),
    }
}

fn everything_before(before: Timestamp) -> Cutoff {
    Cutoff {
        before,
        reason: EndReason::Revoked,
        until: at(3600),
    }
}
