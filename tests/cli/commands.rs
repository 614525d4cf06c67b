//! Which commands there are, and how what is not there is refused.

use crate::world::{CONFIG, World};

/// Contract §1: known, not built, refused with 78; whatever their arguments.
#[test]
fn commands_of_later_versions_are_refused() {
    let world = World::new(CONFIG);
    for arguments in [&["doctor"] as &[_], &["doctor", "--json"]] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, 78, "{arguments:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(
            ended.reason().ends_with("is not available in this version"),
            "{arguments:?}: {}",
            ended.reason()
        );
    }
}

/// A half alone cannot share what is in memory (contract §9).
#[test]
fn a_half_alone_needs_a_shared_store() {
    let world = World::new(CONFIG);
    for half in ["agent", "proxy"] {
        let ended = world.run(&["serve", "--only", half]);
        assert_eq!(ended.code, 78);
        assert!(ended.reason().contains("memory"), "{}", ended.reason());
    }
    let kept = World::new(&format!("[store]\nfile = \"state.redb\"\n{CONFIG}"));
    let ended = kept.run(&["serve", "--only", "proxy"]);
    assert_eq!(ended.code, 78);
    assert!(ended.reason().contains("memory"), "{}", ended.reason());
    assert_eq!(world.run(&["serve", "--only", "half"]).code, 2);
}

#[test]
fn mistakes_on_the_command_line_are_usage() {
    let world = World::new(CONFIG);
    for (arguments, words) in [
        (&[] as &[_], "a command is missing"),
        (&["keys"], "a command is missing"),
        (&["serv"], "unrecognized subcommand 'serv'"),
        (&["serve", "--conifg", "x"], "unexpected argument '--conifg'"),
        (&["serve", "--config"], "a value is required"),
        (&["demo", "--port", "0"], "invalid value '0'"),
        (&["demo", "--port", "99999"], "invalid value '99999'"),
        (&["check", "x"], "unexpected argument 'x'"),
        (&["config"], "a command is missing"),
        (&["config", "print"], "unrecognized subcommand 'print'"),
        (&["completions"], "required arguments were not provided"),
        (&["completions", "csh"], "invalid value 'csh'"),
        (&["init", "--dir"], "a value is required"),
    ] {
        let ended = world.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(
            ended.reason().starts_with("error: "),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(ended.reason().contains(words), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn help_and_version_are_answers() {
    let world = World::new(CONFIG);
    let ended = world.run(&["--version"]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.stdout, format!("cloakroom {}\n", env!("CARGO_PKG_VERSION")));
    let ended = world.run(&["--help"]);
    assert_eq!(ended.code, 0);
    for command in [
        "demo",
        "serve",
        "check",
        "init",
        "keys",
        "config",
        "schema",
        "completions",
        "man",
    ] {
        assert!(ended.stdout.contains(command), "{command}");
    }
    // Help offers what works.
    assert!(!ended.stdout.contains("doctor"));
}
