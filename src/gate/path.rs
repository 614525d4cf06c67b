//! The path of a request, made canonical or refused (contract §5 step 1).
//!
//! Access decisions and the upstream must see the same path: a path that two readers could read differently is
//! refused instead of repaired (P-02, attacks 34 to 37).
//!
//! 1. Percent-encoded unreserved characters (RFC 3986 §2.3) are decoded, once.
//! 2. Refused: `.` and `..` as segments in any and any repeated encoding, with or without `;parameters`; `//`; `\`, NUL
//!    and controls, plain or encoded; raw non-ASCII; overlong UTF-8; bad percent-encoding; fragments.
//! 3. An encoded `/` is reported: only a route that says so lets it pass.
//! 4. Everything else stays byte for byte; `%25` passes.
//!
//! What comes out is what is decided on and what is forwarded. A path that is canonical already costs no allocation.

use std::borrow::Cow;

/// A path that everybody reads alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CanonicalPath<'a> {
    text: Cow<'a, str>,
    /// A percent sign is left in it.
    encoded: bool,
    parameters: bool,
    uppercase: bool,
}

/// Why a path is refused; the text goes to the log and to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PathFault(pub(crate) &'static str);

impl<'a> CanonicalPath<'a> {
    /// Reads a raw path, as it stands in the request target, without the query.
    ///
    /// # Errors
    /// [`PathFault`] naming what is wrong.
    pub(crate) fn read(raw: &'a str) -> Result<Self, PathFault> {
        let seen = Seen::of(raw.as_bytes())?;
        let text = if seen.percent {
            Cow::Owned(decode_unreserved(raw)?)
        } else {
            Cow::Borrowed(raw)
        };
        let parameters = seen.semicolon;
        let uppercase = seen.uppercase || seen.percent && text.bytes().any(|byte| byte.is_ascii_uppercase());
        if seen.percent || seen.dot_after_slash {
            check_segments(&text)?;
        }
        // Nothing was decoded: keep the borrow, so that the caller can tell that the target is good as it came.
        let text = match text {
            Cow::Owned(decoded) if decoded == raw => Cow::Borrowed(raw),
            text => text,
        };
        Ok(Self {
            encoded: seen.percent && text.contains('%'),
            text,
            parameters,
            uppercase,
        })
    }

    /// The canonical text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text, and whether it differs from what came in.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// Whether a `%2F` is in it.
    pub(crate) fn has_encoded_slash(&self) -> bool {
        self.encoded
            && self
                .text
                .as_bytes()
                .windows(3)
                .any(|three| three.eq_ignore_ascii_case(b"%2f"))
    }

    /// Whether any letter is upper case.
    pub(crate) const fn has_uppercase(&self) -> bool {
        self.uppercase
    }

    /// The path with every segment cut at its first `;`, as servers read it that know path parameters; `None` where
    /// there is no `;`.
    pub(crate) fn without_parameters(&self) -> Option<String> {
        self.parameters.then(|| cut_segments(&self.text))
    }

    /// The path as the most eager reader sees it: decoded until nothing is left to decode, every segment cut at its first
    /// `;`, slashes in a row taken for one; `None` where nothing is encoded.
    pub(crate) fn decoded(&self) -> Option<String> {
        self.encoded.then(|| {
            let mut level = Cow::Borrowed(&*self.text);
            for _ in 0..MAX_LEVELS {
                if !level.contains('%') {
                    break;
                }
                let next = percent_encoding::percent_decode_str(&level).decode_utf8_lossy();
                level = Cow::Owned(next.into_owned());
            }
            let mut cut = cut_segments(&level);
            while cut.contains("//") {
                cut = cut.replace("//", "/");
            }
            cut
        })
    }
}

/// What one pass over the raw bytes finds.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four findings that exclude each other in nothing"
)]
struct Seen {
    percent: bool,
    semicolon: bool,
    uppercase: bool,
    dot_after_slash: bool,
}

impl Seen {
    fn of(raw: &[u8]) -> Result<Self, PathFault> {
        let Some((b'/', rest)) = raw.split_first() else {
            return Err(PathFault("the path does not begin with a slash"));
        };
        let mut seen = Self::default();
        let mut before = b'/';
        for &byte in rest {
            match byte {
                b'/' if before == b'/' => return Err(PathFault("the path has an empty segment")),
                b'.' => seen.dot_after_slash |= before == b'/',
                b'%' => seen.percent = true,
                b';' => seen.semicolon = true,
                b'A'..=b'Z' => seen.uppercase = true,
                b'\\' => return Err(PathFault("the path has a backslash")),
                b'#' => return Err(PathFault("the path has a fragment")),
                b'?' | 0..=b' ' | 0x7f..=0xff => {
                    return Err(PathFault("the path has a character that must be encoded"));
                }
                _ => {}
            }
            before = byte;
        }
        Ok(seen)
    }
}

fn decode_unreserved(raw: &str) -> Result<String, PathFault> {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, encoded)) = rest.split_once('%') {
        decoded.push_str(plain);
        let Some((digits, after)) = encoded.split_at_checked(2) else {
            return Err(PathFault("the path has a bad percent-encoding"));
        };
        let Some(byte) = hex_pair(digits.as_bytes()) else {
            return Err(PathFault("the path has a bad percent-encoding"));
        };
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                decoded.push(char::from(byte));
            }
            b'\\' => return Err(PathFault("the path has an encoded backslash")),
            0..=0x1f | 0x7f => return Err(PathFault("the path has an encoded control character")),
            _ => {
                decoded.push('%');
                decoded.push_str(digits);
            }
        }
        rest = after;
    }
    decoded.push_str(rest);
    Ok(decoded)
}

/// Looks for dot segments in every segment, as it is and after each further decoding that some server might do.
fn check_segments(path: &str) -> Result<(), PathFault> {
    for segment in path.split('/') {
        if is_dots(segment.as_bytes()) {
            return Err(PathFault("the path has a dot segment"));
        }
        if segment.contains('%') {
            check_deeper(segment.as_bytes())?;
        }
    }
    Ok(())
}

fn check_deeper(segment: &[u8]) -> Result<(), PathFault> {
    let mut level = Cow::Borrowed(segment);
    for _ in 0..MAX_LEVELS {
        let next: Cow<'_, [u8]> = percent_encoding::percent_decode(&level).into();
        if next == level {
            return Ok(());
        }
        if next.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots) {
            return Err(PathFault("the path has an encoded dot segment"));
        }
        if next.windows(2).any(is_overlong) {
            return Err(PathFault("the path has an overlong encoding"));
        }
        level = Cow::Owned(next.into_owned());
    }
    Err(PathFault("the path is encoded too many times over"))
}

/// `.` or `..`, with or without `;parameters`.
fn is_dots(segment: &[u8]) -> bool {
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    name == b"." || name == b".."
}

/// The start of a UTF-8 sequence longer than its character needs, which sloppy decoders read as `.` or `/`.
fn is_overlong(pair: &[u8]) -> bool {
    matches!(
        pair,
        [0xc0 | 0xc1, 0x80..=0xbf] | [0xe0, 0x80..=0x9f] | [0xf0, 0x80..=0x8f]
    )
}

fn cut_segments(path: &str) -> String {
    let mut cut = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            cut.push('/');
        }
        cut.push_str(segment.split(';').next().unwrap_or_default());
    }
    cut
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// How often a path may be encoded over before nobody can mean it.
const MAX_LEVELS: usize = 8;

#[cfg(test)]
mod tests;
