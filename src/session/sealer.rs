//! What a store that lives outside this process's memory is given: sealed, under names that tell nothing.
//!
//! The keys are derived from the cookie keys, so that whoever may open cookies may open this, and nobody else: a dump of the
//! store is useless without them. The first key seals, all open, as with cookies (contract §4); there is nothing more to
//! configure and nothing more to rotate.

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::config::CookieKey;
use crate::random::Random;

#[cfg(feature = "redis")]
mod names;

#[cfg(feature = "redis")]
pub(crate) use names::Names;

/// Seals and opens what a store keeps.
pub(crate) struct Sealer {
    /// The first seals.
    ring: Vec<Root>,
    random: Arc<dyn Random>,
}

/// One cookie key, as far as the store is concerned.
struct Root {
    id: [u8; KEY_ID],
    hkdf: Hkdf<Sha256>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

impl Sealer {
    pub(crate) fn new(keys: &[CookieKey], random: Arc<dyn Random>) -> Self {
        Self {
            ring: keys.iter().map(Root::of).collect(),
            random,
        }
    }

    /// Seals `plain` for `purpose`, bound to `name`; `None` only without any key.
    pub(crate) fn seal(&self, purpose: &str, name: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let root = self.ring.first()?;
        let salt: [u8; SALT] = self.random.bytes();
        let nonce: [u8; NONCE] = self.random.bytes();
        let payload = Payload {
            msg: plain,
            aad: name,
        };
        let sealed = root
            .cipher(purpose, &salt)?
            .encrypt(&Nonce::from(nonce), payload)
            .ok()?;
        Some([&root.id[..], &salt, &nonce, &sealed].concat())
    }

    /// Opens what [`Self::seal`] made of any key of the ring, for the same purpose and name.
    pub(crate) fn open(&self, purpose: &str, name: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (id, rest) = sealed.split_first_chunk::<KEY_ID>()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let root = self.ring.iter().find(|root| root.id == *id)?;
        let payload = Payload {
            msg: sealed,
            aad: name,
        };
        root.cipher(purpose, salt)?
            .decrypt(&Nonce::from(*nonce), payload)
            .ok()
            .map(Zeroizing::new)
    }
}

impl Root {
    fn of(key: &CookieKey) -> Self {
        let digest = Sha256::new()
            .chain_update(b"cloakroom store key id 1\0")
            .chain_update(&key.0[..])
            .finalize();
        let mut id = [0; KEY_ID];
        id.copy_from_slice(digest.split_at(KEY_ID).0);
        Self {
            id,
            hkdf: Hkdf::new(Some(b"cloakroom store key 1"), &key.0[..]),
        }
    }

    /// A key of its own for each value: no count of sealed values has to be watched, on one process or on many.
    fn cipher(&self, purpose: &str, salt: &[u8; SALT]) -> Option<Aes256Gcm> {
        let mut key = Zeroizing::new([0; 32]);
        self.hkdf
            .expand_multi_info(&[purpose.as_bytes(), b"\0", salt], &mut *key)
            .ok()?;
        Aes256Gcm::new_from_slice(&*key).ok()
    }
}

const KEY_ID: usize = 8;
const SALT: usize = 12;
const NONCE: usize = 12;

#[cfg(test)]
mod tests;
