//! `cloakroom completions`: what a shell needs to complete our command line.

use clap::Args;
use clap_complete::Shell;

use super::exit::Failure;
use super::{offered, report};

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut offered(), "cloakroom", &mut script);
        report::print(&String::from_utf8_lossy(&script))
    }
}
