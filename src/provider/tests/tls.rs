//! The certificate behind the issuer's name (D-03): no flag skips it.
//!
//! `tls/` holds a root of our own, a certificate for `op.localhost` under it, the same one expired, and a root that has
//! nothing to do with them. The key protects nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use jsonwebtoken::Algorithm;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::world::{Fake, METADATA, Reply, config, limits, token_response};
use crate::clock::SystemClock;
use crate::provider::{Provider, ProviderError};
use crate::token::RefreshToken;

const ROOT: &[u8] = include_bytes!("tls/ca.pem");
const OTHER_ROOT: &[u8] = include_bytes!("tls/other.pem");
const SOUND: &[u8] = include_bytes!("tls/leaf.pem");
const EXPIRED: &[u8] = include_bytes!("tls/expired.pem");
const KEY: &[u8] = include_bytes!("tls/leaf.key");

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, peer) = self.listener.accept().await.unwrap();
            // A client that does not like the certificate hangs up: that is what is tested.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn asked(host: &str, certificate: &[u8], trusted: Option<&[u8]>) -> (Result<(), ProviderError>, usize) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("https://{host}:{}", listener.local_addr().unwrap().port());
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let fake = Fake::listening(Tls { listener, acceptor }, issuer, &[]);
    fake.answers("/token", &[Reply::json(&token_response())]);
    let mut config = config(&fake.issuer, Algorithm::ES256);
    config.ca_pem = trusted.map(<[u8]>::to_vec);
    let provider = Provider::with_limits(&config, Arc::new(SystemClock), limits()).unwrap();
    let result = provider.rotate(&RefreshToken::new("r")).await.map(drop);
    (result, fake.seen(METADATA).len())
}

#[tokio::test]
async fn the_configured_root_is_trusted_beside_the_systems() {
    let (result, requests) = asked("op.localhost", SOUND, Some(ROOT)).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(requests, 1);
    let both = [OTHER_ROOT, ROOT].concat();
    assert!(asked("op.localhost", SOUND, Some(&both)).await.0.is_ok());
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_refused_before_anything_is_sent() {
    for (host, certificate, trusted, said) in [
        ("op.localhost", SOUND, Some(OTHER_ROOT), "UnknownIssuer"),
        ("op.localhost", SOUND, None, ""),
        ("op.localhost", EXPIRED, Some(ROOT), "expired"),
        ("other.localhost", SOUND, Some(ROOT), "not valid for"),
        ("127.0.0.1", SOUND, Some(ROOT), "not valid for"),
    ] {
        let (result, requests) = asked(host, certificate, trusted).await;
        match result {
            Err(ProviderError::Unavailable(text)) => assert!(text.contains(said), "{host}: {text}"),
            other => panic!("{host}: {other:?}"),
        }
        assert_eq!(requests, 0, "{host}");
    }
}
