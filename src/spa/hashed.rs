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
    stem.split(['.', '-', '_']).skip(1).any(looks_random)
}

fn looks_random(piece: &str) -> bool {
    let all = |kinds: fn(&u8) -> bool| piece.as_bytes().iter().all(kinds);
    let hex =
        piece.len() >= 8 && all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && changes(piece) >= 2;
    let base32 = piece.len() == 8
        && all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && changes(piece) >= 2;
    let base64 = piece.len() == 8
        && all(u8::is_ascii_alphanumeric)
        && piece.bytes().any(|byte| byte.is_ascii_uppercase())
        && changes(piece) >= 3;
    hex || base32 || base64
}

/// How often the kind of character changes from one to the next: often in what is random, seldom in what is written.
fn changes(piece: &str) -> usize {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    let bytes = piece.as_bytes();
    bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .filter(|(one, next)| kind(**one) != kind(**next))
        .count()
}
