//! `cloakroom man`: one manual page for all commands, as roff. `cloakroom man | man -l -` shows it.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::exit::Failure;
use super::{offered, report};

pub(super) fn run() -> Result<(), Failure> {
    let page = page().map_err(|error| Failure::failed(format!("cannot write the page: {error}")))?;
    report::print(&String::from_utf8_lossy(&page))
}

fn page() -> io::Result<Vec<u8>> {
    let mut command = offered();
    command.build();
    let man = Man::new(command.clone()).manual("Cloakroom");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in command.get_subcommands() {
        describe(command, &mut roff);
    }
    for (heading, entries) in SECTIONS {
        roff.control("SH", [*heading]);
        for (term, meaning) in *entries {
            roff.control("TP", []);
            roff.text([bold(*term)]);
            roff.text([roman(*meaning)]);
        }
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// A command and those below it.
fn describe(command: &Command, roff: &mut Roff) {
    if command.get_name() == "help" {
        return;
    }
    if command.has_subcommands() {
        for command in command.get_subcommands() {
            describe(command, roff);
        }
        return;
    }
    let arguments = || {
        command
            .get_arguments()
            .filter(|argument| argument.get_id() != "help")
    };
    let mut usage = vec![bold(command.get_bin_name().unwrap_or_default())];
    for argument in arguments() {
        usage.push(roman(if argument.is_required_set() { " " } else { " [" }));
        usage.extend(spelling(argument));
        if !argument.is_required_set() {
            usage.push(roman("]"));
        }
    }
    roff.control("TP", []);
    roff.text(usage);
    roff.text([roman(about(command.get_about()))]);
    roff.control("RS", []);
    for argument in arguments() {
        roff.control("TP", []);
        roff.text(spelling(argument));
        roff.text([roman(about(argument.get_help()))]);
    }
    roff.control("RE", []);
}

/// `--config FILE`, `--json`, `SHELL`
fn spelling(argument: &Arg) -> Vec<Inline> {
    let name = argument.get_long().map(|long| bold(format!("--{long}")));
    let value = argument
        .get_num_args()
        .is_none_or(|count| count.takes_values())
        .then(|| {
            let names = argument.get_value_names().unwrap_or_default();
            italic(names.join(" "))
        });
    match (name, value) {
        (Some(name), Some(value)) => vec![name, roman(" "), value],
        (one, other) => one.or(other).into_iter().collect(),
    }
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(|text| format!("{text}.")).unwrap_or_default()
}

/// What the command line itself does not know.
const SECTIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "EXIT STATUS",
        &[
            ("0", "It worked."),
            ("1", "It was tried and did not work."),
            ("2", "The command line is none."),
            ("69", "A port or the provider is unavailable."),
            (
                "78",
                "The configuration is bad, or asks for what this version does not have.",
            ),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            (
                "CLOAKROOM__SECTION__KEY",
                "Takes the place of a value of the configuration; an app is named by its id: CLOAKROOM__APP__SHOP__ORIGIN.",
            ),
            (
                "CLOAKROOM_LOG",
                "What is logged, as RUST_LOG has it: info, cloakroom=debug.",
            ),
            ("CREDENTIALS_DIRECTORY", "Where systemd:NAME is looked for."),
            ("NO_COLOR", "Set to anything: no colour."),
        ],
    ),
    (
        "FILES",
        &[("config.toml", "The configuration, unless --config names another.")],
    ),
];
