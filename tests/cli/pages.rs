//! `schema`, `completions` and `man`: what other programs read.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::world::{CONFIG, World};

#[test]
fn the_schema_is_the_one_of_the_repository() {
    let ended = World::new(CONFIG).run(&["schema"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, include_str!("../../config.schema.json"));
}

/// Offered is what works; the shells that are here read their script.
#[test]
fn every_shell_has_completions() {
    let world = World::new(CONFIG);
    for (shell, check) in [
        ("bash", Some(["bash", "-n"])),
        ("zsh", Some(["zsh", "-n"])),
        ("fish", Some(["fish", "--no-execute"])),
        ("powershell", None),
        ("elvish", None),
    ] {
        let ended = world.run(&["completions", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{shell}");
        for word in ["serve", "check", "online", "config", "init", "dir", "generate"] {
            assert!(ended.stdout.contains(word), "{shell}: {word} is missing");
        }
        assert!(!ended.stdout.contains("doctor"), "{shell} offers what is refused");
        if let Some([program, option]) = check {
            let file = world.path().join(shell);
            std::fs::write(&file, &ended.stdout).unwrap();
            if let Some(output) = run_if_there(Command::new(program).arg(option).arg(&file)) {
                assert_eq!(output, "", "{shell}");
            }
        }
    }
}

/// roff with everything in it; without a complaint where a formatter is installed.
#[test]
fn the_manual_page_reads() {
    let ended = World::new(CONFIG).run(&["man"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for words in [
        ".TH cloakroom 1",
        ".SH COMMANDS",
        "cloakroom config show",
        "\\-\\-online",
        ".SH \"EXIT STATUS\"",
        "78",
        "CLOAKROOM_LOG",
    ] {
        assert!(ended.stdout.contains(words), "{words}\n{}", ended.stdout);
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ended.stdout.as_bytes()).unwrap();
    let groff = Command::new("groff")
        .args(["-man", "-ww", "-Tutf8", "-P-c", "-rLL=78n"])
        .arg(file.path())
        .output();
    if let Ok(groff) = groff {
        assert_eq!(String::from_utf8_lossy(&groff.stderr), "");
        let text = String::from_utf8(groff.stdout).unwrap();
        let plain = without_overstrike(&text);
        assert!(plain.contains("cloakroom keys generate [--out FILE]"), "{plain}");
        assert!(plain.contains("EXIT STATUS"), "{plain}");
    }
}

/// Whoever reads has seen enough: `cloakroom schema | head -1`.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new(CONFIG);
    let mut child = world.command(&["schema"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// What a program says on stderr; `None` where it is not installed.
fn run_if_there(command: &mut Command) -> Option<String> {
    let output = command.stdout(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Terminals of old made letters bold by striking them twice.
fn without_overstrike(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
    }
    plain
}
