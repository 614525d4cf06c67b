//! `keys generate`: a key that loads, a file that only its owner reads, nothing overwritten.

use crate::world::{CONFIG, World};

#[test]
fn a_key_goes_to_stdout() {
    let world = World::new(CONFIG);
    let one = world.run(&["keys", "generate"]);
    let other = world.run(&["keys", "generate"]);
    assert_eq!((one.code, one.stderr.as_str()), (0, ""));
    assert_eq!(one.stdout.len(), 45, "32 bytes of base64 and a line break");
    assert_ne!(one.stdout, other.stdout);
    // What was printed is a key of the configuration.
    let output = world
        .command(&["check"])
        .env("CLOAKROOM__KEYS__COOKIE", "[\"env:KEY\"]")
        .env("KEY", one.stdout.trim_end())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// M-05: mode 0600 from its first moment, also under a wide umask; nothing secret on the terminal.
#[cfg(unix)]
#[test]
fn a_key_goes_to_a_new_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = World::new(CONFIG);
    let ended = world.run(&["keys", "generate", "--out", "new.key"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""));
    let path = world.path().join("new.key");
    let key = std::fs::read_to_string(&path).unwrap();
    assert_eq!(key.len(), 45);
    assert!(!ended.stderr.contains(key.trim_end()));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

/// Whoever overwrites a key ends every session.
#[test]
fn nothing_is_overwritten() {
    let world = World::new(CONFIG);
    let path = world.path().join("cookie.key");
    let before = std::fs::read(&path).unwrap();
    let ended = world.run(&["keys", "generate", "--out", "cookie.key"]);
    assert_eq!(ended.code, 1);
    assert_eq!(
        ended.reason(),
        "error: `cookie.key` exists already; nothing was written"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let ended = world.run(&["keys", "generate", "--out", "no/such/folder.key"]);
    assert_eq!(ended.code, 1);
    assert!(ended.reason().contains("does not exist"), "{}", ended.reason());
}

/// `create_new` follows no link: what it points at stays.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let world = World::new(CONFIG);
    std::os::unix::fs::symlink(world.path().join("target"), world.path().join("link.key")).unwrap();
    assert_eq!(world.run(&["keys", "generate", "--out", "link.key"]).code, 1);
    assert!(!world.path().join("target").exists());
}
