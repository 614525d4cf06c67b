//! Packing: a token in front of this file, what a cookie holds of it behind it.
//!
//! A JWT is base64url of JSON, and a cookie is base64url again: a third is paid twice, and JSON is mostly names that every
//! token of the provider repeats. So before it is sealed:
//!
//! ```text
//! text     0 │ the token as it is
//! parts    1 │ count 1 │ length 2 of each │ the parts, base64url undone
//! deflated 2 │ length 2 each: header, payload, signature, deflated │ deflate(header, payload) │ signature │ zeros to 32
//! ```
//!
//! 1. Lossless or not at all: what would not come back byte for byte stays text (padding, stray bits, opaque tokens, other
//!    numbers of parts), and so does what packing would not make shorter. Three parts are a JWS (RFC 7515 §7.1), five a JWE
//!    (RFC 7516 §7.1), whose parts are noise that no deflate shortens.
//! 2. Opening trusts no length before it has checked it: they are authenticated, bounded by [`MAX_TOKEN`], and exactly as
//!    much is allocated; a stream that ends sooner or wants to go on does not open (attack 86).
//! 3. Parts cost an opening next to nothing, inflating a few microseconds: so the one is done always, the other where it
//!    saves enough ([`WORTH_ITS_TIME`]), or where nothing else fits the budget.
//! 4. Deflate runs with a preset dictionary of what providers write. The dictionary is part of the format: never edited,
//!    another one is another form.
//! 5. Signatures, which alone make a claim set a token, never enter the compressor: what its buffers leave behind in memory
//!    opens nothing (M-11). Lengths come in steps of 32 bytes, so that the size of a cookie says little about one claim
//!    (attack 95; `docs/sessions.md` tells why it is no oracle).

use base64_simd::URL_SAFE_NO_PAD;
use miniz_oxide::DataFormat;
use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide, TDEFLFlush, TDEFLStatus, compress};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use zeroize::Zeroizing;

/// A token as a cookie holds it; wiped when dropped.
pub(super) struct Packed(Zeroizing<Vec<u8>>);

impl Packed {
    /// Packs a token: the shortest form that gives it back byte for byte. Deflated only where that saves `worth` bytes over
    /// the other forms: inflating costs each opening as much as all the rest of it.
    pub(super) fn of(token: &str, worth: usize) -> Self {
        shorter(token, worth)
            .filter(|packed| {
                unpack(packed)
                    .map(Zeroizing::new)
                    .is_some_and(|text| *text == token)
            })
            .map_or_else(|| Self::text(token), Self)
    }

    /// The token as it is.
    pub(super) fn text(token: &str) -> Self {
        let mut packed = buffer(1 + token.len());
        packed.push(TEXT);
        packed.extend_from_slice(token.as_bytes());
        Self(packed)
    }

    /// What goes into the cookie.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The token that was packed; `None` for what [`Packed`] never makes.
pub(super) fn unpack(packed: &[u8]) -> Option<String> {
    let (&form, rest) = packed.split_first()?;
    match form {
        TEXT => Some(std::str::from_utf8(rest).ok()?.to_owned()),
        PARTS => unpack_parts(rest),
        DEFLATED => unpack_deflated(rest),
        _ => None,
    }
}

/// The best of the forms other than text, where one is shorter than the text.
fn shorter(token: &str, worth: usize) -> Option<Zeroizing<Vec<u8>>> {
    let parts = Parts::of(token)?;
    let packed = pack_parts(&parts).filter(|packed| packed.len() <= token.len());
    let otherwise = packed.as_ref().map_or(1 + token.len(), |packed| packed.len());
    pack_deflated(&parts, worth)
        .filter(|deflated| deflated.len() + worth.max(1) <= otherwise)
        .or(packed)
}

/// A token of three or five parts, each decoded.
struct Parts {
    /// All parts, one behind the other.
    bytes: Zeroizing<Vec<u8>>,
    /// The length of each.
    lengths: Vec<usize>,
}

impl Parts {
    fn of(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN || !matches!(token.split('.').count(), 3 | 5) {
            return None;
        }
        let mut bytes = buffer(token.len());
        let mut lengths = Vec::with_capacity(5);
        for part in token.split('.') {
            let start = bytes.len();
            URL_SAFE_NO_PAD.decode_append(part, &mut *bytes).ok()?;
            lengths.push(bytes.len() - start);
        }
        Some(Self { bytes, lengths })
    }
}

fn pack_parts(parts: &Parts) -> Option<Zeroizing<Vec<u8>>> {
    let mut packed = buffer(2 + 2 * parts.lengths.len() + parts.bytes.len());
    packed.extend_from_slice(&[PARTS, u8::try_from(parts.lengths.len()).ok()?]);
    for length in &parts.lengths {
        packed.extend_from_slice(&u16::try_from(*length).ok()?.to_be_bytes());
    }
    packed.extend_from_slice(&parts.bytes);
    Some(packed)
}

fn unpack_parts(packed: &[u8]) -> Option<String> {
    let (&count, rest) = packed.split_first()?;
    if !matches!(count, 3 | 5) {
        return None;
    }
    let (lengths, mut rest) = rest.split_at_checked(2 * usize::from(count))?;
    let (lengths, _) = lengths.as_chunks();
    let mut parts = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (part, after) = rest.split_at_checked(from_be(*length))?;
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        return None;
    }
    join(&parts)
}

/// A JWS whose header and payload are JSON objects, as far as their first bytes say.
fn pack_deflated(parts: &Parts, worth: usize) -> Option<Zeroizing<Vec<u8>>> {
    let [header, payload, signature] = *parts.lengths.as_slice() else {
        return None;
    };
    let (json, signature_bytes) = parts.bytes.split_at_checked(header + payload)?;
    // So much is never saved of so little: not worth the trial.
    if json.len() < worth + worth / 2 || json.first() != Some(&b'{') || json.get(header) != Some(&b'{') {
        return None;
    }
    let deflated = deflate(json)?;
    let length = (1 + LENGTHS + deflated.len() + signature).next_multiple_of(STEP);
    let mut packed = buffer(length);
    packed.push(DEFLATED);
    for length in [header, payload, signature, deflated.len()] {
        packed.extend_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    }
    packed.extend_from_slice(&deflated);
    packed.extend_from_slice(signature_bytes);
    packed.resize(length, 0);
    Some(packed)
}

fn unpack_deflated(packed: &[u8]) -> Option<String> {
    let (lengths, rest) = packed.split_first_chunk::<LENGTHS>()?;
    let (lengths, _) = lengths.as_chunks();
    let &[header, payload, signature, deflated] = lengths else {
        return None;
    };
    let [header, payload, signature, deflated] = [header, payload, signature, deflated].map(from_be);
    let (deflated, rest) = rest.split_at_checked(deflated)?;
    let (signature_bytes, padding) = rest.split_at_checked(signature)?;
    if !(1 + packed.len()).is_multiple_of(STEP)
        || padding.len() >= STEP
        || padding.iter().any(|byte| *byte != 0)
    {
        return None;
    }
    if text_len(&[header, payload, signature]) > MAX_TOKEN {
        return None;
    }
    let json = inflate(deflated, header + payload)?;
    let (header, payload) = json.get(DICTIONARY.len()..)?.split_at_checked(header)?;
    join(&[header, payload, signature_bytes])
}

/// `None` where it gets no shorter.
fn deflate(plain: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut compressor =
        CompressorOxide::with_params(DataFormat::Raw, LEVEL, CompressionStrategy::Default, WINDOW_BITS);
    // The dictionary goes through up to a byte boundary, and what came out is dropped: the window has seen it.
    let mut dropped = [0; DICTIONARY.len() + 64];
    let (status, read, _) = compress(&mut compressor, DICTIONARY, &mut dropped, TDEFLFlush::Sync);
    if status != TDEFLStatus::Okay || read != DICTIONARY.len() {
        return None;
    }
    let mut deflated = buffer(plain.len());
    deflated.resize(plain.len(), 0);
    let (status, _, written) = compress(&mut compressor, plain, &mut deflated, TDEFLFlush::Finish);
    deflated.truncate(written);
    (status == TDEFLStatus::Done).then_some(deflated)
}

/// Exactly `length` bytes behind the dictionary, or `None`.
fn inflate(deflated: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = buffer(DICTIONARY.len() + length);
    out.extend_from_slice(DICTIONARY);
    out.resize(DICTIONARY.len() + length, 0);
    let mut decompressor = DecompressorOxide::new();
    let (status, read, written) = decompress(
        &mut decompressor,
        deflated,
        &mut out,
        DICTIONARY.len(),
        TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
    );
    (status == TINFLStatus::Done && read == deflated.len() && written == length).then_some(out)
}

/// The token of these parts.
fn join(parts: &[&[u8]]) -> Option<String> {
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    let length = text_len(&lengths);
    if length > MAX_TOKEN {
        return None;
    }
    let mut text = String::with_capacity(length);
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            text.push('.');
        }
        URL_SAFE_NO_PAD.encode_append(part, &mut text);
    }
    Some(text)
}

/// Characters of a token whose parts have so many bytes.
fn text_len(parts: &[usize]) -> usize {
    let dots = parts.len().saturating_sub(1);
    parts.iter().map(|part| (part * 4).div_ceil(3)).sum::<usize>() + dots
}

fn from_be(bytes: [u8; 2]) -> usize {
    usize::from(u16::from_be_bytes(bytes))
}

/// A buffer of the right size from the start: one that grows leaves copies behind (M-11).
fn buffer(capacity: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(capacity))
}

/// What deflating must save where there is room enough: about 700 characters of every request.
pub(super) const WORTH_ITS_TIME: usize = 512;
/// What it must save where there is none.
pub(super) const AT_ANY_PRICE: usize = 1;

/// Characters of a token that is packed, and of one that is unpacked: the largest `cookie_budget`.
pub(super) const MAX_TOKEN: usize = 64 * 1024;
/// What the length of a deflated token is a multiple of.
pub(super) const STEP: usize = 32;
/// The four lengths of a deflated token.
const LENGTHS: usize = 8;

/// zlib's best; at these sizes the time goes into making the compressor.
const LEVEL: u8 = 9;
/// The largest window of deflate.
const WINDOW_BITS: u8 = 15;

const TEXT: u8 = 0;
const PARTS: u8 = 1;
const DEFLATED: u8 = 2;

/// What the tokens of well-known providers have in common; deflate prefers what stands near its end. Part of the format.
pub(super) const DICTIONARY: &[u8] = include_bytes!("pack/dictionary.txt");
