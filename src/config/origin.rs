//! A web origin (RFC 6454): scheme, host, port, nothing else.

use std::fmt;

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Only on loopback names.
    Http,
    /// Everywhere.
    Https,
}

/// A web origin in the form browsers send it: lower case, no default port, no trailing slash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    text: Box<str>,
    scheme: Scheme,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// Reads an origin; `None` for anything with a path, query, fragment or userinfo, for other schemes, and for
    /// texts that are not written as browsers would send them in `Origin`.
    pub fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let serialized = url.origin().ascii_serialization();
        if text.strip_suffix('/').unwrap_or(text) != serialized {
            return None;
        }
        let host: Box<str> = url.host_str()?.into();
        // URLs allow more in a name than hosts do: `*` above all, which would look like a pattern and never match.
        if !host.bytes().all(is_of_hosts) {
            return None;
        }
        Some(Self {
            text: serialized.into(),
            scheme,
            host,
            port: url.port_or_known_default()?,
        })
    }

    /// As browsers send it: `https://shop.example.com`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, lower case; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's default where none was written.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as `Host` carries them: no default port.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the host is a loopback name: `localhost`, `*.localhost`, `127.0.0.0/8`, `::1`.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Letters, digits and what stands between labels, in IPv6 addresses and, against the rules, in names that exist.
const fn is_of_hosts(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

/// Whether `host` (as a URL carries it, IPv6 in brackets) is a loopback name; only there may `http` be used.
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost")
        || host.len() > 10 && host.to_ascii_lowercase().ends_with(".localhost")
        || host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
