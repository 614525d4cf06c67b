//! TLS keeps records back while the socket takes none.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpSocket;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, server};

use super::*;

const ROOT: &[u8] = include_bytes!("../../../provider/tests/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../provider/tests/tls/leaf.pem");
const KEY: &[u8] = include_bytes!("../../../provider/tests/tls/leaf.key");

/// Both ends of a connection that holds little.
async fn narrow() -> (Box<TlsStream<TcpStream>>, server::TlsStream<TcpStream>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let accepts = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ROOT).unwrap()).unwrap();
    let connects = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpSocket::new_v4().unwrap();
    listener.set_recv_buffer_size(4096).unwrap();
    listener.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listener.listen(1).unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    let (tcp, accepted) = tokio::join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
    let acceptor = TlsAcceptor::from(Arc::new(accepts));
    let connector = TlsConnector::from(Arc::new(connects));
    let name = ServerName::try_from("op.localhost").unwrap();
    let (client, server) = tokio::join!(
        connector.connect(name, tcp.unwrap()),
        acceptor.accept(accepted.unwrap().0)
    );
    (Box::new(client.unwrap()), server.unwrap())
}

#[tokio::test]
async fn what_tls_holds_back_has_not_been_sent() {
    const LENGTH: usize = 256 * 1024;
    let (client, mut server) = narrow().await;
    let mut wire = Wire::Tls(client);
    let body = vec![b'x'; LENGTH];
    let mut outbox = Outbox::new(
        b"head\r\n\r\n".to_vec(),
        Framing::Length(LENGTH as u64),
        data(&[&body]),
    );
    // As an exchange does it, which also waits for the answer: what is sent is not looked at again.
    let sending = poll_fn(|cx| {
        if !outbox.is_sent() && outbox.poll_send(&mut wire, cx).map(Result::unwrap).is_pending() {
            return Poll::Pending;
        }
        let Wire::Tls(tls) = &wire else { unreachable!() };
        assert!(!tls.get_ref().1.wants_write(), "some of it is still here");
        Poll::Ready(())
    });
    let mut received = vec![0; LENGTH + 8];
    let ((), read) = tokio::join!(sending, server.read_exact(&mut received));
    read.unwrap();
    assert!(received.ends_with(&body));
}
