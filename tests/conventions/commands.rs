//! Every command of the manual is one that tests run.

use std::path::Path;
use std::process::{Command, Output};

use super::source::{files, markdown, read, root};

/// A command as it stands in a block of `sh`, and what runs it.
const COMMANDS: &[(&str, &str)] = &[
    ("tests/run", "tests/run"),
    ("cargo run -- demo", "tests/browser/demo.js"),
    ("cloakroom serve", "tests/interop/world.js"),
    ("cloakroom init", "fn the_first_steps_of_the_manual_work"),
    ("cloakroom check", "fn the_first_steps_of_the_manual_work"),
    ("cloakroom config show", "fn the_first_steps_of_the_manual_work"),
    (
        "kill -HUP $(pidof cloakroom)",
        "fn a_good_file_is_effective_at_the_next_request_of_an_open_connection",
    ),
    (
        "cloakroom explain GET /api/orders",
        "fn a_call_without_the_header_is_told_what_is_missing",
    ),
    (
        "cloakroom check --online",
        "fn what_the_provider_says_is_told_line_by_line",
    ),
    (
        "printf %s 'THE SECRET' > keys/client-secret",
        "tests/browser/tutorial.test.js",
    ),
    ("node api.mjs", "tests/browser/tutorial.test.js"),
    ("npm run dev", "tests/browser/tutorial.test.js"),
    ("npm run build", "tests/browser/tutorial.test.js"),
    (
        "cloakroom explain GET /api/hello",
        "tests/browser/tutorial.test.js",
    ),
    (
        "cloakroom keys generate --out keys/2026-11.key",
        "fn a_key_is_rotated_in_two_steps",
    ),
    ("cloakroom keys rotate", "fn a_rotation_is_told_step_by_step"),
    (
        "cloakroom keys generate --out keys/admin-token",
        "fn the_requests_of_the_manual_do_what_it_says",
    ),
    (
        "curl -H \"Authorization: Bearer $(cat keys/admin-token)\" 'http://127.0.0.1:9080/sessions?sub=alice'",
        "fn the_requests_of_the_manual_do_what_it_says",
    ),
    (
        "curl -H \"Authorization: Bearer $(cat keys/admin-token)\" -d @one.json http://127.0.0.1:9080/revoke",
        "fn the_requests_of_the_manual_do_what_it_says",
    ),
];

#[test]
fn every_command_of_the_manual_is_run_by_a_test() {
    let mut used = Vec::new();
    for path in markdown() {
        for line in shell_lines(&read(&path)) {
            let known = COMMANDS.iter().find(|(command, _)| *command == line);
            assert!(
                known.is_some(),
                "{path}: `{line}`: nothing runs it; add a test and name both in tests/conventions/commands.rs"
            );
            used.push(line);
        }
    }
    for (command, runner) in COMMANDS {
        assert!(
            used.iter().any(|line| line == command),
            "`{command}` stands nowhere: take it off the list"
        );
        let exists = match runner.strip_prefix("fn ") {
            Some(name) => files("tests", &[".rs"])
                .iter()
                .any(|path| read(path).contains(&format!("fn {name}("))),
            None => root().join(runner).is_file(),
        };
        assert!(
            exists,
            "`{command}` is said to be run by {runner}, which does not exist"
        );
    }
}

/// What the manual tells nginx to do is what the tests' nginx does; names and ports aside.
#[test]
fn the_nginx_of_the_manual_is_the_nginx_of_the_tests() {
    let tested = read("tests/interop/nginx.js");
    let page = read("docs/how-to/behind-a-proxy.md");
    let lines: Vec<String> = fenced_lines(&page, "nginx")
        .into_iter()
        .filter(|line| {
            line.starts_with("proxy_") || line.starts_with("large_") || line.starts_with("keepalive")
        })
        .collect();
    assert!(
        lines.len() > 8,
        "only {} lines were found: the search is wrong",
        lines.len()
    );
    for line in &lines {
        assert!(
            tested.contains(line.as_str()),
            "`{line}`: tests/interop/nginx.js does not run it"
        );
    }
    for line in tested
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("proxy_"))
    {
        assert!(
            lines.iter().any(|told| told == line),
            "`{line}` is run by the tests, and the manual does not tell it"
        );
    }
}

/// The commands of blocks of `sh`.
fn shell_lines(text: &str) -> Vec<String> {
    fenced_lines(text, "sh")
}

/// The lines of fenced blocks in `language`, without comments.
fn fenced_lines(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}");
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = line.trim() == opening;
        } else if inside {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                lines.push(line.to_owned());
            }
        }
    }
    lines
}

/// README, "Use it", and docs/how-to/first-configuration.md.
#[test]
fn the_first_steps_of_the_manual_work() {
    let folder = tempfile::tempdir().unwrap();
    for step in ["init", "check", "config show"] {
        let done = cloakroom(folder.path(), step);
        assert!(done.status.success(), "{step}: {done:?}");
    }
    // Never overwritten: the sessions of everybody hang on it.
    let again = cloakroom(folder.path(), "init");
    assert_eq!(again.status.code(), Some(1), "{again:?}");
}

/// docs/how-to/keys.md
#[test]
fn a_key_is_rotated_in_two_steps() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("keys")).unwrap();
    for file in ["keys/2026-05.key", "keys/2026-11.key"] {
        let made = cloakroom(folder.path(), &format!("keys generate --out {file}"));
        assert!(made.status.success(), "{made:?}");
    }
    let (old, new) = ("\"file:keys/2026-05.key\"", "\"file:keys/2026-11.key\"");
    for ring in [format!("{old}, {new}"), format!("{new}, {old}"), new.to_owned()] {
        write_config(folder.path(), &ring);
        let checked = cloakroom(folder.path(), "check");
        assert!(checked.status.success(), "{ring}: {checked:?}");
    }
    write_config(folder.path(), &format!("{new}, {new}"));
    let twice = cloakroom(folder.path(), "check");
    assert_eq!(twice.status.code(), Some(78), "{twice:?}");
}

fn write_config(folder: &Path, ring: &str) {
    let text = format!(
        "[keys]\ncookie = [{ring}]\n\n[[app]]\nid = \"shop\"\norigin = \"https://shop.example.com\"\n\n\
         [app.provider]\nissuer = \"https://login.example.com\"\nclient_id = \"shop\"\n\
         client_secret = \"env:CLIENT_SECRET\"\n\n\
         [[app.route]]\npath = \"/api\"\nupstream = \"http://127.0.0.1:9001\"\n"
    );
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

fn cloakroom(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cloakroom"))
        .args(arguments.split(' '))
        .current_dir(folder)
        .env_clear()
        .env("CLIENT_SECRET", "a secret of nobody")
        .output()
        .expect("the binary runs")
}
