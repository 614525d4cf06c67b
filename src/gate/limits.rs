//! Which heads are read at all: sizes, counts, and framing that two parsers could read differently (P-10, P-17).
//!
//! The limits stand below those of the HTTP library, so that the answer is ours and readable. What the library refuses
//! itself (bad methods, obs-fold, two lengths, `Transfer-Encoding` on HTTP/1.0 …) never gets here.

use http::header::{HeaderMap, TRANSFER_ENCODING};
use http::{Uri, Version};

use crate::refusal::{Code, Refusal};

/// Checks a request head.
///
/// # Errors
/// `uri_too_long`, `headers_too_large`, `invalid_request`; each closes the connection.
pub(crate) fn check(
    uri: &Uri,
    version: Version,
    headers: &HeaderMap,
    max_header_bytes: usize,
) -> Result<(), Refusal> {
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if target > MAX_TARGET {
        return Err(closing(Code::UriTooLong));
    }
    // Name, colon, space, value, line break: what the field took on the wire, give or take its white space.
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if headers.len() > MAX_FIELDS || bytes + target > max_header_bytes {
        return Err(closing(Code::HeadersTooLarge));
    }
    if version < Version::HTTP_2 {
        check_framing(headers)?;
    }
    Ok(())
}

/// Only `chunked`, once: a further coding would reach the upstream undeclared (RFC 9112 §6.1).
fn check_framing(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            if headers.contains_key(http::header::CONTENT_LENGTH) {
                return Err(closing(Code::InvalidRequest)
                    .saying("both Content-Length and Transfer-Encoding are there"));
            }
            Ok(())
        }
        _ => Err(closing(Code::InvalidRequest).saying("only the transfer coding chunked is understood")),
    }
}

fn closing(code: Code) -> Refusal {
    Refusal::new(code).closing()
}

/// Bytes of path and query.
const MAX_TARGET: usize = 8 * 1024;

/// Header fields; the library itself gives up at 100.
const MAX_FIELDS: usize = 96;

#[cfg(test)]
mod tests;
