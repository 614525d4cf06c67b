//! TLS towards an upstream (P-19): full certificate check by the platform's roots, 502 for everything else.
//!
//! A process of its own, because the platform's roots are those of a process: here `SSL_CERT_FILE` names them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::serve::Service;
use crate::world::{CONFIG, World};

const ROOT: &[u8] = include_bytes!("../../src/provider/tests/tls/ca.pem");
const OTHER_ROOT: &[u8] = include_bytes!("../../src/provider/tests/tls/other.pem");
const SOUND: &[u8] = include_bytes!("../../src/provider/tests/tls/leaf.pem");
const EXPIRED: &[u8] = include_bytes!("../../src/provider/tests/tls/expired.pem");
const KEY: &[u8] = include_bytes!("../../src/provider/tests/tls/leaf.key");

/// An API behind `certificate`; its port, and how many requests it has read.
fn upstream(certificate: &[u8]) -> (u16, Arc<AtomicUsize>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let (config, requests) = (Arc::new(config), Arc::new(AtomicUsize::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let counted = Arc::clone(&requests);
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = BufReader::new(StreamOwned::new(connection, tcp.unwrap()));
            let mut line = String::new();
            // A client that does not like the certificate hangs up.
            if tls.read_line(&mut line).is_err() || line.is_empty() {
                continue;
            }
            counted.fetch_add(1, Ordering::SeqCst);
            while tls.read_line(&mut line).unwrap() > 2 {}
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            tls.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (port, requests)
}

/// The answer of a service that trusts `root`, to a call for an API at `host` behind `certificate`; and how many requests
/// that API has read.
fn asked(host: &str, certificate: &[u8], root: &[u8]) -> (String, usize) {
    let (port, requests) = upstream(certificate);
    let world = World::new(&format!(
        "{CONFIG}[[app.route]]\npath = \"/public\"\nupstream = \"https://{host}:{port}\"\nsession = \"none\"\n\
         token = \"none\"\n"
    ));
    std::fs::write(world.path().join("roots.pem"), root).unwrap();
    let mut command = world.command(&["serve"]);
    command.env("SSL_CERT_FILE", world.path().join("roots.pem"));
    let mut service = Service::of(command);
    let answer = service.ask("GET /public HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n");
    if !answer.starts_with("HTTP/1.1 200") {
        let line = service.wait_for("upstream_unavailable");
        assert!(
            line.contains(&format!(
                "https://{host}:{port}: cannot connect: invalid peer certificate"
            )),
            "{line}"
        );
    }
    (answer, requests.load(Ordering::SeqCst))
}

#[test]
fn an_upstream_whose_certificate_holds_is_asked() {
    let (answer, requests) = asked("op.localhost", SOUND, ROOT);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
        "{answer}"
    );
    assert_eq!(requests, 1);
}

#[test]
fn an_upstream_whose_certificate_does_not_hold_is_a_502_and_learns_nothing() {
    for (what, host, certificate, root) in [
        ("an unknown root", "op.localhost", SOUND, OTHER_ROOT),
        ("another name", "other.localhost", SOUND, ROOT),
        ("an address instead of the name", "127.0.0.1", SOUND, ROOT),
        ("an expired certificate", "op.localhost", EXPIRED, ROOT),
    ] {
        let (answer, requests) = asked(host, certificate, root);
        assert!(answer.starts_with("HTTP/1.1 502"), "{what}: {answer}");
        assert!(answer.contains("upstream_unavailable"), "{what}: {answer}");
        assert!(
            !answer.contains(host) && !answer.contains("certificate"),
            "{what}: {answer}"
        );
        assert_eq!(requests, 0, "{what}");
    }
}
