//! Nothing that a stranger sends is kept: memory stays as it was over many bad requests, each unlike the others.
//!
//! A process of its own, whose memory the kernel tells.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::serve::Service;
use crate::world::{CONFIG, World};

/// Requests that differ in everything a careless table might be keyed by.
fn round(service: &Service, round: usize) {
    let mut connection = TcpStream::connect(service.address()).unwrap();
    for number in 0..EACH {
        let unique = format!("{round}x{number}");
        let ours = "Host: localhost:8080\r\ntoken-handler-version: 1\r\n";
        for request in [
            format!(
                "GET /api/{unique} HTTP/1.1\r\n{ours}Cookie: __Host-Http-shop-at={unique}; {unique}=1\r\n\r\n"
            ),
            format!(
                "GET /oauth-agent/session HTTP/1.1\r\n{ours}Cookie: __Host-Http-shop-rt={unique}\r\n\r\n"
            ),
            format!("GET /oauth-agent/callback?state={unique}&code={unique} HTTP/1.1\r\n{ours}\r\n"),
            format!("GET /oauth-agent/login?{unique}={unique} HTTP/1.1\r\n{ours}\r\n"),
            format!("POST /oauth-agent/logout HTTP/1.1\r\n{ours}Content-Length: 0\r\n\r\n"),
            format!("GET /{unique} HTTP/1.1\r\nHost: {unique}.test\r\n\r\n"),
            format!("GET /api HTTP/1.1\r\n{ours}Origin: https://{unique}.test\r\n\r\n"),
            format!(
                "OPTIONS /api HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: https://{unique}.test\r\n\
                 Access-Control-Request-Method: GET\r\n\r\n"
            ),
            format!("X{unique} /api HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"),
        ] {
            connection.write_all(request.as_bytes()).unwrap();
            let status = read_answer(&mut connection);
            assert!((200..500).contains(&status), "{status} for {request}");
        }
    }
}

/// Reads one answer with a known length, and says its status.
fn read_answer(connection: &mut TcpStream) -> u16 {
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = connection.read(&mut piece).unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(piece.get(..read).unwrap());
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return head.split(' ').nth(1).unwrap().parse().unwrap();
        }
    }
}

#[test]
fn many_bad_requests_leave_nothing_behind() {
    let world = World::new(CONFIG);
    let mut command = world.command(&["serve"]);
    command.env("CLOAKROOM_LOG", "cloakroom::cli=info,off");
    let service = Service::of(command);
    for number in 0..WARM {
        round(&service, number);
    }
    let before = service.resident_bytes();
    for number in 0..ROUNDS {
        round(&service, WARM + number);
    }
    let grown = service.resident_bytes().saturating_sub(before);
    assert!(
        grown < (ROUNDS * EACH) as u64 * 9 * BYTES,
        "{grown} bytes more after {} bad requests",
        ROUNDS * EACH * 9
    );
}

/// Requests of each kind on one connection.
const EACH: usize = 20;
const WARM: usize = 10;
const ROUNDS: usize = 40;
/// Per request, where even a key and a timestamp take more; the allocator moves by more than that on its own.
const BYTES: u64 = 64;
