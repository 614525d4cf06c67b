//! Which store this is: its epoch, and the one secret that names and seals everything in it.
//!
//! One hash in Redis holds it, wrapped once for each cookie key: the field is the key's id, as every cookie shows it, the value
//! is sealed under that key. Whoever finds a field for a key of its ring opens it and adds the fields that its ring has and
//! the hash has not. So both steps of a rotation find the same store (contract §4):
//!
//! | the ring of a replica | what it finds, what it adds |
//! | --- | --- |
//! | old | old |
//! | old, new | old; adds new |
//! | new, old | new |
//! | new | new |
//!
//! Where no field is of the ring, nothing in this Redis is for us: it is new, it was emptied, or others use the same prefix with
//! other keys. A new secret and a new epoch begin beside theirs, and neither can read the other's. No field is ever
//! written twice, so the wrapped value, byte for byte, tells every later command whether it still talks to the same store.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::config::CookieKey;
use crate::random::Random;
use crate::session::{Names, Sealer};
use crate::store::Epoch;

/// The store as this replica knows it.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) epoch: Epoch,
    pub(super) names: Names,
    /// The field that it was found under, and its value.
    pub(super) field: String,
    pub(super) wrapped: Vec<u8>,
    secret: Secret,
}

/// What is wrapped.
#[derive(Clone)]
pub(super) struct Secret {
    epoch: Epoch,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl Secret {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self {
            epoch: Epoch(u64::from_le_bytes(random.bytes())),
            key: Zeroizing::new(random.bytes()),
        }
    }

    /// One field for each key of the ring, in its order.
    pub(super) fn wrap(
        &self,
        ring: &[CookieKey],
        prefix: &str,
        random: &Arc<dyn Random>,
    ) -> Vec<(String, Vec<u8>)> {
        let mut plain = Zeroizing::new(self.epoch.0.to_be_bytes().to_vec());
        plain.extend_from_slice(&self.key[..]);
        let wrap = |key: &CookieKey| {
            let field = key.id();
            let name = bound_to(prefix, &field);
            let wrapped = sealer(key, random).seal(PURPOSE, &name, &plain)?;
            Some((field, wrapped))
        };
        ring.iter().filter_map(wrap).collect()
    }
}

impl Identity {
    /// Opens what was found in `field`; `None` when no key of the ring does.
    pub(super) fn open(
        field: String,
        wrapped: Vec<u8>,
        ring: &[CookieKey],
        prefix: &str,
        random: &Arc<dyn Random>,
    ) -> Option<Self> {
        let key = ring.iter().find(|key| key.id() == field)?;
        let plain = sealer(key, random).open(PURPOSE, &bound_to(prefix, &field), &wrapped)?;
        let (epoch, rest) = plain.split_first_chunk::<8>()?;
        let secret = Secret {
            epoch: Epoch(u64::from_be_bytes(*epoch)),
            key: Zeroizing::new(rest.try_into().ok()?),
        };
        Some(Self {
            epoch: secret.epoch,
            names: Names::new(&secret.key, Arc::clone(random)),
            field,
            wrapped,
            secret,
        })
    }

    /// The fields for the keys of another ring.
    pub(super) fn wrap(
        &self,
        ring: &[CookieKey],
        prefix: &str,
        random: &Arc<dyn Random>,
    ) -> Vec<(String, Vec<u8>)> {
        self.secret.wrap(ring, prefix, random)
    }
}

fn sealer(key: &CookieKey, random: &Arc<dyn Random>) -> Sealer {
    Sealer::new(std::slice::from_ref(key), Arc::clone(random))
}

/// A field that was copied to another prefix, or under another key's name, does not open.
fn bound_to(prefix: &str, field: &str) -> Vec<u8> {
    [prefix.as_bytes(), b"\0", field.as_bytes()].concat()
}

const PURPOSE: &str = "redis store 1";

#[cfg(test)]
mod tests;
