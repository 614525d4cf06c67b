//! The reference of the command line is what the command line says of itself.

use std::process::Command;

use super::source::{golden, read};

const PAGE: &str = "docs/reference/cli.md";

/// Every command that is offered has its heading, and under it the text of its `--help`.
#[test]
fn the_reference_of_the_command_line_is_its_help() {
    let page = read(PAGE);
    let documented: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `cloakroom "))
        .map(|rest| rest.trim_end_matches('`'))
        .collect();
    let mut offered = Vec::new();
    commands(&[], &mut offered);
    let mut sorted = documented.clone();
    sorted.sort_unstable();
    offered.sort_unstable();
    assert_eq!(sorted, offered, "{PAGE} (left) and `--help` (right) differ");

    let mut made = String::new();
    let mut command = None;
    let mut inside = false;
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("## `cloakroom ") {
            command = Some(rest.trim_end_matches('`'));
        }
        match line {
            "```text" => {
                inside = true;
                let arguments: Vec<&str> = command.expect("a heading above").split(' ').collect();
                made.push_str("```text\n");
                made.push_str(&help(&arguments));
            }
            "```" if inside => {
                inside = false;
                made.push_str("```\n");
            }
            _ if inside => {}
            _ => {
                made.push_str(line);
                made.push('\n');
            }
        }
    }
    golden(PAGE, &made);
}

/// The commands that have none below them, by the list that help prints.
fn commands(above: &[&str], found: &mut Vec<String>) {
    let text = help(above);
    let Some((_, list)) = text.split_once("Commands:\n") else {
        found.push(above.join(" "));
        return;
    };
    for line in list.lines().take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().expect("a name");
        if name != "help" {
            commands(&[above, &[name]].concat(), found);
        }
    }
}

fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cloakroom"))
        .args(arguments)
        .arg("--help")
        .env_clear()
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("help is text");
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}
