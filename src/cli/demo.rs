//! `cloakroom demo`: the launcher is [`crate::demo`], this is its command line.

use clap::Args;

use super::exit::Failure;
use super::serve::runtime;
use super::{logging, signals};
use crate::demo::DemoError;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The first port; busy ones are skipped
    #[arg(long, value_name = "N", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

impl Demo {
    pub(super) fn run(&self) -> Result<(), Failure> {
        logging::start("warn")?;
        runtime()?.block_on(async {
            // Nothing to reload: everything is new at each start.
            let (signals, _hang_ups) = signals::listen()?;
            crate::demo::run(self.port, signals.shutdown())
                .await
                .map_err(|error| match error {
                    DemoError::NoPort { .. } => Failure::unavailable(error.to_string()),
                    DemoError::Failed(_) => Failure::failed(error.to_string()),
                })
        })
    }
}
