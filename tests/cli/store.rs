//! `[store]` from outside: a file that cannot be the store stops the start and says why, in the last line.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::serve::{SESSION, Service};
use crate::world::{CONFIG, World};

fn in_a_file() -> World {
    World::new(&format!("[store]\nfile = \"state.redb\"\n{CONFIG}"))
}

fn file(world: &World) -> PathBuf {
    world.path().join("state.redb")
}

fn refused(world: &World) -> String {
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    let reason = ended.reason();
    assert!(reason.contains("state.redb"), "{reason}");
    reason.to_owned()
}

fn stop(mut service: Service) {
    service.signal("TERM");
    assert_eq!(service.exit_code(), Some(0), "{}", service.seen());
}

#[test]
fn a_new_file_is_made_for_its_owner_alone_and_opened_again() {
    let world = in_a_file();
    for _ in 0..2 {
        stop(Service::start(&world));
        let mode = std::fs::metadata(file(&world)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_cannot_be_the_store_stops_the_start() {
    let world = in_a_file();
    stop(Service::start(&world));
    let set_mode = |mode| {
        std::fs::set_permissions(file(&world), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(0o644);
    assert!(refused(&world).contains("others may read or write it"));
    set_mode(0o600);
    // Other cookie keys: nothing of it can be opened, and it is not begun anew.
    let before = std::fs::read(file(&world)).unwrap();
    std::fs::remove_file(world.path().join("cookie.key")).unwrap();
    assert_eq!(world.run(&["keys", "generate", "--out", "cookie.key"]).code, 0);
    assert!(refused(&world).contains("cookie keys that are not in `keys.cookie`"));
    assert_eq!(std::fs::read(file(&world)).unwrap().len(), before.len());
    std::fs::write(file(&world), b"something else").unwrap();
    refused(&world);
    std::fs::write(file(&world), b"").unwrap();
    assert!(refused(&world).contains("it is empty"));
}

/// Who looks at the configuration takes nothing from who serves it.
#[test]
fn explain_and_check_leave_the_file_to_the_service() {
    let world = in_a_file();
    assert_eq!(world.run(&["check"]).code, 0);
    assert!(!file(&world).exists(), "check makes nothing");
    let service = Service::start(&world);
    assert_eq!(world.run(&["check"]).code, 0);
    let explained = world.run(&["explain", "GET", "/api"]);
    assert_eq!(explained.code, 0, "{}", explained.stderr);
    stop(service);
}

#[test]
fn another_store_needs_a_restart() {
    let world = in_a_file();
    let mut service = Service::start(&world);
    for store in ["file = \"other.redb\"", "kind = \"none\"", ""] {
        let text = format!("[store]\n{store}\n{CONFIG}");
        std::fs::write(world.path().join("config.toml"), text).unwrap();
        service.signal("HUP");
        let line = service.wait_for("\"reload_refused\"");
        assert!(
            line.contains("store.") && line.contains("only a restart"),
            "{line}"
        );
    }
    assert!(!world.path().join("other.redb").exists());
    stop(service);
}

/// Contract §9: what `--only` needs and what `check` says.
#[test]
fn processes_that_share_nothing_may_serve_one_half_each_and_are_warned() {
    let world = World::new(&format!("[store]\nkind = \"none\"\n{CONFIG}"));
    let checked = world.run(&["check"]);
    assert_eq!(checked.code, 0);
    assert!(checked.stderr.contains("CR-C043") || checked.stdout.contains("CR-C043"));
    for (half, agent, proxy) in [("agent", "200", "404"), ("proxy", "404", "401")] {
        let service = Service::of(world.command(&["serve", "--only", half]));
        let call = SESSION.replace("/oauth-agent/session", "/api");
        for (request, status) in [(SESSION, agent), (&call, proxy)] {
            let answer = service.ask(request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{half}: {answer}"
            );
        }
        stop(service);
    }
}
