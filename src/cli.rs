//! The command line (contract §2): one file per command.

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    todo!()
}
