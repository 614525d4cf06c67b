//! The cookie keys: which one seals, which ones open, and what is derived from each.
//!
//! 1. A key is found by its id (contract §4: "picks one key, no trial"). The id is a hash of the key under a label of
//!    its own, so it tells nothing about the key.
//! 2. Nothing is sealed under a configured key itself. HKDF-SHA-256 (RFC 5869) derives one sub-key per purpose and app,
//!    once at start: a value of one purpose or app cannot be opened as another (M-04, attacks 74 and 76).
//! 3. Nothing is sealed under a sub-key either: each value has a key of its own ([`SubKey::for_value`]), so replicas
//!    that share the configured keys share no message limit (M-01).

use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::seal::push_field;
use crate::config::CookieKey;
use crate::metrics::{KeyMeter, Meters};
use crate::random::Random;

/// What a sealed value is for. Each purpose has its own sub-key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `-at`
    Access,
    /// `-rt`
    Refresh,
    /// `-id`
    Id,
    /// `-login-<hash>`
    Login,
    /// `-end`
    End,
}

impl Purpose {
    /// As it stands in derivation and associated data.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Access => "at",
            Self::Refresh => "rt",
            Self::Id => "id",
            Self::Login => "login",
            Self::End => "end",
        }
    }
}

/// Names one configured key in the clear part of a sealed value.
pub(super) type KeyId = [u8; 4];

/// One configured key with its sub-keys for one app.
pub(super) struct Key {
    pub(super) id: KeyId,
    access: SubKey,
    refresh: SubKey,
    id_token: SubKey,
    login: SubKey,
    end: SubKey,
    /// Counts what is opened under it.
    meter: Option<KeyMeter>,
}

impl Key {
    fn derive(key: &[u8; 32], app: &str) -> Self {
        let root = Hkdf::<Sha256>::new(Some(ROOT_SALT), key);
        let sub_key = |purpose: Purpose| SubKey::derive(&root, purpose, app);
        Self {
            id: key_id(key),
            access: sub_key(Purpose::Access),
            refresh: sub_key(Purpose::Refresh),
            id_token: sub_key(Purpose::Id),
            login: sub_key(Purpose::Login),
            end: sub_key(Purpose::End),
            meter: None,
        }
    }

    /// A value of `purpose` was opened under this key.
    pub(super) fn opened(&self, purpose: Purpose) {
        if let Some(meter) = &self.meter {
            meter.opened(purpose as usize);
        }
    }

    /// The sub-key of `purpose`.
    pub(super) const fn sub_key(&self, purpose: Purpose) -> &SubKey {
        match purpose {
            Purpose::Access => &self.access,
            Purpose::Refresh => &self.refresh,
            Purpose::Id => &self.id_token,
            Purpose::Login => &self.login,
            Purpose::End => &self.end,
        }
    }
}

/// The key of one purpose and app, as prepared HKDF state.
pub(super) struct SubKey(Hkdf<Sha256>);

impl SubKey {
    fn derive(root: &Hkdf<Sha256>, purpose: Purpose, app: &str) -> Self {
        let mut info = Vec::with_capacity(64);
        push_field(&mut info, SUB_KEY_LABEL);
        push_field(&mut info, purpose.label().as_bytes());
        push_field(&mut info, app.as_bytes());
        Self(Hkdf::new(Some(VALUE_SALT), &*expand(root, &info)))
    }

    /// The key of one value, from the value's own `salt`.
    pub(super) fn for_value(&self, salt: [u8; 12]) -> Zeroizing<[u8; 32]> {
        let mut info = [0; VALUE_LABEL.len() + 12];
        let (label, rest) = info.split_at_mut(VALUE_LABEL.len());
        label.copy_from_slice(VALUE_LABEL);
        rest.copy_from_slice(&salt);
        expand(&self.0, &info)
    }
}

/// The keys of one app: the first seals, all open.
pub(super) struct Keyring {
    sealing: Key,
    older: Vec<Key>,
}

impl Keyring {
    /// Derives everything there is to derive, once.
    pub(super) fn new(keys: &[CookieKey], app: &str, random: &dyn Random) -> Self {
        let Some((first, older)) = keys.split_first() else {
            // The checked configuration has at least one key. Without any, a key that nobody knows keeps every promise but
            // one: sessions end with the process.
            return Self {
                sealing: Key::derive(&Zeroizing::new(random.bytes()), app),
                older: Vec::new(),
            };
        };
        Self {
            sealing: Key::derive(&first.0, app),
            older: older.iter().map(|key| Key::derive(&key.0, app)).collect(),
        }
    }

    /// The key that seals.
    pub(super) const fn sealing(&self) -> &Key {
        &self.sealing
    }

    /// The one key with this id, and its place in the ring.
    pub(super) fn find(&self, id: KeyId) -> Option<(u8, &Key)> {
        if self.sealing.id == id {
            return Some((SEALING, &self.sealing));
        }
        // Beyond 255 keys a place is only "not the first", which is all that counts.
        let place = |index: usize| u8::try_from(index + 1).unwrap_or(u8::MAX);
        let found = self.older.iter().enumerate().find(|(_, key)| key.id == id);
        found.map(|(index, key)| (place(index), key))
    }

    /// The key at this place of the ring.
    pub(super) fn at(&self, place: u8) -> Option<&Key> {
        match usize::from(place).checked_sub(1) {
            None => Some(&self.sealing),
            Some(index) => self.older.get(index),
        }
    }

    /// Counts what is opened from now on, by key.
    pub(super) fn count(&mut self, meters: &Meters) {
        for key in std::iter::once(&mut self.sealing).chain(&mut self.older) {
            let id = u32::from_be_bytes(key.id);
            key.meter = Some(meters.of_key(&format!("{id:08x}")));
        }
    }
}

/// The place of the key that seals.
pub(super) const SEALING: u8 = 0;

fn key_id(key: &[u8; 32]) -> KeyId {
    let mut hash = Sha256::new();
    hash.update(KEY_ID_LABEL);
    hash.update(key);
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    [a, b, c, d]
}

#[expect(
    clippy::expect_used,
    reason = "32 bytes are far below the 8160 that HKDF-SHA-256 can give; going on with a zero key would be worse"
)]
fn expand(hkdf: &Hkdf<Sha256>, info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf.expand(info, &mut *key).expect("HKDF gives 32 bytes");
    key
}

const KEY_ID_LABEL: &[u8] = b"cloakroom cookie key id v1";
const ROOT_SALT: &[u8] = b"cloakroom cookie key v1";
const SUB_KEY_LABEL: &[u8] = b"cloakroom cookie sub-key v1";
const VALUE_SALT: &[u8] = b"cloakroom cookie purpose v1";
/// Short, so that label, salt and HKDF's counter stay within one block of SHA-256.
const VALUE_LABEL: &[u8] = b"cloakroom value v1";
