//! The command line (contract §2): one file per command.
//!
//! Exit codes: 0 ok, 1 failed, 2 usage, 69 a port or upstream is unavailable, 78 bad configuration. The last line on
//! stderr of a failed command is the reason. A command whose work is not built yet is refused with 78, never
//! accepted and ignored.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use self::exit::Failure;

mod check;
mod completions;
mod config;
mod demo;
mod exit;
mod explain;
mod init;
mod keys;
mod logging;
mod man;
mod reload;
mod report;
mod schema;
mod serve;
mod signals;

/// A token handler for browser single-page apps: hand in your tokens, keep a ticket.
#[derive(Debug, Parser)]
#[command(name = "cloakroom", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process on loopback: demo provider, example API, SPA, agent and proxy
    Demo(demo::Demo),
    /// Serve what the configuration describes
    Serve(serve::Serve),
    /// Read the configuration and report every problem at once
    Check(check::Check),
    /// Write a configuration to start from, with new keys; nothing is overwritten
    Init(init::Init),
    /// Tell what becomes of one request, and why; sends nothing
    Explain(explain::Explain),
    /// Cookie keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// What the configuration comes to
    #[command(subcommand)]
    Config(config::Show),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Print the completions of a shell
    Completions(completions::Completions),
    /// Print the manual page, as roff
    Man,
    #[command(hide = true)]
    Doctor(Later),
}

/// A command that exists but is not built yet, with whatever it is given.
#[derive(Debug, Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

/// Where the configuration is: an argument of every command that reads it.
#[derive(Debug, Args)]
struct ConfigFile {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: std::path::PathBuf,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let done = match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Init(init) => init.run(),
        Command::Explain(explain) => explain.run(),
        Command::Keys(keys) => keys.run(),
        Command::Config(show) => show.run(),
        Command::Schema => schema::run(),
        Command::Completions(completions) => completions.run(),
        Command::Man => man::run(),
        Command::Doctor(_) => later("doctor"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

/// The command line without what is refused: for completions and the manual page.
fn offered() -> clap::Command {
    let whole = Cli::command();
    let offered = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .cloned();
    let mut command = clap::Command::new("cloakroom")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .subcommand_value_name("COMMAND")
        .subcommands(offered);
    if let Some(about) = whole.get_about() {
        command = command.about(about.clone());
    }
    command
}

fn later(command: &str) -> Result<(), Failure> {
    Err(Failure::config(format!(
        "`{command}` is not available in this version"
    )))
}

/// Help and version are answers; everything else is a mistake, whose reason is said once more at the end.
fn usage(error: &clap::Error) -> ExitCode {
    // Nobody to tell if the stream is closed.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Failure::usage("a command is missing").tell()
        }
        _ => {
            let text = error.to_string();
            let reason = text.lines().next().unwrap_or_default();
            Failure::usage(reason.trim_start_matches("error: ")).tell()
        }
    }
}
