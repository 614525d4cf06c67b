//! Sealing: plain bytes ⇄ the text of a cookie. The one place that encrypts and decrypts.
//!
//! ```text
//! base64url( version 1 │ key id 4 │ chunks 1 │ salt 12 │ nonce 12 │ AES-256-GCM ciphertext + tag 16 )
//!            └──────── header, clear ──────┘   └─ random ─┘
//! ```
//!
//! 1. The salt makes the key of this one value (HKDF-SHA-256), the nonce is GCM's: 192 random bits per value, so no
//!    count of sealed values needs watching (M-01, attack 73).
//! 2. Associated data are length-prefixed fields (attack 77): app, origin, issuer, `client_id`, purpose, cookie name,
//!    and the header (version, key id, chunk count). Moved anywhere else, a value does not open (attacks 74, 76, K-11).
//! 3. Base64 is strict: no padding, no stray bits, so that no two texts stand for one value (attack 71).
//! 4. The caller learns one thing beyond success: whether the key was unknown. Nothing else about a failure.

use std::sync::Arc;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize as _, Zeroizing};

use super::content;
use super::keyring::{Keyring, Purpose, SEALING};
use crate::config::{App, CookieKey};
use crate::metrics::Meters;
use crate::random::Random;

/// The keys of one app and what its values are bound to.
pub(super) struct Vault {
    keyring: Keyring,
    /// App, origin, issuer and client as associated data: the same for every value.
    app: Box<[u8]>,
    random: Arc<dyn Random>,
}

/// What a value is bound to: its purpose and place. Made once for names that do not change.
pub(super) struct Binding {
    purpose: Purpose,
    /// All associated data but the header.
    data: Box<[u8]>,
}

/// Why a value did not open; no more than a caller may act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unopened {
    /// Sealed under a key that is not in the ring: perhaps a replica is ahead in a rotation.
    UnknownKey,
    /// Anything else.
    Broken,
}

/// The plain bytes of an opened value, wiped when dropped.
pub(super) struct Plain {
    /// How many chunks the value was sealed for.
    pub(super) chunks: u8,
    /// The place of its key in the ring.
    pub(super) key: u8,
    buffer: Buffer,
    start: usize,
    end: usize,
}

impl Plain {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.0.get(self.start..self.end).unwrap_or_default()
    }
}

impl Vault {
    /// Derives the sub-keys and computes what all values of the app are bound to.
    pub(super) fn new(keys: &[CookieKey], app: &App, random: Arc<dyn Random>) -> Self {
        let mut data = Vec::new();
        push_field(&mut data, app.id.as_str().as_bytes());
        push_field(&mut data, app.origin.as_str().as_bytes());
        push_field(&mut data, app.provider.issuer.as_bytes());
        push_field(&mut data, app.provider.client_id.as_bytes());
        Self {
            keyring: Keyring::new(keys, app.id.as_str(), &*random),
            app: data.into(),
            random,
        }
    }

    /// Binds values to a purpose and the (base) name of the cookie that carries them.
    pub(super) fn bind(&self, purpose: Purpose, cookie_name: &str) -> Binding {
        let mut data = self.app.to_vec();
        push_field(&mut data, purpose.label().as_bytes());
        push_field(&mut data, cookie_name.as_bytes());
        // The header follows as the last field; its length never changes.
        data.extend_from_slice(&HEADER_FIELD_LEN);
        Binding {
            purpose,
            data: data.into(),
        }
    }

    /// Seals `content` for a cookie of `chunks` chunks.
    #[expect(
        clippy::expect_used,
        reason = "AES-GCM refuses only 64 GiB and more, and the split points were just written"
    )]
    pub(super) fn seal(&self, binding: &Binding, content: &impl content::Content, chunks: u8) -> String {
        let key = self.keyring.sealing();
        let [a, b, c, d] = key.id;
        let random: Zeroizing<[u8; RANDOM_LEN]> = Zeroizing::new(self.random.bytes());
        let (salt, nonce) = halves(&random);

        // Associated data, random part and plain text share one buffer of the right size from the start: a buffer that
        // grows leaves copies of the token behind (M-11).
        let plain_start = binding.data.len() + HEADER_LEN + RANDOM_LEN;
        let capacity = plain_start + content::encoded_len(content) + TAG_LEN;
        let mut wiped = Buffer(Vec::with_capacity(capacity));
        let buffer = &mut wiped.0;
        buffer.extend_from_slice(&binding.data);
        buffer.extend_from_slice(&[FORMAT, a, b, c, d, chunks]);
        buffer.extend_from_slice(&*random);
        content::encode_onto(content, buffer);

        let (head, plain) = buffer.split_at_mut(plain_start);
        let (associated, _) = head.split_at(binding.data.len() + HEADER_LEN);
        let cipher = Aes256Gcm::new(&(*key.sub_key(binding.purpose).for_value(salt)).into());
        let tag = cipher
            .encrypt_inout_detached(&Nonce::from(nonce), associated, plain.into())
            .expect("AES-GCM seals what fits into memory");
        buffer.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(buffer.get(binding.data.len()..).unwrap_or_default())
    }

    /// Opens a value from its chunks, `None` standing for one that is not there. Chunks beyond the authenticated count
    /// are not looked at.
    pub(super) fn open(&self, binding: &Binding, chunks: &[Option<&[u8]>]) -> Result<Plain, Unopened> {
        let head = chunks.first().copied().flatten().ok_or(Unopened::Broken)?;
        let (header_text, head_rest) = head.split_at_checked(HEADER_TEXT_LEN).ok_or(Unopened::Broken)?;
        let header = decode_header(header_text).ok_or(Unopened::Broken)?;
        let [version, a, b, c, d, count] = header;
        // Only in a known format is there a key id to be known or not.
        if version != FORMAT {
            return Err(Unopened::Broken);
        }
        let (place, key) = self.keyring.find([a, b, c, d]).ok_or(Unopened::UnknownKey)?;
        let following = chunks.get(1..usize::from(count)).ok_or(Unopened::Broken)?;

        let texts = Texts::of(head_rest, following)?;
        let start = binding.data.len() + HEADER_LEN;
        let mut buffer = Buffer(Vec::with_capacity(start + texts.decoded_len()));
        buffer.0.extend_from_slice(&binding.data);
        buffer.0.extend_from_slice(&header);
        texts.decode_onto(&mut buffer.0).ok_or(Unopened::Broken)?;

        let (associated, sealed) = buffer.0.split_at_mut_checked(start).ok_or(Unopened::Broken)?;
        let (random, sealed) = sealed.split_first_chunk_mut().ok_or(Unopened::Broken)?;
        let (ciphertext, tag) = sealed.split_last_chunk_mut().ok_or(Unopened::Broken)?;
        let (salt, nonce) = halves(random);
        let length = ciphertext.len();
        let cipher = Aes256Gcm::new(&(*key.sub_key(binding.purpose).for_value(salt)).into());
        cipher
            .decrypt_inout_detached(
                &Nonce::from(nonce),
                associated,
                ciphertext.into(),
                &Tag::from(*tag),
            )
            .map_err(|_| Unopened::Broken)?;
        key.opened(binding.purpose);
        let start = start + RANDOM_LEN;
        Ok(Plain {
            chunks: count,
            key: place,
            buffer,
            start,
            end: start + length,
        })
    }

    /// Counts what is opened from now on, by key.
    pub(super) fn count(&mut self, meters: &Meters) {
        self.keyring.count(meters);
    }

    /// Counts a value of an older key that is remembered as opened: an operator has to see that it still comes.
    pub(super) fn opened_again(&self, purpose: Purpose, key: u8) {
        if key != SEALING
            && let Some(key) = self.keyring.at(key)
        {
            key.opened(purpose);
        }
    }

    /// App, origin, issuer, client and further fields, as associated data of what is sealed elsewhere than in a cookie.
    pub(super) fn associate(&self, fields: &[&[u8]]) -> Vec<u8> {
        let mut data = self.app.to_vec();
        for field in fields {
            push_field(&mut data, field);
        }
        data
    }

    /// The randomness of what is sealed.
    pub(super) fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// Whether a value (its first chunk) names a key that is not in the ring.
    pub(super) fn names_unknown_key(&self, head: &[u8]) -> bool {
        head.get(..HEADER_TEXT_LEN)
            .and_then(decode_header)
            .is_some_and(|[version, a, b, c, d, _]| {
                version == FORMAT && self.keyring.find([a, b, c, d]).is_none()
            })
    }
}

/// How many characters a value of `plain` bytes takes when sealed.
pub(super) const fn sealed_len(plain: usize) -> usize {
    ((HEADER_LEN + RANDOM_LEN + plain + TAG_LEN) * 4).div_ceil(3)
}

/// Appends a field with its length in front, so that no two lists of fields read the same (attack 77).
pub(super) fn push_field(data: &mut Vec<u8>, field: &[u8]) {
    data.extend_from_slice(&(field.len() as u64).to_be_bytes());
    data.extend_from_slice(field);
}

/// Bytes that are wiped when dropped. `Zeroizing<Vec<u8>>` wipes byte by byte, a slice is wiped in bulk; this happens on
/// each request. The capacity is what is written, so nothing lies beyond the length.
struct Buffer(Vec<u8>);

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// The base64 text of a value after its header, in as many pieces as there are chunks. We make all but the last of whole
/// groups of four characters, so each decodes for itself; other pieces make other bytes and fail authentication.
struct Texts<'t> {
    first: &'t [u8],
    following: &'t [Option<&'t [u8]>],
    length: usize,
}

impl<'t> Texts<'t> {
    fn of(first: &'t [u8], following: &'t [Option<&'t [u8]>]) -> Result<Self, Unopened> {
        let mut length = first.len();
        for text in following {
            length += text.ok_or(Unopened::Broken)?.len();
        }
        Ok(Self {
            first,
            following,
            length,
        })
    }

    const fn decoded_len(&self) -> usize {
        self.length / 4 * 3 + 3
    }

    fn decode_onto(&self, buffer: &mut Vec<u8>) -> Option<()> {
        let mut end = buffer.len();
        buffer.resize(end + self.decoded_len(), 0);
        for text in std::iter::once(Some(self.first)).chain(self.following.iter().copied()) {
            // On each request, and of all that is done to open a cookie this would take longest.
            let out = base64_simd::Out::from_slice(buffer.get_mut(end..)?);
            end += base64_simd::URL_SAFE_NO_PAD.decode(text?, out).ok()?.len();
        }
        buffer.truncate(end);
        Some(())
    }
}

fn decode_header(text: &[u8]) -> Option<[u8; HEADER_LEN]> {
    let mut header = [0; HEADER_LEN];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut header).ok()?;
    (length == HEADER_LEN).then_some(header)
}

fn halves(random: &[u8; RANDOM_LEN]) -> ([u8; 12], [u8; 12]) {
    let (mut salt, mut nonce) = ([0; 12], [0; 12]);
    let (first, second) = random.split_at(12);
    salt.copy_from_slice(first);
    nonce.copy_from_slice(second);
    (salt, nonce)
}

/// Version of the sealed format. A change to it takes two releases, like a key rotation: one that opens it, one that
/// seals it.
const FORMAT: u8 = 1;
/// Version, key id, chunk count.
const HEADER_LEN: usize = 6;
/// The header is six bytes, thus whole groups of base64: it can be read without the rest.
const HEADER_TEXT_LEN: usize = 8;
const HEADER_FIELD_LEN: [u8; 8] = (HEADER_LEN as u64).to_be_bytes();
const RANDOM_LEN: usize = 24;
const TAG_LEN: usize = 16;
