//! `serve`: says where it listens, answers, drains, ends; says why when it cannot.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command};

use crate::world::{CONFIG, SECRET, World};

/// A running service; killed when dropped.
pub(crate) struct Service {
    child: Child,
    log: BufReader<ChildStderr>,
    seen: String,
    address: SocketAddr,
}

impl Service {
    pub(crate) fn start(world: &World) -> Self {
        Self::of(world.command(&["serve"]))
    }

    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut service = Self {
            child,
            log,
            seen: String::new(),
            address: "127.0.0.1:0".parse().unwrap(),
        };
        let line = service.wait_for("\"listening\"");
        let (_, rest) = line.split_once("\"address\":\"").unwrap();
        service.address = rest.split('"').next().unwrap().parse().unwrap();
        service
    }

    /// Reads the log until a line holds `words`.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).unwrap();
            assert!(read > 0, "the log ended before {words}:\n{}", self.seen);
            self.seen.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The memory that the process holds now.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1024
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Everything that was logged so far and has been read.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        self.log.read_to_string(&mut self.seen).unwrap();
        status.code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const SESSION: &str = "GET /oauth-agent/session HTTP/1.1\r\nHost: localhost:8080\r\n\
                       token-handler-version: 1\r\nConnection: close\r\n\r\n";

#[test]
fn it_answers_once_it_says_so_and_ends_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut service = Service::start(&World::new(CONFIG));
        let answer = service.ask(SESSION);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\"is_logged_in\":false"), "{answer}");
        service.signal(signal);
        assert_eq!(service.exit_code(), Some(0), "{}", service.seen);
        assert!(TcpStream::connect(service.address).is_err());
        // A log for machines: every line is one JSON object, none holds the secret.
        for line in service.seen.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()),
                "{line}"
            );
        }
        assert!(!service.seen.contains(SECRET));
    }
}

/// A request in flight holds up the drain; a second signal does not wait for it.
#[test]
fn a_second_signal_ends_at_once() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = CONFIG.replace(
        "\"http://127.0.0.1:1\"",
        &format!(
            "\"http://{}\"\nsession = \"none\"",
            upstream.local_addr().unwrap()
        ),
    );
    let mut service = Service::start(&World::new(&config));
    let mut client = TcpStream::connect(service.address).unwrap();
    client
        .write_all(b"GET /api HTTP/1.1\r\nHost: localhost:8080\r\n\r\n")
        .unwrap();
    // The upstream has the request and never answers.
    let (mut held, _) = upstream.accept().unwrap();
    held.read_exact(&mut [0; 16]).unwrap();
    service.signal("TERM");
    service.wait_for("draining");
    assert_eq!(service.child.try_wait().unwrap(), None);
    service.signal("TERM");
    assert_eq!(service.exit_code(), Some(1), "{}", service.seen);
}

/// Which upstream it was is in the log, with its base path and nothing of the request; the client is not told.
#[test]
fn an_upstream_that_is_down_is_named_in_the_log() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = CONFIG.replace(
        "\"http://127.0.0.1:1\"",
        &format!("\"http://{gone}/base\"\nsession = \"none\""),
    );
    let mut service = Service::start(&World::new(&config));
    let answer =
        service.ask("GET /api/x?canary=1 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert!(!answer.contains("127.0.0.1"), "{answer}");
    let line = service.wait_for("upstream_unavailable");
    assert!(
        line.contains(&format!("\"reason\":\"http://{gone}/base: cannot connect: ")),
        "{line}"
    );
    assert!(!service.seen().contains("canary"), "{line}");
}

#[test]
fn a_busy_port_is_unavailable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let world = World::new(&CONFIG.replace("127.0.0.1:0", &address.to_string()));
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 69);
    assert_eq!(
        ended.reason(),
        format!("error: cannot listen on {address}: it is in use")
    );
    assert!(!ended.stderr.contains("\"listening\""), "{}", ended.stderr);
}

/// Nobody is served until both listeners have their ports.
#[test]
fn a_busy_admin_port_is_unavailable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let world = World::new(&format!("{CONFIG}[admin]\nlisten = \"{address}\"\n"));
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 69);
    assert_eq!(
        ended.reason(),
        format!("error: cannot listen on {address}: it is in use")
    );
    assert!(!ended.stderr.contains("\"listening\""), "{}", ended.stderr);
}

/// What checks out and still cannot be served is bad configuration too.
#[test]
fn a_ca_file_that_is_no_certificate_stops_the_start() {
    let world = World::new(&CONFIG.replace(
        "client_id = \"shop\"",
        "client_id = \"shop\"\nca_file = \"ca.pem\"",
    ));
    std::fs::write(
        world.path().join("ca.pem"),
        "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let ended = world.run(&["serve"]);
    assert_eq!(ended.code, 78, "{}", ended.stderr);
}

#[test]
fn a_log_filter_that_does_not_read_is_bad_configuration() {
    let world = World::new(CONFIG);
    let output = world
        .command(&["serve"])
        .env("CLOAKROOM_LOG", "info,,=x")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.lines().last().unwrap().contains("CLOAKROOM_LOG"),
        "{stderr}"
    );
}
