//! A disk that takes nothing, a power cut, a kill: nothing that was acknowledged is lost, and nothing stops for good.

use std::io;
use std::sync::{Mutex, MutexGuard};

use futures_util::future::join_all;

use super::super::{Database, Identity};
use super::*;
use crate::store::{Claimant, Health};

/// A disk as one process sees it, and what of it a power cut leaves.
#[derive(Debug, Clone, Default)]
struct Platter(Arc<Mutex<Bytes>>);

#[derive(Debug, Default)]
struct Bytes {
    seen: Vec<u8>,
    lasting: Vec<u8>,
    full: bool,
    syncs: usize,
}

impl Platter {
    fn bytes(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap()
    }

    fn writable(&self) -> io::Result<MutexGuard<'_, Bytes>> {
        let bytes = self.bytes();
        if bytes.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(bytes)
    }

    /// What is there after the power has gone.
    fn after_a_power_cut(&self) -> Self {
        let lasting = self.bytes().lasting.clone();
        Self(Arc::new(Mutex::new(Bytes {
            seen: lasting.clone(),
            lasting,
            ..Bytes::default()
        })))
    }

    fn open(&self, now: Timestamp) -> FileStore {
        let ring = [key(7)];
        let random: Arc<dyn crate::random::Random> = Arc::new(OsRandom);
        let database = Database::open(self.clone()).unwrap();
        if self.bytes().lasting.is_empty() || database.identity(&ring, &random).is_err() {
            database.found(&Identity::new(&OsRandom), &ring, &random).unwrap();
        }
        let again = self.clone();
        let reopen = Box::new(move || Database::open(again.clone()));
        FileStore::on(database, reopen, Capacity::default(), (&ring, random), now).unwrap()
    }
}

impl redb::StorageBackend for Platter {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes().seen[start..start + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?.seen.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut bytes = self.writable()?;
        bytes.lasting = bytes.seen.clone();
        bytes.syncs += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        self.writable()?.seen[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

/// Contract §9: fails soft, says so, and comes back by itself.
#[tokio::test]
async fn a_full_disk_refuses_what_needs_it_and_nothing_else() {
    let platter = Platter::default();
    let store = platter.open(NOW);
    end(&store, session(1)).await;
    platter.bytes().full = true;

    let ended = store.end(session(2), EndReason::LoggedOut, at(3600), NOW);
    assert!(ended.await.is_err());
    assert_eq!(store.health(), Health::Down);
    // What is known holds, also what could not be written.
    for number in [1, 2] {
        assert!(look(&store, session(number), NOW).await.ended.is_some());
    }
    assert_eq!(look(&store, session(3), NOW).await, Look::default());
    // Logins and renewals do not begin.
    assert!(store.use_once([1; 32], at(600), NOW).await.is_err());
    assert!(store.claim(session(3), Claimant(1), NOW).await.is_err());
    let kept = store.keep_renewal(session(4), G0, b"sealed".to_vec(), at(600), at(3600), NOW);
    assert!(kept.await.is_err());
    assert!(
        store.renewal(session(4), G0, NOW).await.unwrap().is_some(),
        "one that had begun is kept while the process runs"
    );

    platter.bytes().full = false;
    store.settled().await;
    assert_eq!(store.health(), Health::Up);
    assert!(
        store.use_once([1; 32], at(600), NOW).await.unwrap(),
        "it was not used up"
    );
    drop(store);
    let again = platter.after_a_power_cut().open(at(1));
    for number in [1, 2] {
        assert!(look(&again, session(number), at(1)).await.ended.is_some());
    }
    assert!(again.renewal(session(4), G0, at(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let platter = Platter::default();
    let store = platter.open(NOW);
    for number in 0..50 {
        end(&store, session(number)).await;
        let kept = store.keep_renewal(session(1000 + number), G0, vec![7], at(600), at(3600), NOW);
        assert!(kept.await.unwrap());
        if number % 10 == 0 {
            let again = platter.after_a_power_cut().open(at(1));
            assert_eq!(again.epoch(), store.epoch());
            for number in 0..=number {
                assert!(look(&again, session(number), at(1)).await.ended.is_some());
                let kept = again.renewal(session(1000 + number), G0, at(1));
                assert!(kept.await.unwrap().is_some());
            }
        }
    }
}

/// Logouts by the thousand do not wait for the disk one after the other.
#[tokio::test]
async fn a_flood_of_ends_shares_its_writes() {
    let platter = Platter::default();
    let store = platter.open(NOW);
    let before = platter.bytes().syncs;
    let ends = (0..2000).map(|number| store.end(session(number), EndReason::Revoked, at(3600), NOW));
    assert!(join_all(ends).await.into_iter().all(|ended| ended.is_ok()));
    let syncs = platter.bytes().syncs - before;
    assert!(syncs < 200, "{syncs} for 2000 ends");
}

#[tokio::test]
async fn what_was_noted_is_written_before_the_process_goes() {
    let platter = Platter::default();
    let store = platter.open(NOW);
    store.refused(session(1), G0, NOW).await.unwrap();
    store.settled().await;
    let again = platter.after_a_power_cut().open(at(5));
    assert_eq!(again.refused(session(1), G0, at(5)).await.unwrap(), NOW);
}
