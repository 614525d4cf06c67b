//! `config show`: what holds, where it is from, and no secret.

use crate::world::{CONFIG, SECRET, World};

#[test]
fn each_value_has_its_origin() {
    let world = World::new(CONFIG);
    let output = world
        .command(&["config", "show"])
        .env("CLOAKROOM__SERVER__MAX_HEADER_BYTES", "64KiB")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<String> = shown
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for expected in [
        "listen = \"127.0.0.1:0\" # config.toml:2",
        "max_header_bytes = \"64KiB\" # CLOAKROOM__SERVER__MAX_HEADER_BYTES",
        "cookie = [\"***\"] # config.toml:4, file:cookie.key",
        "client_secret = \"***\" # config.toml:11, env:CLIENT_SECRET",
        "redirect_uri = \"http://localhost:8080/oauth-agent/callback\" # default",
        "# audience # not set",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected}\n{shown}");
    }
    assert!(!shown.contains(SECRET));
}

#[test]
fn json_is_for_programs() {
    let ended = World::new(CONFIG).run(&["config", "show", "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let row = |key: &str| {
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["key"] == key)
            .unwrap()
            .clone()
    };
    assert_eq!(row("app[0].route[0].path")["line"], 13);
    assert_eq!(row("store.kind")["source"], "default");
    assert_eq!(row("app[0].provider.client_secret")["value"], "***");
    assert!(!ended.stdout.contains(SECRET));
}

/// What is wrong is reported as `check` does; half a configuration is none.
#[test]
fn a_wrong_configuration_is_not_shown() {
    let world = World::new(&CONFIG.replace("\"/api\"", "\"api\""));
    let ended = world.run(&["config", "show"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""));
    assert!(ended.reason().contains("CR-C027"), "{}", ended.stderr);
    assert_eq!(world.run(&["config", "show", "--config", "no.toml"]).code, 78);
}
