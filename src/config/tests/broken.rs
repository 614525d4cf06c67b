//! Broken configurations: code, place and path of what is wrong with each, nothing else reported, nothing missed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::{Checked, Config, Look, Variables};
use super::{World, added, changed, golden};

mod cases;
mod outside;

/// One broken configuration, with the world around it.
struct Case {
    what: &'static str,
    text: String,
    files: Vec<(&'static str, Vec<u8>)>,
    variables: Vec<(&'static str, String)>,
    /// `(code, path, what the caret points at)` of every error and warning, in order.
    expected: Vec<(&'static str, &'static str, &'static str)>,
}

impl Case {
    fn all() -> Vec<Self> {
        let inside = cases::all().into_iter().map(|(what, text, expected)| Self {
            what,
            text,
            files: Vec::new(),
            variables: Vec::new(),
            expected: expected.to_vec(),
        });
        inside.chain(outside::all()).collect()
    }

    fn world(&self) -> World {
        let mut world = World::new();
        for (name, content) in &self.files {
            if let Some((folder, _)) = name.split_once('/') {
                std::fs::create_dir(world.path().join(folder)).unwrap();
            }
            world.file(name, content);
            if name.starts_with("wide/") {
                super::mode(&world.path().join(name), 0o644);
            }
        }
        for (name, value) in &self.variables {
            world = world.with(name, value);
        }
        world
    }
}

/// Every case reports exactly what it lists: at the right line and column, with the key's path (attack 200, 92).
#[test]
fn each_mistake_is_reported_where_it_is() {
    let mut failures = Vec::new();
    let cases = Case::all();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for case in &cases {
        let Case {
            what, text, expected, ..
        } = case;
        let problems = case.world().check(text).problems;
        let found: Vec<_> = problems
            .iter()
            .map(|problem| {
                let (line, column) = problem.position().unwrap_or_default();
                let at = text
                    .lines()
                    .nth(line.saturating_sub(1))
                    .map(|line| line.chars().skip(column.saturating_sub(1)).collect::<String>())
                    .unwrap_or_default();
                assert!(
                    problem.cause().is_some() && problem.fix().is_some(),
                    "{what}: no cause or no fix"
                );
                assert!(
                    problem.position().is_some() || !case.variables.is_empty(),
                    "{what}: no position"
                );
                (problem.code().as_str(), problem.path().to_owned(), at)
            })
            .collect();
        let right = found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| {
                found.0 == expected.0 && found.1 == expected.1 && found.2.starts_with(expected.2)
            });
        if !right {
            failures.push(format!("{what}:\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// What an operator reads about each of them, in one file to be looked through: `broken/reports.txt`.
#[test]
fn the_reports_are_those_that_were_reviewed() {
    let mut all = String::new();
    for case in Case::all() {
        let world = case.world();
        let folder = format!("{}/", world.path().display());
        let report = world.check(&case.text).problems.to_string().replace(&folder, "");
        write!(all, "==== {}\n\n{report}", case.what).unwrap();
    }
    golden("src/config/tests/broken/reports.txt", &all);
}

/// No code without a broken configuration that shows it.
#[test]
fn every_code_has_a_case() {
    let declared: BTreeSet<&str> = include_str!("../problem.rs")
        .split("Self(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let mut shown: BTreeSet<&str> = Case::all()
        .iter()
        .flat_map(|case| case.expected.iter().map(|(code, ..)| *code))
        .collect();
    // A file that is not there has no text; it has a test of its own below.
    shown.insert("CR-C001");
    assert_eq!(shown, declared);
}

/// On a terminal words end at column 80; only what cannot be broken is longer: the line of the file, a path, a name.
#[test]
fn reports_fit_a_terminal_of_eighty_columns() {
    for case in Case::all() {
        let world = case.world();
        let problems = world.check(&case.text).problems;
        for line in problems.render(Look::Lines).lines() {
            let drawn = line.contains(['│', '·', '─']);
            let words = line.split_whitespace().filter(|word| word.len() > 1).count();
            assert!(
                line.chars().count() <= 80 || drawn || words <= 2,
                "{}: {line}",
                case.what
            );
        }
    }
}

/// Ten mistakes, ten problems, in the order of the file.
#[test]
fn ten_mistakes_are_ten_problems() {
    let text = r#"[server]
listen = "localhost:8080"
trusted_proxies = ["0.0.0.0/0"]
[keys]
cookie = ["hunter2-hunter2"]
[[app]]
id = "Shop"
origin = "http://shop.example.com"
error_path = "//evil.test"
[app.provider]
issuer = "login.example.com"
client_id = "shop"
client_secrets = "file:client-secret"
scopes = ["profile"]
[app.session]
idle_timeout = "soon"
[[app.route]]
path = "api"
upstream = "http://10.0.0.7"
"#;
    let world = World::new();
    assert_eq!(
        world.problems(text),
        [
            "CR-C010 server.listen",
            "CR-C011 server.trusted_proxies[0]",
            "CR-C012 keys.cookie[0]",
            "CR-C020 app[0].id",
            "CR-C024 app[0].origin",
            "CR-C029 app[0].error_path",
            "CR-C030 app[0].provider.issuer",
            "CR-C003 app[0].provider.client_secrets",
            "CR-C033 app[0].provider.scopes",
            "CR-C008 app[0].session.idle_timeout",
            "CR-C027 app[0].route[0].path",
            "CR-C024 app[0].route[0].upstream",
        ]
    );
    let problems = world.parse(text).unwrap_err();
    assert_eq!(problems.errors(), 12);
    assert_eq!(problems.reason(), "config.toml: 12 problems");
}

/// What an operator sees: code, `file:line:column`, the line, a caret, cause and fix.
#[test]
fn a_problem_reads_like_this() {
    let problems = World::new()
        .parse(&changed(
            "https://shop.example.com\"",
            "http://shop.example.com\" # later: https",
        ))
        .unwrap_err();
    assert_eq!(
        problems.to_string(),
        r#"CR-C024 (docs/reference/errors.md#cr-c024)

  x app[0].origin: `http` is for loopback names only, and `shop.example.com` is none
   ,-[config.toml:7:10]
 7 | origin = "http://shop.example.com"
   :          ^^^^^^^^^^^^^^^^^^^^^^^^^
   `----
  help: cause: browsers keep `__Host-` cookies from plain http, and the network would see every session
        fix: write `"https://shop.example.com"`

"#
    );
    assert_eq!(
        problems.reason(),
        "config.toml: CR-C024: app[0].origin: `http` is for loopback names only, and `shop.example.com` is none"
    );
}

/// Colour is asked for, never guessed here.
#[test]
fn only_colour_has_escape_sequences() {
    let problems = World::new().parse(&changed("listen =", "lisen =")).unwrap_err();
    assert!(!problems.render(Look::Plain).contains('\u{1b}'));
    assert!(!problems.render(Look::Lines).contains('\u{1b}'));
    assert!(problems.render(Look::Colour).contains('\u{1b}'));
    assert!(problems.render(Look::Plain).is_ascii());
}

/// A misspelt key names the nearest one, a key of another table its home.
#[test]
fn unknown_keys_come_with_a_hint() {
    let world = World::new();
    let fix = |text: &str| {
        let problems = world.parse(text).unwrap_err();
        problems.iter().next().unwrap().fix().unwrap().to_owned()
    };
    assert_eq!(
        fix(&changed("idle_timeout", "idle_timout")),
        "did you mean `idle_timeout`?"
    );
    assert_eq!(
        fix(&changed("[app.session]", "[app.sesion]")),
        "did you mean `session`?"
    );
    assert_eq!(
        fix(&added("[server]", "client_id = \"x\"")),
        "`client_id` belongs to `[app.provider]`"
    );
    for (from, to, hint) in [
        ("[server]", "[servers]", "did you mean `server`?"),
        ("[[app]]", "[[apps]]", "did you mean `app`?"),
        ("[app.provider]", "[app.providers]", "did you mean `provider`?"),
        ("[[app.route]]", "[[app.routes]]", "did you mean `route`?"),
        ("path =", "pth =", "did you mean `path`?"),
        ("upstream =", "upsteam =", "did you mean `upstream`?"),
        ("origin =", "orgin =", "did you mean `origin`?"),
        (
            "[server]",
            "[[route]]\n[server]",
            "write this table as `[[app.route]]`",
        ),
        (
            "[server]",
            "[provider]\n[server]",
            "write this table as `[app.provider]`",
        ),
        (
            "[server]",
            "upstream = \"x\"\n[server]",
            "`upstream` belongs to `[[app.route]]`",
        ),
    ] {
        // What follows a header that nobody knows is unknown as well: the right hint is among the problems.
        let text = super::GOOD.replace(from, to);
        let problems = world.parse(&text).unwrap_err();
        assert!(
            problems.iter().any(|problem| problem.fix() == Some(hint)),
            "{to}: {problems}"
        );
    }
}

/// What is not TOML does not hide the other mistakes, and does not invent any.
#[test]
fn syntax_errors_stand_beside_other_problems() {
    let world = World::new();
    let text = changed("client_id = \"shop\"", "client_id = shop").replace("\"/api\"", "\"api\"");
    assert_eq!(
        world.problems(&text),
        ["CR-C002 ", "CR-C027 app[0].route[0].path"]
    );
    assert_eq!(
        world
            .parse(&text)
            .unwrap_err()
            .iter()
            .next()
            .unwrap()
            .position()
            .unwrap()
            .0,
        10
    );
    assert_eq!(
        world.problems(&added("[server]", "listen = \"127.0.0.1:1\"")),
        ["CR-C002 "]
    );
}

/// Columns are counted in characters, and the caret stands right behind wide ones.
#[test]
fn columns_count_characters() {
    let problems = World::new()
        .parse(&added(
            "[server]",
            "max_header_bytes = \"ü\"\ntrusted_proxies = [\"ü\", \"x\"]",
        ))
        .unwrap_err();
    let columns: Vec<_> = problems
        .iter()
        .map(|problem| problem.position().unwrap())
        .collect();
    assert_eq!(columns, [(2, 20), (3, 20), (3, 25)]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_of_its_own() {
    let world = World::new();
    let Checked { config, problems } = Config::check(&world.path().join("no.toml"), &Variables::default());
    assert!(config.is_none());
    assert_eq!(problems.iter().next().unwrap().code().as_str(), "CR-C001");
    assert!(problems.reason().contains("no.toml"));
}
