//! What no file may say, how long it may be, how it begins.

use super::source::{code_only, files, markdown, production, read};

/// Files are split at this many lines: what is longer does more than one thing.
const LONGEST: usize = 450;

/// Those that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[
    ("src/spa/tests.rs", "one static file, told from every side"),
    (
        "tests/it/world/provider.rs",
        "a provider whose every answer a test can bend; in pieces it would be harder to bend",
    ),
];

#[test]
fn production_code_has_no_gaps_and_no_bets() {
    let banned = [
        (
            "todo!",
            "finish it, or refuse it as `not available in this version`",
        ),
        (
            "unimplemented!",
            "finish it, or refuse it as `not available in this version`",
        ),
        ("dbg!", "log an event, or remove it"),
        (
            ".unwrap()",
            "answer an error, or `expect` with a reason why it cannot happen",
        ),
        (
            "println!",
            "log an event; what a command says goes through its one writer",
        ),
        (
            "#[allow(",
            "write `#[expect(…, reason = \"…\")]`: it says why, and goes when it is not needed any more",
        ),
        ("#![allow(", "write `#[expect(…, reason = \"…\")]` at the site"),
    ];
    let mut wrong = Vec::new();
    for path in production() {
        let code = code_only(&read(&path));
        for (number, line) in code.lines().enumerate() {
            for (text, instead) in banned {
                if line.contains(text) && !is_excused(&path, text) {
                    wrong.push(format!("{path}:{}: `{text}`: {instead}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The banner of the demo is for people, and the one thing that is printed.
fn is_excused(path: &str, text: &str) -> bool {
    path.starts_with("src/demo") && text == "println!"
}

#[test]
fn exceptions_from_lints_say_why() {
    for path in files("src", &[".rs"]).into_iter().chain(files("tests", &[".rs"])) {
        let code = code_only(&read(&path));
        for opening in ["#[expect(", "#![expect(", "#[allow(", "#![allow("] {
            for (at, _) in code.match_indices(opening) {
                let attribute = code[at..].split(']').next().unwrap();
                assert!(
                    attribute.contains("reason ="),
                    "{path}: {attribute}: no reason is given"
                );
            }
        }
    }
}

#[test]
fn no_test_waits_for_the_clock_on_the_wall() {
    let tests = files("src", &[".rs"])
        .into_iter()
        .filter(|path| path.ends_with("/tests.rs") || path.contains("/tests/"))
        .chain(files("tests", &[".rs"]));
    for path in tests {
        for (number, line) in code_only(&read(&path)).lines().enumerate() {
            assert!(
                !line.contains("sleep("),
                "{path}:{}: a test that sleeps tests the machine; move the clock, or wait for the event",
                number + 1
            );
        }
    }
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for path in files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs", ".js"]))
    {
        let lines = read(&path).lines().count();
        let excused = LONGER.iter().any(|(longer, _)| *longer == path);
        if lines > LONGEST && !excused {
            wrong.push(format!("{path} has {lines} lines: split it at {LONGEST}"));
        }
        if lines <= LONGEST && excused {
            wrong.push(format!(
                "{path} is short enough: take it off the list in tests/conventions/code.rs"
            ));
        }
    }
    for (path, _) in LONGER {
        assert!(
            super::source::root().join(path).is_file(),
            "{path} is gone: take it off the list"
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let wrong: Vec<String> = files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs"]))
        .filter(|path| {
            let source = read(path);
            let first = source.lines().next().unwrap_or_default();
            first.strip_prefix("//! ").is_none_or(|essay| essay.len() <= 10)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "begin with `//!` and say in a line what the file promises:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn nothing_names_a_place_on_somebodys_machine() {
    // In pieces, so that this file does not name one itself.
    let places = [
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["C:", "\\\\"],
    ]
    .map(|two| two.concat());
    let all = files("src", &[".rs"])
        .into_iter()
        .chain(files("tests", &[".rs", ".js", ".json", "run"]))
        .chain(files("spa-demo", &[".js", ".html", ".css", ".json"]))
        .chain(markdown())
        .chain(["Cargo.toml", "clippy.toml", "deny.toml"].map(str::to_owned));
    for path in all {
        for (number, line) in read(&path).lines().enumerate() {
            for place in &places {
                let named = line.match_indices(place.as_str()).any(|(at, _)| {
                    // A path begins there: `https://example.com/home/` is none.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}'))
                });
                assert!(
                    !named,
                    "{path}:{}: names {place}…, which is somebody's machine",
                    number + 1
                );
            }
        }
    }
}
