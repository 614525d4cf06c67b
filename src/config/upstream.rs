//! One type for "upstream": where a route's requests go. HTTP/1.1 over TCP or TLS today; other transports fill
//! the same type.

use std::fmt;

use http::HeaderValue;
use url::Url;

/// How bytes reach the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Plain TCP: on loopback, or where `insecure_http` says so.
    Tcp,
    /// TLS with full certificate check.
    Tls,
}

/// One upstream of a route.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    transport: Transport,
    host: Box<str>,
    port: u16,
    authority: HeaderValue,
    base_path: Box<str>,
}

impl Upstream {
    /// From an `http` or `https` URL; its path is put before what is forwarded. `None` where there is userinfo, a
    /// query, a fragment, no host or another scheme.
    pub fn from_url(url: &Url) -> Option<Self> {
        let transport = match url.scheme() {
            "http" => Transport::Tcp,
            "https" => Transport::Tls,
            _ => return None,
        };
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return None;
        }
        let host = url.host_str()?;
        let port = url.port_or_known_default()?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Some(Self {
            transport,
            host: host.into(),
            port,
            authority: HeaderValue::from_str(&authority).ok()?,
            base_path: url.path().trim_end_matches('/').into(),
        })
    }

    /// How bytes reach it.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// Host name or address; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What `Host` says to it.
    pub const fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Path put before what is forwarded: empty, or with a leading and without a trailing slash.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As it is configured, the port written out: `http://127.0.0.1:9001/base`. There is no user name and no query in it.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.transport {
            Transport::Tcp => "http",
            Transport::Tls => "https",
        };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.base_path)
    }
}
