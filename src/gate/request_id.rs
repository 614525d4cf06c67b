//! Request ids: unique, not guessable in bulk, and without a system call per request.
//!
//! 64 random bits per process, then a counter scrambled under another 64 random bits. Each thread takes numbers in
//! blocks, so that no counter is shared on the hot path.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

use crate::random::Random;

/// Names one request in its answer, its error body and the log. Not a secret, not guessable in bulk either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub(crate) u128);

impl RequestId {
    /// The id as a header value: 32 lower-case hex digits.
    pub(crate) fn header(self) -> HeaderValue {
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            if let [high, low] = pair {
                *high = hex(byte >> 4);
                *low = hex(byte & 15);
            }
        }
        // Hex digits are always a header value.
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("0"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Makes the ids of one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestIds {
    prefix: u64,
    scramble: u64,
}

impl RequestIds {
    /// Draws the random parts, once.
    pub(crate) fn new(random: &dyn Random) -> Self {
        Self {
            prefix: u64::from_le_bytes(random.bytes()),
            scramble: u64::from_le_bytes(random.bytes()),
        }
    }

    /// The next id.
    pub(crate) fn next(&self) -> RequestId {
        let low = mix(next_number().wrapping_add(self.scramble));
        RequestId(u128::from(self.prefix) << 64 | u128::from(low))
    }
}

const fn hex(nibble: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        b'a' + nibble - 10
    }
}

/// A number that no other call in this process gets.
fn next_number() -> u64 {
    thread_local! {
        static NUMBERS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }
    static BLOCKS: AtomicU64 = AtomicU64::new(0);
    const BLOCK: u64 = 1 << 16;

    NUMBERS.with(|numbers| {
        let (mut next, mut end) = numbers.get();
        if next == end {
            next = BLOCKS.fetch_add(BLOCK, Ordering::Relaxed);
            end = next.wrapping_add(BLOCK);
        }
        numbers.set((next.wrapping_add(1), end));
        next
    })
}

/// The finalizer of splitmix64: a bijection, so different numbers stay different.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
