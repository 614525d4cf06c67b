//! Sessions in the store: what is put there, sealed, and the two secrets that their cookies hold instead of tokens
//! (contract §9, `session.mode = "store"`).
//!
//! ```text
//! cookie at   whose session, its lifetimes            ─┐ sealed under the cookie keys, as always
//! cookie rt   handle 32 │ secret 32                   ─┘
//! store       SHA-256(handle) → version 1 │ salt 12 │ nonce 12 │ AES-256-GCM ciphertext + tag 16
//! ```
//!
//! 1. A dump of the store is useless: names are hashes of random handles, contents are sealed under keys derived from
//!    secrets that only browsers hold. So is a dump together with the cookie keys: they play no part in the content.
//! 2. A stolen cookie key alone opens a cookie that was stolen too, and then shows a handle, no token.
//! 3. Associated data are app, origin, issuer, client and name: content that is moved to another name, and another app's,
//!    does not open. Session id and generation inside must be those of the cookies.
//! 4. Each generation has a shelf of its own, written once. The salt makes a key of its own for each value all the same, so
//!    that writing one again (a store that failed half-way) costs nothing (M-01).

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use super::content::{self, shelved};
use super::cookies::{Cookies, Presented, TooLarge};
use super::pack::{self, Packed};
use super::{Session, jar, recent};
use crate::random::Random;

/// 256 random bits that only the browser's cookie and the memory of this process hold; wiped when dropped.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret([u8; 32]);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Where the content of one generation of a session lies.
#[derive(Clone)]
pub struct Shelf {
    /// Names it.
    pub(crate) handle: Secret,
    /// Opens it.
    pub(crate) secret: Secret,
    /// Under which name the generation before lies, where it does: it goes when this one has been presented.
    pub(crate) before: Option<[u8; 32]>,
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf(***)")
    }
}

impl Shelf {
    /// A new one, for the generation after what lies under `before`.
    pub(crate) fn new(before: Option<[u8; 32]>, random: &dyn Random) -> Self {
        let secret = || Secret(random.bytes());
        Self {
            handle: secret(),
            secret: secret(),
            before,
        }
    }

    /// What the store calls it.
    pub(crate) fn name(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"cloakroom content name 1\0")
            .chain_update(self.handle.0)
            .finalize()
            .into()
    }

    /// A key of its own for each value.
    fn cipher(&self, salt: &[u8; SALT]) -> Option<Aes256Gcm> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(b"cloakroom content key 1"), &self.secret.0)
            .expand_multi_info(&[b"cloakroom content value 1", salt], &mut *key)
            .ok()?;
        Aes256Gcm::new_from_slice(&*key).ok()
    }
}

/// A session whose tokens lie in the store, as far as its cookies tell.
#[derive(Debug)]
pub struct Shelved {
    facts: Session,
    shelf: Shelf,
}

impl Shelved {
    /// `facts` is of the generation that `shelf` is of.
    pub(super) fn new(facts: Session, shelf: Shelf) -> Self {
        let facts = Session {
            shelf: Some(shelf.clone()),
            ..facts
        };
        Self { facts, shelf }
    }

    /// The session without its tokens: enough to ask whether it has ended, not enough to use it.
    pub fn facts(&self) -> &Session {
        &self.facts
    }

    /// Where they are.
    pub(crate) const fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

impl Cookies {
    /// What the store keeps of `session`, sealed for `shelf`; `None` never happens but by a broken AES.
    pub(crate) fn seal_content(&self, session: &Session, shelf: &Shelf) -> Option<Vec<u8>> {
        let pack = |token: &str| Packed::of(token, pack::WORTH_ITS_TIME);
        let access = pack(session.access.token.expose());
        let refresh = session.refresh.as_ref().map(|token| pack(token.expose()));
        let id_token = session.id_token.as_ref().map(|token| pack(token.expose()));
        let content = shelved::Shelved::of(session, shelf, &access, refresh.as_ref(), id_token.as_ref());

        let random = self.vault.random();
        let (salt, nonce): ([u8; SALT], [u8; NONCE]) = (random.bytes(), random.bytes());
        let cipher = shelf.cipher(&salt)?;
        // Of the right size from the start, and sealed where it lies: a buffer that grows leaves copies behind (M-11).
        let mut sealed = Vec::with_capacity(HEAD + content::encoded_len(&content) + TAG);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&nonce);
        content::encode_onto(&content, &mut sealed);
        let (_, plain) = sealed.split_at_mut_checked(HEAD)?;
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(nonce), &self.bound_to(shelf), plain.into())
            .ok()?;
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    /// The session of these cookies, from what the store keeps for it. `None`: it is not what was put there for this
    /// session, generation and app.
    pub(crate) fn open_content(&self, shelved: &Shelved, sealed: &[u8]) -> Option<Session> {
        let Shelved { facts, shelf } = shelved;
        let (&format, rest) = sealed.split_first()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        if format != FORMAT {
            return None;
        }
        let mut plain = Zeroizing::new(ciphertext.to_vec());
        shelf
            .cipher(salt)?
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &self.bound_to(shelf),
                plain.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .ok()?;
        let (version, content): (_, shelved::Shelved<'_>) = content::decode(&plain)?;
        let session = content.to_session(version, shelf)?;
        // The access cookie slides without the content: it knows better when the session was touched.
        let ours = session.id == facts.id && session.generation == facts.generation;
        ours.then_some(Session {
            touched: facts.touched,
            ..session
        })
    }

    /// Remembers what the `Cookie` field of `headers` opened to, content included.
    pub(crate) fn remember(&self, headers: &HeaderMap, session: &Arc<Session>, presented: Presented) {
        if let Some(field) = jar::only_field(headers) {
            recent::keep(self.owner, field, session, presented);
        }
    }

    /// Whether the tokens of `session` fit into its cookies.
    ///
    /// # Errors
    /// [`TooLarge`]
    pub(crate) fn room_for(&self, session: &Session) -> Result<(), TooLarge> {
        self.packed(session).map(drop)
    }

    /// A content's place: another name, app, origin, issuer or client has other associated data.
    fn bound_to(&self, shelf: &Shelf) -> Vec<u8> {
        self.vault
            .associate(&[b"cloakroom content", &[FORMAT], &shelf.name()])
    }
}

/// Version of what the store keeps.
const FORMAT: u8 = 1;
const SALT: usize = 12;
const NONCE: usize = 12;
const TAG: usize = 16;
/// What stands in front of the ciphertext.
const HEAD: usize = 1 + SALT + NONCE;
