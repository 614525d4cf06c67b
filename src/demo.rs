//! `cloakroom demo`: everything in one process on loopback, nothing to install or configure (contract §2, §11).
//!
//! Three listeners, each on a port of its own: the SPA with agent and proxy, the example API, the demo provider.
//! Keys and secrets are new at each start. The provider is a fake with a real login form and says so on every page.

use std::future::Future;

/// Why the demo could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No free port was found from the first one upwards: exit code 69.
    #[error("no free port found from {first} upwards")]
    NoPort {
        /// The first port tried.
        first: u16,
    },
    /// Anything else: exit code 1.
    #[error("{0}")]
    Failed(String),
}

/// Runs the demo until `shutdown` resolves, then drains. Prints the banner to stdout once everything answers.
///
/// # Errors
/// [`DemoError`]; nothing is left running then.
pub async fn run(_first_port: u16, _shutdown: impl Future<Output = ()> + Send) -> Result<(), DemoError> {
    todo!()
}
