//! What the HTTP library lets pass in a request head and we do not (P-10, attack 154).
//!
//! hyper reads some heads leniently that other servers read differently, and does not say so afterwards: it drops
//! `Content-Length` where `Transfer-Encoding` is there too, takes a bare LF for a line break, and cuts fragments off. What
//! it makes of them is safe, but whoever sends them is no browser: 400, and the connection closes.
//!
//! The bytes looked at are those read since the last answer, which begin with the head unless the client pipelines. Of a
//! pipelined head nothing is known here; a chunked one is refused then.

use http::header::TRANSFER_ENCODING;
use http::{HeaderMap, Method, Uri};

/// Looks at a head that hyper has accepted. `bytes` begin with it, if the client does not pipeline.
///
/// # Errors
/// What is wrong.
pub(super) fn check(
    bytes: &[u8],
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), &'static str> {
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    if !begins_with(bytes, method, uri) {
        // Pipelined, cut short, or led by an empty line; or the target was longer than what became of it.
        if chunked {
            return Err("a chunked request must not be pipelined");
        }
        return check_line(bytes, uri);
    }
    if has_bare_line_feed(bytes) && has_bare_line_feed(head_of(bytes)) {
        return Err("a line ends without a carriage return");
    }
    if chunked && names_length(bytes) {
        return Err("both Content-Length and Transfer-Encoding are there");
    }
    Ok(())
}

/// Whether `bytes` begin with this very request line: method, space, target, space.
fn begins_with(bytes: &[u8], method: &Method, uri: &Uri) -> bool {
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    bytes
        .strip_prefix(method.as_str().as_bytes())
        .and_then(|rest| rest.strip_prefix(b" "))
        .and_then(|rest| rest.strip_prefix(target.as_bytes()))
        .is_some_and(|rest| rest.first() == Some(&b' '))
}

/// A first line with a fragment, which the library has cut off.
fn check_line(bytes: &[u8], uri: &Uri) -> Result<(), &'static str> {
    let line = bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let target = line.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let path = uri.path().as_bytes();
    if target.contains(&b'#') && target.starts_with(path) {
        return Err("the target has a fragment");
    }
    Ok(())
}

/// A line feed without a carriage return in front of it. No early exit: each head is looked through, and the whole is some
/// dozens of vector instructions.
fn has_bare_line_feed(bytes: &[u8]) -> bool {
    let behind = bytes.get(1..).unwrap_or_default();
    let bare = bytes.iter().zip(behind).fold(0, |bare, (before, byte)| {
        bare | (u8::from(*byte == b'\n') & u8::from(*before != b'\r'))
    });
    bare != 0 || bytes.first() == Some(&b'\n')
}

/// The head alone: up to the first empty line, however it is broken.
fn head_of(bytes: &[u8]) -> &[u8] {
    let mut line_is_empty = false;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if line_is_empty => return bytes.get(..=index).unwrap_or(bytes),
            b'\n' => line_is_empty = true,
            b'\r' => {}
            _ => line_is_empty = false,
        }
    }
    bytes
}

fn names_length(bytes: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => request
            .headers
            .iter()
            .any(|field| field.name.eq_ignore_ascii_case("content-length")),
        // hyper has parsed it and we cannot: then not all of it is here. Better safe.
        Ok(httparse::Status::Partial) | Err(_) => true,
    }
}

#[cfg(test)]
mod tests;
