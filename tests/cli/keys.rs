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

const OLD: &str = "\"file:cookie.key\"";
const NEW: &str = "\"file:new.key\"";

/// The world with this ring; `age`: how many hours ago each file was written, in the order of the ring.
fn rotating(ring: &[(&str, u64)]) -> World {
    let world = World::new(CONFIG);
    for (reference, hours) in ring {
        let file = reference.trim_matches('"').trim_start_matches("file:");
        let path = world.path().join(file);
        if !path.exists() {
            assert_eq!(world.run(&["keys", "generate", "--out", file]).code, 0);
        }
        let written =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000 - hours * 3600);
        std::fs::File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .set_modified(written)
            .unwrap();
    }
    let references: Vec<&str> = ring.iter().map(|(reference, _)| *reference).collect();
    write_ring(&world, &references.join(", "));
    world
}

fn write_ring(world: &World, ring: &str) {
    let config = CONFIG.replace(OLD, ring);
    std::fs::write(world.path().join("config.toml"), config).unwrap();
}

/// From the first step to the last, each time what the configuration says next; it is never edited.
#[test]
fn a_rotation_is_told_step_by_step() {
    let world = rotating(&[(OLD, 500)]);
    let config = || std::fs::read_to_string(world.path().join("config.toml")).unwrap();
    let before = config();
    let told = world.run(&["keys", "rotate"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    assert!(
        told.stdout.contains("Step 1 of 3") && told.stdout.contains("keys rotate --out FILE"),
        "{}",
        told.stdout
    );

    let told = world.run(&["keys", "rotate", "--out", "new.key"]);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    assert!(
        told.stdout.contains(&format!("cookie = [{OLD}, {NEW}]")),
        "{}",
        told.stdout
    );
    let key = std::fs::read_to_string(world.path().join("new.key")).unwrap();
    assert_eq!(key.len(), 45);
    assert!(!told.stdout.contains(key.trim_end()), "no key is shown");
    assert_eq!(config(), before);

    let world = rotating(&[(OLD, 500), (NEW, 1)]);
    let told = world.run(&["keys", "rotate"]);
    assert!(
        told.stdout.contains("Step 2 of 3") && !told.stdout.contains("Step 3"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains(&format!("cookie = [{NEW}, {OLD}]")),
        "{}",
        told.stdout
    );
    // No second key on top.
    let refused = world.run(&["keys", "rotate", "--out", "third.key"]);
    assert_eq!(refused.code, 1);
    assert!(refused.reason().contains("under way"), "{}", refused.reason());
    assert!(!world.path().join("third.key").exists());

    let world = rotating(&[(NEW, 1), (OLD, 500)]);
    let told = world.run(&["keys", "rotate"]);
    assert!(
        told.stdout.contains("Step 3 of 3") && !told.stdout.contains("Step 2"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains(&format!("cookie = [{NEW}]")),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("12 h after"), "{}", told.stdout);
    assert!(
        !told.stdout.contains("which is over"),
        "it was written just now: {}",
        told.stdout
    );
    // Every way is one that `check` takes.
    for ring in [format!("{OLD}, {NEW}"), format!("{NEW}, {OLD}"), NEW.to_owned()] {
        write_ring(&world, &ring);
        assert_eq!(world.run(&["check"]).code, 0);
    }
}

/// What is no file has no age, and copies made together have the same: both steps are told, nothing is guessed.
#[test]
fn where_no_key_is_the_newest_both_steps_are_told() {
    for world in [rotating(&[(OLD, 1), (NEW, 1)]), {
        let world = rotating(&[(OLD, 1)]);
        write_ring(&world, "\"file:cookie.key\", \"env:NEW_KEY\"");
        world
    }] {
        let key = world.run(&["keys", "generate"]).stdout;
        let told = world
            .command(&["keys", "rotate"])
            .env("NEW_KEY", key.trim_end())
            .output()
            .unwrap();
        let said = String::from_utf8(told.stdout).unwrap();
        assert!(said.contains("cannot be told from here"), "{said}");
        assert!(
            said.contains("Step 2 of 3") && said.contains("Step 3 of 3"),
            "{said}"
        );
    }
}

/// From elsewhere: the reference is written as the configuration has to write it.
#[test]
fn a_new_key_is_named_from_the_folder_of_the_configuration() {
    let world = rotating(&[(OLD, 1)]);
    let config = world.path().join("config.toml");
    let out = world.path().join("new.key");
    let told = world
        .command(&[
            "keys",
            "rotate",
            "--config",
            config.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    let said = String::from_utf8(told.stdout).unwrap();
    assert!(
        said.contains("cookie = [\"file:cookie.key\", \"file:new.key\"]"),
        "{said}"
    );
}
