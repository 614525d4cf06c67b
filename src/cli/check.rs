//! `cloakroom check`: every problem at once.

use std::io::Write as _;

use clap::Args;

use super::exit::Failure;
use super::{ConfigFile, report};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Ask the provider as well (not available in this version)
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (config, warnings) = report::read(&self.config.config)?;
        report::draw(&warnings);
        // After the reading: whoever asks for more should at least learn this.
        if self.online {
            return Err(Failure::config(
                "`check --online` is not available in this version",
            ));
        }
        let count = warnings.iter().count();
        let said = match count {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            _ => format!(", {count} warnings"),
        };
        let path = self.config.config.display();
        let summary = summary(&config);
        writeln!(std::io::stdout(), "{path}: ok: {summary}{said}")
            .map_err(|error| Failure::failed(format!("cannot write the result: {error}")))
    }
}

fn summary(config: &Config) -> String {
    let apps = config
        .apps
        .iter()
        .map(|app| {
            format!(
                "app `{}` at {} with {}",
                app.id.as_str(),
                app.origin,
                match app.routes.len() {
                    1 => "1 route".to_owned(),
                    routes => format!("{routes} routes"),
                }
            )
        })
        .collect::<Vec<_>>();
    apps.join(", ")
}
