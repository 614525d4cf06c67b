//! Chunks: a sealed value whole in front of this file, in pieces that browsers keep behind it.
//!
//! A browser drops a cookie whose name and value together exceed 4096 bytes (RFC 6265bis §5.6, K-05). Pieces are named
//! `base`, `base.1`, `base.2`…; all but the last are whole groups of four characters, so each decodes for itself.

use std::borrow::Cow;

/// How many chunks a value takes at most: as many as fit into the largest `cookie_budget` (64 KiB).
pub(super) const MAX_CHUNKS: usize = 16;

/// What a value takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extent {
    /// Cookies.
    pub(super) chunks: usize,
    /// Bytes of `name=value; ` of all of them.
    pub(super) bytes: usize,
}

/// What a value of `value_len` characters takes under a base name of `name_len` characters.
pub(super) fn extent(name_len: usize, value_len: usize) -> Extent {
    let mut extent = Extent::default();
    let mut left = value_len;
    loop {
        let name_len = name_len + suffix_len(extent.chunks);
        let piece = piece_len(name_len, left);
        extent.chunks += 1;
        extent.bytes += name_len + piece + SEPARATORS;
        left -= piece;
        if left == 0 {
            return extent;
        }
    }
}

/// The pieces of `value` with their cookie names.
pub(super) fn split<'a>(base: &'a str, value: &'a str) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
    let mut rest = Some(value);
    let mut number = 0;
    std::iter::from_fn(move || {
        let value = rest?;
        let name = name(base, number);
        // Sealed values are ASCII: every index is a boundary of characters.
        let (piece, after) = value
            .split_at_checked(piece_len(name.len(), value.len()))
            .unwrap_or((value, ""));
        rest = (!after.is_empty()).then_some(after);
        number += 1;
        Some((name, piece))
    })
}

/// The name of chunk `number`.
pub(super) fn name(base: &str, number: usize) -> Cow<'_, str> {
    match number {
        0 => base.into(),
        _ => format!("{base}.{number}").into(),
    }
}

/// The number in a chunk's suffix (`1` of `.1`): the one way it is written, within what was ever set. Absurd numbers
/// are nobody's chunk (attack 83).
pub(super) fn number(suffix: &[u8]) -> Option<usize> {
    let number = match *suffix {
        [ones @ b'1'..=b'9'] => usize::from(ones - b'0'),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => usize::from(tens - b'0') * 10 + usize::from(ones - b'0'),
        _ => return None,
    };
    (number < MAX_CHUNKS).then_some(number)
}

/// How many chunks one value can have taken within `budget`: all but the last are full.
pub(super) fn most_within(budget: usize) -> usize {
    budget.div_ceil(MAX_COOKIE).clamp(1, MAX_CHUNKS)
}

fn piece_len(name_len: usize, left: usize) -> usize {
    // An app id has at most 16 characters; should a name ever fill a cookie, a group still goes out and the budget says no.
    let room = MAX_COOKIE.saturating_sub(name_len).max(4);
    if left <= room { left } else { room / 4 * 4 }
}

const fn suffix_len(number: usize) -> usize {
    match number {
        0 => 0,
        1..=9 => 2,
        10..=99 => 3,
        _ => 4,
    }
}

/// Name and value of one cookie together (RFC 6265bis §5.6).
pub(super) const MAX_COOKIE: usize = 4096;
/// `=` and `; `
const SEPARATORS: usize = 3;
