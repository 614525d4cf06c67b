//! Reading the configuration for a command: problems and warnings go to stderr as they are meant to be read. What a
//! command answers goes to stdout.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use super::exit::Failure;
use crate::config::{Config, Look, Problems, Variables};

/// Reads the configuration. If it is wrong, everything that is to say about it goes to stderr; the warnings of a
/// right one are handed back, for each command says them in its own way.
pub(super) fn read(path: &Path) -> Result<(Config, Problems), Failure> {
    let checked = Config::check(path, &Variables::of_process());
    if let Some(config) = checked.config {
        return Ok((config, checked.problems));
    }
    draw(&checked.problems);
    Err(Failure::config(checked.problems.reason()))
}

/// Warnings as lines of the log: once it has begun, stderr is a stream of JSON lines where it is not a terminal.
pub(super) fn log_warnings(warnings: &Problems) {
    for warning in warnings {
        tracing::warn!(event = "config_warning", code = %warning.code(), key = warning.path(), "{}", warning.message());
    }
}

/// Whether stderr is read by a person.
pub(super) fn is_for_people() -> bool {
    std::io::stderr().is_terminal()
}

/// Draws problems on stderr.
pub(super) fn draw(problems: &Problems) {
    // Nobody to tell if stderr is closed.
    let _ = write!(std::io::stderr(), "{}", problems.render(look()));
}

/// The answer of a command, on stdout.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough: `cloakroom schema | head`.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write the result: {error}")))
        }
        _ => Ok(()),
    }
}

/// Colour only for a terminal that did not refuse it (<https://no-color.org>), lines only for one that can draw them.
fn look() -> Look {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if !is_for_people() || dumb {
        Look::Plain
    } else if no_colour() {
        Look::Lines
    } else {
        Look::Colour
    }
}

/// `NO_COLOR` is set to something.
pub(super) fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
