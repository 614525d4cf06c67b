//! Reading the configuration for a command: problems and warnings go to stderr as they are meant to be read.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use super::exit::Failure;
use crate::config::{Config, Look, Problems, Variables};

/// Reads the configuration, telling everything there is to say about it.
pub(super) fn read(path: &Path) -> Result<(Config, Problems), Failure> {
    let checked = Config::check(path, &Variables::of_process());
    if !checked.problems.is_empty() {
        let _ = write!(std::io::stderr(), "{}", checked.problems.render(look()));
    }
    match checked.config {
        Some(config) => Ok((config, checked.problems)),
        None => Err(Failure::config(checked.problems.reason())),
    }
}

/// Colour only for a terminal that did not refuse it (<https://no-color.org>).
fn look() -> Look {
    if !std::io::stderr().is_terminal() {
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
