//! Towards an upstream: name → address → TCP → TLS.
//!
//! Names under `localhost` are resolved here, to loopback (RFC 6761 §6.3): no resolver is asked, none can say otherwise.
//! TLS is 1.2 or newer, with the platform's roots and the full certificate check (P-19); there is no way to turn it off.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::{Transport, Upstream, is_loopback_host};

/// Opens connections to upstreams.
#[derive(Clone, Default)]
pub(crate) struct Connector {
    tls: Option<TlsConnector>,
}

impl Connector {
    /// A connector that can also speak TLS where `with_tls`.
    ///
    /// # Errors
    /// When the platform offers no certificate roots.
    pub(crate) fn new(with_tls: bool) -> Result<Self, rustls::Error> {
        if !with_tls {
            return Ok(Self::default());
        }
        // Whoever built the process may have chosen a provider already; then that one counts.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut config = rustls::ClientConfig::with_platform_verifier()?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Some(TlsConnector::from(Arc::new(config))),
        })
    }

    /// Whether `upstream` takes a connection as the proxy would open it, within a time; nothing is sent. Else why not.
    pub(crate) async fn reaches(&self, upstream: &Upstream, within: Duration) -> Result<(), String> {
        match tokio::time::timeout(within, self.connect(upstream)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("cannot connect: {error}")),
            Err(_) => Err(format!("no connection within {} ms", within.as_millis())),
        }
    }

    /// Connects; the caller bounds the time.
    pub(super) async fn connect(&self, upstream: &Upstream) -> io::Result<Wire> {
        let tcp = connect_tcp(upstream).await?;
        tcp.set_nodelay(true)?;
        match upstream.transport() {
            Transport::Tcp => Ok(Wire::Tcp(tcp)),
            Transport::Tls => {
                let tls = self
                    .tls
                    .as_ref()
                    .ok_or_else(|| io::Error::other("TLS is not set up"))?;
                let name = ServerName::try_from(unbracketed(upstream.host()).to_owned())
                    .map_err(io::Error::other)?;
                Ok(Wire::Tls(Box::new(tls.connect(name, tcp).await?)))
            }
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// A connected stream.
pub(super) enum Wire {
    /// In the clear.
    Tcp(TcpStream),
    /// Through TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

async fn connect_tcp(upstream: &Upstream) -> io::Result<TcpStream> {
    let port = upstream.port();
    let host = unbracketed(upstream.host());
    if let Ok(address) = host.parse::<IpAddr>() {
        return TcpStream::connect((address, port)).await;
    }
    if is_loopback_host(host) {
        let loopback: [SocketAddr; 2] = [
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ];
        return TcpStream::connect(&loopback[..]).await;
    }
    TcpStream::connect((host, port)).await
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}
