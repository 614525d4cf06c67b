//! Who may even ask: everything that is decided before a session is looked at (contract §5 steps 1 to 5, §5a).

use std::fmt;

/// Names one request in its answer, its error body and the log. Not a secret, not guessable in bulk either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub(crate) u128);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
