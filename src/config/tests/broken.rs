//! Broken configurations: code, place and path of what is wrong with each, nothing else reported, nothing missed.

use super::super::{Checked, Config, Severity, Variables};
use super::{World, added, changed};

mod cases;

/// Every case reports exactly what it lists: at the right line and column, with the key's path (attack 200, 92).
#[test]
fn each_mistake_is_reported_where_it_is() {
    let world = World::new();
    let mut failures = Vec::new();
    let cases = cases::all();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for (what, text, expected) in cases {
        let found: Vec<_> = match world.parse(&text) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .filter(|problem| problem.severity() == Severity::Error)
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
                    assert!(problem.position().is_some(), "{what}: no position");
                    (problem.code().as_str(), problem.path().to_owned(), at)
                })
                .collect(),
        };
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
        r#"CR-C024

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
    assert!(!problems.render(super::Look::Plain).contains('\u{1b}'));
    assert!(!problems.render(super::Look::Lines).contains('\u{1b}'));
    assert!(problems.render(super::Look::Colour).contains('\u{1b}'));
    assert!(problems.render(super::Look::Plain).is_ascii());
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
