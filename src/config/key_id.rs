//! The name of a cookie key: the id that stands in the clear part of every value sealed under it (contract §4), so that a log
//! can say which key seals without saying anything about it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::CookieKey;

impl CookieKey {
    /// Its id, in hex: the beginning of a hash of the key under a label of its own. `session::keyring` finds keys by it.
    pub(crate) fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        hash.update(self.0.as_slice());
        hash.finalize()
            .iter()
            .take(LENGTH)
            .fold(String::new(), |mut id, byte| {
                // Writing to a string does not fail.
                let _ = write!(id, "{byte:02x}");
                id
            })
    }
}

const LABEL: &[u8] = b"cloakroom cookie key id v1";
const LENGTH: usize = 4;
