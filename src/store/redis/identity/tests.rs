//! A rotation of the cookie keys finds the same store at each of its steps; other keys find nothing.

#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use std::collections::HashMap;
use std::sync::Arc;

use super::{Identity, Secret};
use crate::config::CookieKey;
use crate::config::tests::fixture::key;
use crate::random::{OsRandom, Random};

/// What Redis holds.
#[derive(Default)]
struct Hash(HashMap<String, Vec<u8>>);

fn ring(keys: &[u8]) -> Vec<CookieKey> {
    keys.iter().map(|byte| key(*byte)).collect()
}

fn random() -> Arc<dyn Random> {
    Arc::new(OsRandom)
}

impl Hash {
    /// A replica with these keys comes: what it calls a session, and whether it had to begin anew.
    fn come(&mut self, keys: &[u8], prefix: &str) -> (String, bool) {
        let ring = ring(keys);
        let found = ring
            .iter()
            .find_map(|key| Some((key.id(), self.0.get(&key.id())?.clone())))
            .and_then(|(field, wrapped)| Identity::open(field, wrapped, &ring, prefix, &random()));
        let new = found.is_none();
        let fields = match &found {
            Some(identity) => identity.wrap(&ring, prefix, &random()),
            None => Secret::new(&OsRandom).wrap(&ring, prefix, &random()),
        };
        for (field, wrapped) in fields {
            self.0.entry(field).or_insert(wrapped);
        }
        let field = ring.first().unwrap().id();
        let wrapped = self.0[&field].clone();
        let identity = Identity::open(field, wrapped, &ring, prefix, &random()).unwrap();
        (identity.names.of("session", &[b"one"]), new)
    }
}

#[test]
fn both_steps_of_a_rotation_find_the_same_store() {
    // Contract §4, attack 93.
    let mut hash = Hash::default();
    let (name, new) = hash.come(&[1], "p:");
    assert!(new);
    for ring in [&[1][..], &[1, 2], &[1], &[2, 1], &[1, 2], &[2], &[2, 3], &[3]] {
        assert_eq!(hash.come(ring, "p:"), (name.clone(), false), "{ring:?}");
    }
}

#[test]
fn other_keys_begin_a_store_of_their_own_beside_the_first() {
    let mut hash = Hash::default();
    let (first, _) = hash.come(&[1], "p:");
    let (second, new) = hash.come(&[2], "p:");
    assert!(new);
    assert_ne!(first, second);
    assert_eq!(hash.come(&[1], "p:"), (first, false));
    assert_eq!(hash.come(&[2], "p:"), (second, false));
}

#[test]
fn what_was_copied_to_another_prefix_does_not_open() {
    let mut hash = Hash::default();
    hash.come(&[1], "p:");
    let ring = ring(&[1]);
    let field = ring.first().unwrap().id();
    let wrapped = hash.0[&field].clone();
    assert!(Identity::open(field.clone(), wrapped.clone(), &ring, "q:", &random()).is_none());
    assert!(Identity::open(field, wrapped, &ring, "p:", &random()).is_some());
}
