//! `init`: what it writes works as it is, is nobody else's to read, and never takes the place of anything.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::world::World;

/// Contract §2, from nothing to a configuration that passes: without a warning, and without the environment.
#[test]
fn what_is_written_passes_as_it_is() {
    let world = World::empty();
    let ended = world.run(&["init"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let mut check = world.command(&["check"]);
    let output = check.env_remove("CLIENT_SECRET").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "config.toml: ok: app `shop` at http://localhost:8080 with 1 route\n"
    );
    let config = std::fs::read_to_string(world.path().join("config.toml")).unwrap();
    assert!(config.starts_with("#:schema ./config.schema.json\n"));
    assert!(config.lines().count() <= 40, "{} lines", config.lines().count());
    assert!(config.lines().all(|line| line.chars().count() <= 80));
    for line in ended.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // The schema that line 1 names is there.
    assert_eq!(
        std::fs::read_to_string(world.path().join("config.schema.json")).unwrap(),
        world.run(&["schema"]).stdout
    );
}

/// M-05: both secrets are random, readable by their owner only, kept out of git, and not printed.
#[test]
fn its_secrets_are_its_own() {
    let (one, other) = (World::empty(), World::empty());
    let printed = one.run(&["init"]).stdout;
    other.run(&["init"]);
    let read = |world: &World, name: &str| std::fs::read_to_string(world.path().join(name)).unwrap();
    for name in ["keys/cookie.key", "keys/client-secret"] {
        assert_eq!(mode(&one.path().join(name)), 0o600, "{name}");
        let secret = read(&one, name);
        assert!(!printed.contains(secret.trim_end()), "{name} is printed");
        assert_ne!(secret, read(&other, name), "{name}");
    }
    assert_ne!(read(&one, "keys/cookie.key"), read(&one, "keys/client-secret"));
    assert_eq!(read(&one, "keys/.gitignore"), "*\n");
}

#[test]
fn nothing_is_overwritten() {
    for name in ["config.toml", "keys/cookie.key", "keys/client-secret"] {
        let world = World::empty();
        std::fs::create_dir(world.path().join("keys")).unwrap();
        std::fs::write(world.path().join(name), "precious").unwrap();
        let ended = world.run(&["init"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        assert_eq!(
            ended.reason(),
            format!("error: `{name}` exists already; nothing was written")
        );
        assert_eq!(files(world.path()), [name], "nothing else is there");
        assert_eq!(
            std::fs::read_to_string(world.path().join(name)).unwrap(),
            "precious"
        );
    }
    // A link that leads nowhere is something, too.
    let world = World::empty();
    std::os::unix::fs::symlink("elsewhere", world.path().join("config.toml")).unwrap();
    assert_eq!(world.run(&["init"]).code, 1);
    assert!(!world.path().join("elsewhere").exists());
    // A schema of one's own stays.
    let world = World::empty();
    std::fs::write(world.path().join("config.schema.json"), "{}").unwrap();
    assert_eq!(world.run(&["init"]).code, 0);
    assert_eq!(
        std::fs::read_to_string(world.path().join("config.schema.json")).unwrap(),
        "{}"
    );
}

#[test]
fn another_folder_is_made_and_named() {
    let world = World::empty();
    let ended = world.run(&["init", "--dir", "etc/cloakroom"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .contains("check --online --config etc/cloakroom/config.toml"),
        "{}",
        ended.stdout
    );
    assert_eq!(
        world
            .run(&["check", "--config", "etc/cloakroom/config.toml"])
            .code,
        0
    );
    // A file where the folder should be.
    std::fs::write(world.path().join("file"), "").unwrap();
    let ended = world.run(&["init", "--dir", "file"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.reason().contains("cannot make the folder"),
        "{}",
        ended.reason()
    );
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn files(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found
}
