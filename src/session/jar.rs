//! Reading `Cookie`: ours for us, the others for upstreams.
//!
//! Fields are split on bytes here and not by the `cookie` crate: its parser wants UTF-8 (another cookie of the site may
//! hold anything) and trims Unicode blanks, which turns `\u{2000}__Host-Http-shop-at`, a name that browsers let
//! subdomains and script set, into ours (attack 88). Only SP and HTAB around a pair are no part of it (RFC 6265 §4.2.1).
//! Several `Cookie` fields count as one (K-08).

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::chunk::MAX_CHUNKS;
use super::names::{Kind, Named, Names, PREFIX, is_session_cookie_name};

/// What a request holds of one value, chunk by chunk.
#[derive(Clone, Copy, Default)]
pub(super) struct Chunks<'h> {
    pub(super) values: [Option<&'h [u8]>; MAX_CHUNKS],
    /// The highest chunk seen, plus one.
    pub(super) presented: u8,
    /// Two cookies of one name with different values: nobody knows which one is meant (attack 89).
    pub(super) ambiguous: bool,
}

impl<'h> Chunks<'h> {
    fn put(&mut self, number: usize, value: &'h [u8]) {
        let Some(slot) = self.values.get_mut(number) else {
            return;
        };
        self.ambiguous |= slot.is_some_and(|earlier| earlier != value);
        *slot = Some(value);
        // MAX_CHUNKS is 16.
        self.presented = self.presented.max(u8::try_from(number + 1).unwrap_or(u8::MAX));
    }

    /// The numbers of the chunks that are there.
    pub(super) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.values
            .iter()
            .enumerate()
            .filter_map(|(number, value)| value.map(|_| number))
    }
}

/// The session cookies of one app in a request.
#[derive(Default)]
pub(super) struct SessionJar<'h> {
    pub(super) access: Chunks<'h>,
    pub(super) refresh: Chunks<'h>,
    pub(super) id: Chunks<'h>,
}

impl<'h> SessionJar<'h> {
    pub(super) fn read(headers: &'h HeaderMap, names: &Names) -> Self {
        let mut jar = Self::default();
        for (name, value) in ours(headers) {
            if let Some(Named::Session(kind, number)) = names.read(name) {
                jar.of_mut(kind).put(number, value);
            }
        }
        jar
    }

    fn of_mut(&mut self, kind: Kind) -> &mut Chunks<'h> {
        match kind {
            Kind::Access => &mut self.access,
            Kind::Refresh => &mut self.refresh,
            Kind::Id => &mut self.id,
        }
    }
}

/// The bytes of the `Cookie` field, where there is exactly one.
pub(super) fn only_field(headers: &HeaderMap) -> Option<&[u8]> {
    let mut fields = headers.get_all(COOKIE).iter();
    let field = fields.next()?;
    fields.next().is_none().then(|| field.as_bytes())
}

/// The chunks of `-end` in a request.
pub(super) fn read_end<'h>(headers: &'h HeaderMap, names: &Names) -> Chunks<'h> {
    let mut chunks = Chunks::default();
    for (name, value) in ours(headers) {
        if let Some(Named::End(number)) = names.read(name) {
            chunks.put(number, value);
        }
    }
    chunks
}

/// The pending logins in a request, as many as a browser could ever have been given.
pub(super) fn read_logins<'h>(
    headers: &'h HeaderMap,
    names: &Names,
) -> impl Iterator<Item = (&'h str, &'h [u8])> {
    ours(headers)
        .filter(|(name, _)| names.read(name) == Some(Named::Login))
        .filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)))
        .take(MAX_LOGINS_READ)
}

/// The one value of the cookie `name`; `None` also when there are two that differ.
pub(super) fn read_one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let mut values = ours(headers).filter(|(found, _)| *found == name.as_bytes());
    let (_, value) = values.next()?;
    values.all(|(_, other)| other == value).then_some(value)
}

/// Appends what remains of the `Cookie` fields for an upstream: everything but cookies of our form (of any app), byte for
/// byte and in order, as one field. Nothing where nothing remains.
pub fn write_other_cookies(headers: &HeaderMap, line: &mut Vec<u8>) {
    let mut fields = headers.get_all(COOKIE).iter();
    if let (Some(only), None) = (fields.next(), fields.next())
        && pairs(only).all(|pair| !is_ours(pair))
    {
        // Nothing of ours: the field as it came.
        line.extend_from_slice(only.as_bytes());
        return;
    }
    let start = line.len();
    for pair in headers.get_all(COOKIE).iter().flat_map(pairs) {
        if !pair.is_empty() && !is_ours(pair) {
            if line.len() > start {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(pair);
        }
    }
}

fn is_ours(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    is_session_cookie_name(name)
}

/// Name and value of every pair whose name begins as ours do, byte for byte.
fn ours(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.get_all(COOKIE).iter().flat_map(pairs).filter_map(|pair| {
        if !pair.starts_with(PREFIX.as_bytes()) {
            return None;
        }
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(equals)?;
        Some((name, value.get(1..)?))
    })
}

/// The pairs of one field, without the blanks around them.
fn pairs(field: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(field.as_bytes());
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(at) = memchr::memchr(b';', bytes) else {
            rest = None;
            return Some(trim(bytes));
        };
        rest = bytes.get(at + 1..);
        Some(trim(bytes.get(..at)?))
    })
}

fn trim(mut pair: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = pair {
        pair = rest;
    }
    pair
}

/// More than browsers keep for one host; whoever sends more gets the rest ignored, not a longer answer.
const MAX_LOGINS_READ: usize = 64;
