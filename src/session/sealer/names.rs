//! What things are called in a store that several processes share: keys that tell nothing, and values that only who may open
//! cookies can open.
//!
//! Everything that is put in hangs on one secret of 32 random bytes, made with the epoch when a store is found empty. It lies in
//! the store itself, wrapped once for each cookie key of the ring (`store::redis::identity`). So a change of the cookie keys
//! changes no name and re-seals nothing: with both steps of a rotation (contract §4) some key of every ring opens the same secret.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Sealer;
use crate::config::CookieKey;
use crate::random::Random;

/// Names and seals for one secret.
pub(crate) struct Names {
    hkdf: Hkdf<Sha256>,
    sealer: Sealer,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names(***)")
    }
}

impl Names {
    pub(crate) fn new(secret: &Zeroizing<[u8; 32]>, random: Arc<dyn Random>) -> Self {
        let key = CookieKey(Arc::new(secret.clone()));
        Self {
            hkdf: Hkdf::new(Some(b"cloakroom redis names 1"), &secret[..]),
            sealer: Sealer::new(&[key], random),
        }
    }

    /// The name of what `parts` identify, in hex: 128 bits of HKDF-SHA-256, of no use to who lacks the secret.
    #[expect(
        clippy::expect_used,
        reason = "16 bytes are far below the 8160 that HKDF-SHA-256 can give; going on with one name for all would be worse"
    )]
    pub(crate) fn of(&self, what: &str, parts: &[&[u8]]) -> String {
        let mut info = what.as_bytes().to_vec();
        for part in parts {
            // Lengths in front, so that no two lists read the same.
            info.extend((part.len() as u64).to_be_bytes());
            info.extend(*part);
        }
        let mut name = [0; 16];
        self.hkdf.expand(&info, &mut name).expect("HKDF gives 16 bytes");
        name.iter().fold(String::with_capacity(32), |mut hex, byte| {
            let _written = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Seals `plain`, for `purpose`.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Option<Vec<u8>> {
        self.sealer.seal(purpose, b"", plain)
    }

    /// Opens what [`Self::seal`] made for the same purpose.
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open(purpose, b"", sealed)
    }
}
