//! The head of an upstream's answer: read by `httparse`, judged here.
//!
//! 1. An answer that two readers could end at different places is none (RFC 9112 §6.3): several lengths, a list of them, a
//!    length beside chunks, a transfer coding other than chunked, chunks from HTTP/1.0.
//! 2. Neither is one with a status that does not exist (RFC 9110 §15), or one that switches protocols unasked: `Upgrade` is
//!    not forwarded (attack 157).
//! 3. Only a head of HTTP/1.1 that does not say `close`, with a body whose end is told, leaves a connection to be used again.
//!
//! Bounded in bytes and fields: a header bomb ends here (attack 166).

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::decode::{Decoder, Fault, Step};

/// The head of an answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    /// Not below 200.
    pub(super) status: StatusCode,
    /// As the upstream sent them.
    pub(super) headers: HeaderMap,
    /// How the body ends; `None` = there is none.
    pub(super) body: Option<Decoder>,
    /// The connection may serve another request once the body is through.
    pub(super) keeps: bool,
}

/// Reads one head after the other until one is final: interim answers are passed over (RFC 9110 §15.2).
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    /// No head ends in the bytes before this one.
    looked: usize,
}

impl HeadReader {
    /// Takes a head out of what has arrived; `None`: it is not all there.
    ///
    /// # Errors
    /// Why it is no answer to `method`.
    pub(super) fn read(
        &mut self,
        arrived: &mut BytesMut,
        method: &Method,
    ) -> Result<Option<AnswerHead>, Fault> {
        loop {
            let Some(end) = end_of_head(arrived, self.looked) else {
                if arrived.len() > LONGEST_HEAD {
                    return Err("the head of the answer is too large");
                }
                // An end of up to four bytes may have begun.
                self.looked = arrived.len().saturating_sub(3);
                return Ok(None);
            };
            self.looked = 0;
            if end > LONGEST_HEAD {
                return Err("the head of the answer is too large");
            }
            let head = arrived.split_to(end).freeze();
            if let Some(head) = parse(&head, method)? {
                return Ok(Some(head));
            }
        }
    }
}

/// Where a head ends: behind its first empty line, however its lines are broken. Nothing before `from` is looked at.
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes.get(from..)?).find_map(|at| {
        let next = from + at + 1;
        match bytes.get(next..)? {
            [b'\n', ..] => Some(next + 1),
            [b'\r', b'\n', ..] => Some(next + 2),
            _ => None,
        }
    })
}

/// `None`: an interim answer.
fn parse(head: &Bytes, method: &Method) -> Result<Option<AnswerHead>, Fault> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut []);
    let parsed =
        httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut answer, head, &mut fields);
    match parsed {
        // That the parser ends where we do is what keeps the next bytes out of this head, and this head out of them.
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        _ => return Err("the head of the answer is malformed"),
    }
    let status = match answer.code {
        Some(101) => return Err("the upstream switched protocols unasked"),
        Some(100..200) => return Ok(None),
        Some(code @ 200..600) => StatusCode::from_u16(code).map_err(|_| "the upstream's status is none")?,
        _ => return Err("the upstream's status is none"),
    };
    let current = answer.version == Some(1);
    let mut headers = HeaderMap::with_capacity(answer.headers.len() + ROOM_FOR_OURS);
    for field in &*answer.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "a field has no name")?;
        // The bytes of the head, not a copy of them.
        let value = HeaderValue::from_maybe_shared(head.slice_ref(field.value))
            .map_err(|_| "a field has a value that cannot be one")?;
        headers.append(name, value);
    }
    let framed = framing(&headers, current)?;
    let body = match status {
        _ if *method == Method::HEAD => None,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => None,
        _ => Some(framed),
    };
    // Whoever announces a body where there can be none may send it, too (RFC 9110 §8.6, RFC 9112 §6.1).
    let is_odd = status == StatusCode::NO_CONTENT && !framed.is_done() && framed != Decoder::UntilClose;
    Ok(Some(AnswerHead {
        status,
        keeps: current && !is_odd && body != Some(Decoder::UntilClose) && !says_close(&headers),
        body: body.filter(|body| !body.is_done()),
        headers,
    }))
}

fn framing(headers: &HeaderMap, current: bool) -> Result<Decoder, Fault> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(length), None) => Some(read_length(length)?),
        (Some(_), Some(_)) => return Err("the upstream sent several lengths"),
    };
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next(), length) {
        (None, _, Some(length)) => Ok(Decoder::Length(length)),
        (None, _, None) => Ok(Decoder::UntilClose),
        (Some(_), None, Some(_)) => Err("the upstream sent both Content-Length and Transfer-Encoding"),
        (Some(_), _, _) if !current => Err("the upstream sent a transfer coding with HTTP/1.0"),
        (Some(coding), None, None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(Decoder::Chunked(Step::Size))
        }
        _ => Err("the upstream sent a transfer coding other than chunked"),
    }
}

/// Digits and nothing else: no sign, no list of equal ones.
fn read_length(length: &HeaderValue) -> Result<u64, Fault> {
    length
        .to_str()
        .ok()
        .filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|length| length.parse().ok())
        .ok_or("the upstream sent a length that is none")
}

fn says_close(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
    })
}

/// Whether an answer is a stream of events, which may be silent for as long as it likes.
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .get(..EVENT_STREAM.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
    })
}

/// Media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";
/// Bytes of one head.
const LONGEST_HEAD: usize = 64 * 1024;
/// Fields of one head.
const MOST_FIELDS: usize = 100;
/// What is added to an answer on its way, so that the map need not grow.
const ROOM_FOR_OURS: usize = 6;

#[cfg(test)]
mod tests;
