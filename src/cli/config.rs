//! `cloakroom config`: what the configuration comes to.

use clap::{Args, Subcommand};

use super::exit::Failure;
use super::{ConfigFile, report};
use crate::config::{Config, Variables};

#[derive(Debug, Subcommand)]
pub(super) enum Show {
    /// Every value that holds in the end, and where it is from; secrets as `***`
    Show(Arguments),
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigFile,
    /// As JSON: one object per key
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let Self::Show(Arguments { config, json }) = self;
        let effective = Config::effective(&config.config, &Variables::of_process()).map_err(|problems| {
            report::draw(&problems);
            Failure::config(problems.reason())
        })?;
        let text = if *json {
            format!("{:#}\n", effective.to_json())
        } else {
            effective.to_toml()
        };
        report::print(&text)
    }
}
