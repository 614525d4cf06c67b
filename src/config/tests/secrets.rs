//! References to secrets: where they lead, what is refused on the way (M-05, attack 203).

use secrecy::ExposeSecret as _;

use super::{World, changed, mode};

fn client_secret(world: &World, reference: &str) -> Result<String, String> {
    world
        .parse(&changed("file:client-secret", reference))
        .map(|config| config.apps[0].provider.client_secret.expose_secret().to_owned())
        .map_err(|problems| {
            let codes: Vec<_> = problems.iter().map(|problem| problem.code().as_str()).collect();
            codes.join(" ")
        })
}

/// Exactly one line break goes, of either kind; spaces stay, they may belong to it.
#[test]
fn a_file_loses_one_line_break() {
    let world = World::new();
    for (content, secret) in [
        ("zq-secret", Ok("zq-secret")),
        ("zq-secret\n", Ok("zq-secret")),
        ("zq-secret\r\n", Ok("zq-secret")),
        (" zq-secret \n", Ok(" zq-secret ")),
        ("zq-secret\n\n", Err("CR-C018")),
        ("zq-secret\n\r\n", Err("CR-C018")),
        ("zq\nsecret", Err("CR-C018")),
        ("\u{feff}zq-secret\n", Err("CR-C018")),
        ("zq\0secret", Err("CR-C018")),
        ("\n", Err("CR-C018")),
        ("", Err("CR-C018")),
    ] {
        world.file("secret", content);
        assert_eq!(
            client_secret(&world, "file:secret"),
            secret.map(str::to_owned).map_err(str::to_owned),
            "{content:?}"
        );
    }
}

#[test]
fn a_variable_loses_nothing() {
    let world = World::new()
        .with("A", "zq-secret")
        .with("B", "zq-secret\n")
        .with("EMPTY", "");
    assert_eq!(client_secret(&world, "env:A").unwrap(), "zq-secret");
    assert_eq!(client_secret(&world, "env:B").unwrap_err(), "CR-C018");
    assert_eq!(client_secret(&world, "env:EMPTY").unwrap_err(), "CR-C018");
    assert_eq!(client_secret(&world, "env:NOT_THERE").unwrap_err(), "CR-C013");
}

/// Mode wider than 0640 is an error: whoever else is on the machine could read the secret or put another there.
#[test]
fn a_file_that_others_may_read_is_refused() {
    let world = World::new();
    world.file("secret", "zq-secret");
    for (bits, right) in [
        (0o400, true),
        (0o600, true),
        (0o440, true),
        (0o640, true),
        (0o644, false),
        (0o604, false),
        (0o660, false),
        (0o641, false),
        (0o700, false),
        (0o777, false),
    ] {
        mode(&world.path().join("secret"), bits);
        let expected = if right {
            Ok("zq-secret".to_owned())
        } else {
            Err("CR-C017".to_owned())
        };
        assert_eq!(client_secret(&world, "file:secret"), expected, "{bits:o}");
    }
}

#[test]
fn only_files_are_read() {
    let world = World::new();
    std::fs::create_dir(world.path().join("folder")).unwrap();
    assert_eq!(client_secret(&world, "file:folder").unwrap_err(), "CR-C013");
    world.file("large", vec![b'x'; 65 * 1024]);
    assert_eq!(client_secret(&world, "file:large").unwrap_err(), "CR-C013");
    world.file("raw", [0xff, 0xfe, 0x00]);
    assert_eq!(client_secret(&world, "file:raw").unwrap_err(), "CR-C013");
}

#[test]
fn systemd_credentials_are_read_from_their_folder() {
    let world = World::new();
    world.file("shop.secret", "zq-secret");
    assert_eq!(
        client_secret(&world, "systemd:shop.secret").unwrap_err(),
        "CR-C013"
    );
    let folder = world.path().to_str().unwrap().to_owned();
    let world = world.with("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(client_secret(&world, "systemd:shop.secret").unwrap(), "zq-secret");
    // A name is a name: it leads nowhere else.
    assert_eq!(
        client_secret(&world, "systemd:../shop.secret").unwrap_err(),
        "CR-C012"
    );
}

#[test]
fn what_is_no_reference_is_a_literal() {
    let world = World::new();
    for text in [
        "zq-secret",
        "",
        "env:",
        "env:1A",
        "env:A B",
        "file:",
        "vault:x",
        "ENV:A",
        "systemd:",
    ] {
        assert_eq!(client_secret(&world, text).unwrap_err(), "CR-C012", "{text}");
    }
}
