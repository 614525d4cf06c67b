//! What things are called in the file, and how they are sealed there.
//!
//! Both hang on one secret of 32 random bytes that lies in the file itself, wrapped for each cookie key of the ring
//! ([`super::identity`]): a change of the cookie keys changes no name and seals nothing anew.

use std::fmt;
use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::CookieKey;
use crate::random::Random;
use crate::session::{Sealer, SessionId};

/// Names and seals for one file.
pub(super) struct Names {
    hkdf: Hkdf<Sha256>,
    sealer: Sealer,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(***)")
    }
}

impl Names {
    pub(super) fn new(secret: &Zeroizing<[u8; 32]>, random: Arc<dyn Random>) -> Self {
        let key = CookieKey(Arc::new(secret.clone()));
        Self {
            hkdf: Hkdf::new(Some(b"cloakroom file names 1"), &secret[..]),
            sealer: Sealer::new(&[key], random),
        }
    }

    /// What stands for a session: a keyed hash of its id, in memory as in the file.
    pub(super) fn session(&self, session: SessionId) -> SessionId {
        SessionId(self.of(b"session", &session.0))
    }

    /// What stands for a one-time value.
    pub(super) fn mark(&self, mark: &[u8; 32]) -> [u8; 32] {
        self.of(b"mark", mark)
    }

    /// What stands for the name of a session's content.
    pub(super) fn content(&self, name: &[u8; 32]) -> [u8; 32] {
        self.of(b"content", name)
    }

    /// The row of what `identity` tells apart among its kind.
    pub(super) fn row(&self, identity: &[u8]) -> [u8; 16] {
        self.of(b"row", identity)
    }

    /// HKDF-SHA-256 as a keyed hash: of no use to who lacks the secret.
    #[expect(
        clippy::expect_used,
        reason = "32 bytes are far below the 8160 that HKDF-SHA-256 can give; one name for all would be worse"
    )]
    fn of<const N: usize>(&self, kind: &[u8], id: &[u8]) -> [u8; N] {
        let mut name = [0; N];
        self.hkdf
            .expand_multi_info(&[kind, b"\0", id], &mut name)
            .expect("HKDF gives 32 bytes");
        name
    }

    /// Seals the value of a row.
    pub(super) fn seal(&self, row: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        self.sealer.seal("file row", row, plain)
    }

    /// Opens what [`Self::seal`] made for the same row.
    pub(super) fn open(&self, row: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open("file row", row, sealed)
    }
}
