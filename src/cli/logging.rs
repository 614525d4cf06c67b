//! Log lines go to stderr: for people on a terminal, as JSON everywhere else.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::exit::Failure;
use super::report::no_colour;

/// Starts logging. What is logged says `CLOAKROOM_LOG`, else `RUST_LOG`, else `default`.
pub(super) fn start(default: &str) -> Result<(), Failure> {
    let (name, directives) = ["CLOAKROOM_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            Some((name, value))
        })
        .unwrap_or(("", default.to_owned()));
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| Failure::config(format!("{name} does not read: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let started = if terminal {
        builder.with_ansi(!no_colour()).try_init()
    } else {
        builder.json().flatten_event(true).with_ansi(false).try_init()
    };
    started.map_err(|error| Failure::failed(format!("cannot start logging: {error}")))
}
