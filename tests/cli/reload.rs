//! SIGHUP (contract §7, attack 202): the new configuration whole or the old one still, and nobody's request fails.
//!
//! What it means for people who are signed in is told in `tests/it/reload.rs`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::serve::{SESSION, Service};
use crate::world::{CONFIG, SECRET, World};

const MORE: &str = "[[app.route]]\npath = \"/more\"\nupstream = \"http://127.0.0.1:1\"\ntimeout = \"7s\"\n";

fn write(world: &World, config: &str) {
    std::fs::write(world.path().join("config.toml"), config).unwrap();
}

/// The answer to a call of `path` on an open connection: its status line and code.
fn call(stream: &mut BufReader<TcpStream>, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:8080\r\ntoken-handler-version: 1\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
    let (mut code, mut length) = (String::new(), 0);
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some(("token-handler-error", value)) => value.clone_into(&mut code),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    (status, code)
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(address).unwrap())
}

fn events(service: &Service, name: &str) -> Vec<Value> {
    let lines = service.seen().lines();
    lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["event"] == name)
        .collect()
}

/// An open connection sees the new route at its next request.
#[test]
fn a_good_file_is_effective_at_the_next_request_of_an_open_connection() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    let mut connection = connect(service.address());
    assert_eq!(call(&mut connection, "/more").0, 404);
    write(&world, &format!("{CONFIG}{MORE}"));
    service.signal("HUP");
    service.wait_for("\"reloaded\"");
    assert_eq!(
        call(&mut connection, "/more"),
        (401, "session_missing".to_owned())
    );
    let changes = events(&service, "reload_change");
    assert_eq!(changes.len(), 1, "{}", service.seen());
    assert_eq!(changes[0]["key"], "app.shop.route.\"/more\"");
    assert_eq!(changes[0]["change"], "added");
    assert_eq!(events(&service, "reloaded")[0]["changes"], 1);

    // And once more, a value: named by its path, with both sides.
    write(&world, &format!("{CONFIG}{MORE}").replace("7s", "9s"));
    service.signal("HUP");
    let line = service.wait_for("\"reload_change\"");
    assert!(line.contains("7s -> 9s"), "{line}");
    service.wait_for("\"reloaded\"");
    service.signal("TERM");
    assert_eq!(service.exit_code(), Some(0));
}

#[test]
fn a_file_that_did_not_change_is_reloaded_all_the_same() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    service.signal("HUP");
    let line = service.wait_for("\"reloaded\"");
    assert!(line.contains("\"changes\":0"), "{line}");
    assert!(service.ask(SESSION).starts_with("HTTP/1.1 200 "));
}

/// All of it, and what `check` says of it: code, place, message, cause and fix.
#[test]
fn a_broken_file_changes_nothing_and_every_problem_is_logged() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    let broken = format!(
        "{}{MORE}idle = true\n",
        CONFIG.replace("id = \"shop\"", "id = \"Shop 1\"")
    );
    write(&world, &broken);
    let checked = world.run(&["check"]);
    assert_eq!(checked.code, 78);
    service.signal("HUP");
    let refused = service.wait_for("\"reload_refused\"");
    assert!(
        refused.contains(checked.reason().trim_start_matches("error: ")),
        "{refused}\n{}",
        checked.reason()
    );
    let problems = events(&service, "reload_problem");
    assert_eq!(problems.len(), 2, "{}", service.seen());
    for problem in &problems {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{}:{}", text("file"), problem["line"], problem["column"]);
        for said in [text("code"), place, text("message"), text("fix")] {
            assert!(
                !said.is_empty() && checked.stderr.contains(&said),
                "`{said}`\n{}",
                checked.stderr
            );
        }
    }
    let mut connection = connect(service.address());
    assert_eq!(call(&mut connection, "/more").0, 404);
    assert_eq!(call(&mut connection, "/oauth-agent/session").0, 200);

    // Repaired, it is taken.
    write(&world, &format!("{CONFIG}{MORE}"));
    service.signal("HUP");
    service.wait_for("\"reloaded\"");
    assert_eq!(call(&mut connection, "/more").0, 401);
    assert!(!service.seen().contains(SECRET));
}

/// What the process cannot change takes everything with it that came along.
#[test]
fn what_needs_a_restart_is_refused_whole() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    write(
        &world,
        &format!("{}{MORE}", CONFIG.replace("127.0.0.1:0", "127.0.0.1:1")),
    );
    service.signal("HUP");
    let refused = service.wait_for("\"reload_refused\"");
    assert!(
        refused.contains("server.listen: 127.0.0.1:0 -> 127.0.0.1:1: only a restart can change that"),
        "{refused}"
    );
    let mut connection = connect(service.address());
    assert_eq!(call(&mut connection, "/more").0, 404);
}

/// The admin listener neither moves, nor comes, nor goes.
#[test]
fn the_admin_listener_is_changed_by_a_restart_only() {
    let admin = |port: u16| format!("{CONFIG}[admin]\nlisten = \"127.0.0.1:{port}\"\n");
    for (from, to, said) in [
        (admin(0), admin(1), "admin.listen: 127.0.0.1:0 -> 127.0.0.1:1"),
        (CONFIG.to_owned(), admin(0), "admin.listen: unset -> 127.0.0.1:0"),
        (admin(0), CONFIG.to_owned(), "admin.listen: 127.0.0.1:0 -> unset"),
    ] {
        let world = World::new(&from);
        let mut service = Service::start(&world);
        write(&world, &to);
        service.signal("HUP");
        let refused = service.wait_for("\"reload_refused\"");
        assert!(refused.contains(said), "{refused}");
    }
}

/// What checks out and still cannot be built.
#[test]
fn what_cannot_be_built_is_refused_whole() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    let nonsense = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
    std::fs::write(world.path().join("ca.pem"), nonsense).unwrap();
    write(
        &world,
        &format!(
            "{}{MORE}",
            CONFIG.replace(
                "client_id = \"shop\"",
                "client_id = \"shop\"\nca_file = \"ca.pem\""
            )
        ),
    );
    service.signal("HUP");
    service.wait_for("\"reload_refused\"");
    let mut connection = connect(service.address());
    assert_eq!(call(&mut connection, "/more").0, 404);
}

/// A key file with new content and the same name is a change, and says nothing of what it is.
#[test]
fn a_secret_that_changed_is_named_and_not_shown() {
    let world = World::new(CONFIG);
    let mut service = Service::start(&world);
    let key = std::fs::read_to_string(world.path().join("cookie.key")).unwrap();
    std::fs::remove_file(world.path().join("cookie.key")).unwrap();
    assert_eq!(world.run(&["keys", "generate", "--out", "cookie.key"]).code, 0);
    let new = std::fs::read_to_string(world.path().join("cookie.key")).unwrap();
    service.signal("HUP");
    let line = service.wait_for("\"reload_change\"");
    assert!(line.contains("keys.cookie"), "{line}");
    service.wait_for("\"reloaded\"");
    for secret in [key.trim(), new.trim()] {
        assert!(!service.seen().contains(secret));
    }
}

/// Several connections call without a pause while the configuration is swapped under them, good files and bad ones.
#[test]
fn no_request_fails_while_the_configuration_is_swapped() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", upstream.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in upstream.incoming() {
            let stream = BufReader::new(stream.unwrap());
            std::thread::spawn(move || answer_all(stream));
        }
    });
    let config = CONFIG.replace(
        "\"http://127.0.0.1:1\"",
        &format!("\"{url}\"\nsession = \"none\""),
    );
    let world = World::new(&config);
    let mut service = Service::start(&world);
    let address = service.address();
    let done = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let done = Arc::clone(&done);
            std::thread::spawn(move || {
                let mut connection = connect(address);
                let mut calls = 0;
                // Bounded, and at least a few behind the last swap.
                while calls < 20 || (!done.load(Ordering::SeqCst) && calls < 100_000) {
                    assert_eq!(call(&mut connection, "/api/x"), (200, String::new()));
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for round in 0..8 {
        let timeout = format!("timeout = \"{}s\"\n", 10 + round);
        let (text, event) = if round % 4 == 3 {
            (format!("{config}timeoutt = 1\n"), "\"reload_refused\"")
        } else {
            (format!("{config}{timeout}"), "\"reloaded\"")
        };
        write(&world, &text);
        service.signal("HUP");
        service.wait_for(event);
    }
    done.store(true, Ordering::SeqCst);
    let calls: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
    assert!(calls >= 60, "{calls}");
    assert_eq!(events(&service, "reloaded").len(), 6);
    assert_eq!(events(&service, "refused").len(), 0, "{}", service.seen());
    service.signal("TERM");
    assert_eq!(service.exit_code(), Some(0), "{}", service.seen());
}

/// An API that answers every request on its connection.
fn answer_all(mut stream: BufReader<TcpStream>) {
    let mut line = String::new();
    loop {
        line.clear();
        match stream.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line == "\r\n" => {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                if stream.get_mut().write_all(answer).is_err() {
                    return;
                }
            }
            Ok(_) => {}
        }
    }
}
