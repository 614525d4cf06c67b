//! Whether a file's name changes whenever its content does.
//!
//! Bundlers put a hash between separators: `index-BcD3f9aX.js` (Vite), `main.3f2a9c1b.js` (webpack), `chunk-2JAYTEMY.js`
//! (Angular). A wrong "yes" pins an old file in browsers for a year, a wrong "no" costs one revalidation: so only what
//! looks random counts, and dates, sizes and words do not.

#[cfg(test)]
mod tests;

/// Whether `name` holds a hash.
pub(super) fn is_hashed(name: &str) -> bool {
    let Some((stem, _ending)) = name.rsplit_once('.') else {
        return false;
    };
    stem.split(['.', '-', '_']).skip(1).any(looks_random) || ends_in_base64url(stem)
}

fn looks_random(piece: &str) -> bool {
    let all = |kinds: fn(&u8) -> bool| piece.as_bytes().iter().all(kinds);
    // Digits alone are a date or a number; no word worth a file has eight letters from a to f.
    let hex = piece.len() >= 8
        && all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && piece.bytes().any(|byte| byte.is_ascii_lowercase());
    let base32 = piece.len() == 8
        && all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && changes(piece) >= 2;
    let base64 = piece.len() == 8
        && all(u8::is_ascii_alphanumeric)
        && piece.bytes().any(|byte| byte.is_ascii_uppercase())
        && changes(piece) >= 3;
    hex || base32 || base64
}

/// Vite's hash may hold a `-` or `_` itself, and then it is in pieces above: eight characters after a `-`, of three
/// kinds at least and never three of a kind in a row, as in no word.
fn ends_in_base64url(stem: &str) -> bool {
    let Some((rest, piece)) = stem.len().checked_sub(8).and_then(|at| stem.split_at_checked(at)) else {
        return false;
    };
    let bytes = piece.as_bytes();
    let kinds: Vec<_> = bytes.iter().copied().map(kind).collect();
    let differ = |one: &u8| kinds.contains(&kind(*one));
    rest.len() > 1
        && rest.ends_with('-')
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && b"-aA0".iter().filter(|one| differ(one)).count() >= 3
        && !kinds
            .windows(3)
            .any(|three| three.iter().all(|kind| Some(kind) == three.first()))
}

fn kind(byte: u8) -> (bool, bool, bool) {
    (
        byte.is_ascii_digit(),
        byte.is_ascii_uppercase(),
        byte.is_ascii_lowercase(),
    )
}

/// How often the kind of character changes from one to the next: often in what is random, seldom in what is written.
fn changes(piece: &str) -> usize {
    let bytes = piece.as_bytes();
    bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .filter(|(one, next)| kind(**one) != kind(**next))
        .count()
}
