//! How a command fails: an exit code and the reason in one line.

use std::io::Write as _;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    reason: String,
}

impl Failure {
    /// Exit 1: it was tried and did not work.
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::new(1, reason)
    }

    /// Exit 2: the command line is not one.
    pub(super) fn usage(reason: impl Into<String>) -> Self {
        Self::new(2, reason)
    }

    /// Exit 69 (`EX_UNAVAILABLE`): a port or an upstream is unavailable.
    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        Self::new(69, reason)
    }

    /// Exit 78 (`EX_CONFIG`): the configuration is bad, or asks for what this version does not have.
    pub(super) fn config(reason: impl Into<String>) -> Self {
        Self::new(78, reason)
    }

    fn new(code: u8, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// Says the reason as the last line of stderr.
    pub(super) fn tell(&self) -> ExitCode {
        // Nobody to tell if stderr is closed; the code still says it.
        let _ = writeln!(std::io::stderr(), "error: {}", self.reason.replace('\n', " "));
        ExitCode::from(self.code)
    }
}
