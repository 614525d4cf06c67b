//! `check`: every problem, exit 78, no secret.

use crate::world::{CONFIG, SECRET, World};

#[test]
fn a_right_configuration_is_said_to_be_right() {
    let ended = World::new(CONFIG).run(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(
        ended.stdout,
        "config.toml: ok: app `shop` at http://localhost:8080 with 1 route\n"
    );
}

/// Code, `file:line:column`, snippet, cause and fix for each; the reason last; nothing on stdout (attack 200).
#[test]
fn every_problem_is_reported_at_once() {
    let config = CONFIG
        .replace("127.0.0.1:0", "localhost:0")
        .replace("client_secret =", "client_secrt =")
        .replace("\"/api\"", "\"api\"");
    let ended = World::new(&config).run(&["check", "--config", "config.toml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    for words in [
        "CR-C010 (docs/reference/errors.md#cr-c010)",
        "config.toml:2:10",
        "listen = \"localhost:0\"",
        "127.0.0.1:0",
        "CR-C003",
        "config.toml:11:1",
        "did you mean `client_secret`?",
        "CR-C027",
        "config.toml:13:8",
        "it does not begin with `/`",
    ] {
        assert!(
            ended.stderr.contains(words),
            "{words} is missing:\n{}",
            ended.stderr
        );
    }
    assert_eq!(ended.reason(), "error: config.toml: 3 problems");
    assert!(ended.stderr.is_ascii(), "colour or lines without a terminal");
}

#[test]
fn a_file_that_is_not_there_is_bad_configuration() {
    let ended = World::new(CONFIG).run(&["check", "--config", "other.toml"]);
    assert_eq!(ended.code, 78);
    assert!(
        ended.reason().contains("cannot read `other.toml`"),
        "{}",
        ended.stderr
    );
}

/// M-05: a key that others may read, a key that is none, a secret that is not set.
#[cfg(unix)]
#[test]
fn bad_secrets_stop_the_start() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new(CONFIG);
    let key = world.path().join("cookie.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 78);
    assert!(ended.reason().contains("CR-C017"), "{}", ended.stderr);

    std::fs::write(&key, "changeme").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 78);
    assert!(ended.reason().contains("CR-C015"), "{}", ended.stderr);

    let world = World::new(CONFIG);
    let ended = world
        .command(&["check"])
        .env_remove("CLIENT_SECRET")
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(78));
}

#[test]
fn the_environment_overrides_the_file() {
    let world = World::new(CONFIG);
    let with = |name: &str, value: &str| {
        let output = world.command(&["check"]).env(name, value).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(
        with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_ID", "other").0,
        Some(0)
    );
    let (code, stderr) = with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_ED", "other");
    assert_eq!(code, Some(78));
    assert!(
        stderr.contains("did you mean `CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_ID`?"),
        "{stderr}"
    );
    let (code, stderr) = with("CLOAKROOM__APP__SHOP__PROVIDER__CLIENT_SECRET", SECRET);
    assert_eq!(code, Some(78));
    assert!(!stderr.contains(SECRET), "{stderr}");
}

/// What is likely not meant is said with what it means, and stops nothing.
#[test]
fn what_is_perhaps_not_meant_is_said() {
    let config = CONFIG.replace("127.0.0.1:0", "127.0.0.1:8080").replace(
        "origin = \"http://localhost:8080\"",
        "origin = \"http://localhost:3000\"\nallowed_origins = [\"http://localhost:5173\"]",
    );
    let ended = World::new(&config).run(&["check"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for words in [
        "CR-C071",
        "this service listens on port 8080",
        "a dev server, perhaps",
        "`\"http://localhost:8080\"`",
        "CR-C072",
        "`spa_origin = \"http://localhost:5173\"`",
    ] {
        let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{words}\n{}", ended.stderr);
    }
    assert!(ended.stdout.ends_with(", 2 warnings\n"), "{}", ended.stdout);
}

/// Warnings are said, and stop nothing.
#[test]
fn warnings_do_not_fail() {
    let second = "[[app]]\nid = \"admin\"\norigin = \"http://localhost:8081\"\n[app.provider]\n\
                  issuer = \"http://localhost:1\"\nclient_id = \"a\"\nclient_secret = \"env:CLIENT_SECRET\"\n";
    let ended = World::new(&format!("{CONFIG}{second}")).run(&["check"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("CR-C070"), "{}", ended.stderr);
    assert!(ended.stdout.ends_with(", 1 warning\n"), "{}", ended.stdout);
}
