//! Which store a file is: its epoch, and the secret that names and seals everything in it.
//!
//! Wrapped once for each cookie key of the ring. Whoever opens the file with a ring of which one key fits has it, and wraps
//! it for the whole ring: so both steps of a rotation find the same store (contract §4), and a key that has gone from the
//! ring opens the file no more.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::CookieKey;
use crate::random::Random;
use crate::session::Sealer;
use crate::store::Epoch;

/// What is wrapped.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) epoch: Epoch,
    pub(super) secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

impl Identity {
    /// That of a new file.
    pub(super) fn new(random: &dyn Random) -> Self {
        Self {
            epoch: Epoch(u64::from_le_bytes(random.bytes())),
            secret: Zeroizing::new(random.bytes()),
        }
    }

    /// For each key of the ring.
    pub(super) fn wrap(&self, ring: &[CookieKey], random: &Arc<dyn Random>) -> Option<Vec<Vec<u8>>> {
        let plain = Zeroizing::new(postcard::to_allocvec(&(self.epoch, &*self.secret)).ok()?);
        ring.iter()
            .map(|key| sealer(key, random).seal(PURPOSE, b"", &plain))
            .collect()
    }

    /// From what one key of the ring opens.
    pub(super) fn unwrap(wrapped: &[u8], ring: &[CookieKey], random: &Arc<dyn Random>) -> Option<Self> {
        let plain = Sealer::new(ring, Arc::clone(random)).open(PURPOSE, b"", wrapped)?;
        let (epoch, secret) = postcard::from_bytes(&plain).ok()?;
        Some(Self {
            epoch,
            secret: Zeroizing::new(secret),
        })
    }
}

fn sealer(key: &CookieKey, random: &Arc<dyn Random>) -> Sealer {
    Sealer::new(std::slice::from_ref(key), Arc::clone(random))
}

const PURPOSE: &str = "file identity";
