//! Where an answer's body ends (RFC 9112 §6.3, §7.1), and what is left for nobody.
//!
//! Sizes and trailers are read by `httparse`; this file only knows what follows what. Doubt is an error: two readers that
//! end a body at different places are what response splitting is made of (attack 154).

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::answer_head::end_of_head;

/// How the rest of a body is told from what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoder {
    /// This many bytes more.
    Length(u64),
    /// By chunks.
    Chunked(Step),
    /// By the end of the connection.
    UntilClose,
}

/// What a chunked body goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The size of the next chunk.
    Size,
    /// This many bytes of one.
    Data(u64),
    /// The line break behind one.
    DataEnd,
    /// The trailers, or the empty line in their place.
    Trailers,
    /// Nothing.
    Done,
}

/// What was found.
#[derive(Debug, PartialEq)]
pub(super) enum Decoded {
    /// A piece of the body.
    Data(Bytes),
    /// What came behind the chunks.
    Trailers(HeaderMap),
    /// It is all there.
    End,
    /// The next piece has not arrived.
    More,
}

/// A body that cannot be read. The text goes to the log.
pub(super) type Fault = &'static str;

impl Decoder {
    /// Takes the next piece out of what has arrived.
    ///
    /// # Errors
    /// What is wrong with the framing.
    pub(super) fn decode(&mut self, arrived: &mut BytesMut) -> Result<Decoded, Fault> {
        match self {
            Self::Length(0) => Ok(Decoded::End),
            Self::Length(left) => Ok(take(arrived, left)),
            Self::UntilClose => {
                let mut all = u64::MAX;
                Ok(take(arrived, &mut all))
            }
            Self::Chunked(step) => step.decode(arrived),
        }
    }

    /// The upstream has closed its side: whether the body has ended with that.
    pub(super) const fn ends_with_the_connection(self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Whether all of it has been taken.
    pub(super) const fn is_done(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Step::Done))
    }

    /// How many bytes are to come, where that is known.
    pub(super) const fn left(self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(left),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }
}

impl Step {
    fn decode(&mut self, arrived: &mut BytesMut) -> Result<Decoded, Fault> {
        loop {
            match self {
                Self::Size => {
                    let Some(size) = take_size(arrived)? else {
                        return Ok(Decoded::More);
                    };
                    *self = if size == 0 {
                        Self::Trailers
                    } else {
                        Self::Data(size)
                    };
                }
                Self::Data(left) => {
                    let piece = take(arrived, left);
                    if *left == 0 {
                        *self = Self::DataEnd;
                    }
                    return Ok(piece);
                }
                Self::DataEnd => match **arrived {
                    [b'\r', b'\n', ..] => {
                        drop(arrived.split_to(2));
                        *self = Self::Size;
                    }
                    [] | [b'\r'] => return Ok(Decoded::More),
                    _ => return Err("a chunk is longer than its size says"),
                },
                Self::Trailers => {
                    let Some(trailers) = take_trailers(arrived)? else {
                        return Ok(Decoded::More);
                    };
                    *self = Self::Done;
                    if !trailers.is_empty() {
                        return Ok(Decoded::Trailers(trailers));
                    }
                }
                Self::Done => return Ok(Decoded::End),
            }
        }
    }
}

fn take(arrived: &mut BytesMut, left: &mut u64) -> Decoded {
    let length = usize::try_from(*left).map_or(arrived.len(), |left| left.min(arrived.len()));
    if length == 0 {
        return Decoded::More;
    }
    *left -= length as u64;
    Decoded::Data(arrived.split_to(length).freeze())
}

/// The size line of a chunk. `httparse` takes a line without digits for a zero, and line feeds inside extensions: other
/// readers do not.
fn take_size(arrived: &mut BytesMut) -> Result<Option<u64>, Fault> {
    let Some(first) = arrived.first() else {
        return Ok(None);
    };
    if !first.is_ascii_hexdigit() {
        return Err("a chunk has no size");
    }
    match httparse::parse_chunk_size(arrived) {
        Ok(httparse::Status::Complete((length, size))) => {
            let line = arrived.split_to(length);
            if line.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() != 2 {
                return Err("the size of a chunk has a stray line break");
            }
            Ok(Some(size))
        }
        Ok(httparse::Status::Partial) if arrived.len() < LONGEST_SIZE_LINE => Ok(None),
        Ok(httparse::Status::Partial) => Err("the size line of a chunk has no end"),
        Err(_) => Err("the size of a chunk is none"),
    }
}

fn take_trailers(arrived: &mut BytesMut) -> Result<Option<HeaderMap>, Fault> {
    match **arrived {
        [b'\r', b'\n', ..] => {
            drop(arrived.split_to(2));
            return Ok(Some(HeaderMap::new()));
        }
        [] | [b'\r'] => return Ok(None),
        _ => {}
    }
    let Some(end) = end_of_head(arrived, 0) else {
        return if arrived.len() < LONGEST_TRAILERS {
            Ok(None)
        } else {
            Err("the trailers have no end")
        };
    };
    let block = arrived.split_to(end).freeze();
    let mut fields = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let Ok(httparse::Status::Complete((length, fields))) = httparse::parse_headers(&block, &mut fields)
    else {
        return Err("the trailers are no fields");
    };
    if length != block.len() {
        return Err("the trailers end in their middle");
    }
    let mut trailers = HeaderMap::with_capacity(fields.len());
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "a trailer has no name")?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| "a trailer has no value")?;
        trailers.append(name, value);
    }
    Ok(Some(trailers))
}

/// Size and extensions of one chunk.
const LONGEST_SIZE_LINE: usize = 4 * 1024;
/// Bytes of trailers.
const LONGEST_TRAILERS: usize = 16 * 1024;
/// Fields of trailers.
const MOST_TRAILERS: usize = 32;

#[cfg(test)]
mod tests;
