//! `cloakroom check`: every problem at once; with `--online` the provider's word as well, and whether
//! upstreams are there.

use clap::Args;

use super::exit::Failure;
use super::{ConfigFile, report};
use crate::config::Config;

mod online;
mod upstreams;

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigFile,
    /// Ask the provider as well (metadata, keys, what it supports), and try the upstreams
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (config, warnings) = report::read(&self.config.config)?;
        report::draw(&warnings);
        let count = warnings.iter().count();
        let said = match count {
            0 => String::new(),
            1 => ", 1 warning".to_owned(),
            _ => format!(", {count} warnings"),
        };
        let path = self.config.config.display();
        let summary = summary(&config);
        report::print(&format!("{path}: ok: {summary}{said}\n"))?;
        if self.online {
            online::ask(&config)?;
        }
        Ok(())
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
