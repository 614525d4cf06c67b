//! Which request headers an upstream may see (contract §5 step 10).
//!
//! 1. Hop-by-hop fields go (RFC 9110 §7.6.1), and every field that `Connection` names. That happens before ours are set:
//!    nothing can name them away (P-06, attack 19).
//! 2. On every route, public ones too, fields go by which proxies tell APIs who the caller is, and aliases of them: servers
//!    that turn headers into variables read `X_Forwarded_User` and `X.Forwarded.User` as `X-Forwarded-User` (attack 14).
//! 3. Our cookies and our CSRF header go, and `Authorization`, whatever it says.
//! 4. `Forwarded` and `X-Forwarded-*` are written anew from what *we* know, `Via` names us (P-07, P-09), `x-request-id` ties
//!    the logs together.
//!
//! The fields are written as they are judged, in one pass: nothing is removed from a map only to be written afterwards.

use std::io::Write as _;
use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::attach;
use super::upload::Framing;
use crate::config::{Route, Upstream};
use crate::refusal::{Code, Refusal};
use crate::session;
use crate::token::AccessToken;

/// What an upstream is told about the request, by us.
#[derive(Debug, Clone)]
pub(crate) struct Identity<'a> {
    /// The client's address.
    pub(crate) client: IpAddr,
    /// The app's host, as browsers know it.
    pub(crate) host: &'a HeaderValue,
    /// The app's scheme.
    pub(crate) scheme: &'static str,
    /// Our own `Via` element: `1.1 cloakroom-…`.
    pub(crate) via: &'a HeaderValue,
    /// The request id.
    pub(crate) request_id: HeaderValue,
}

/// Writes the fields of a request as its upstream may see them, and the empty line behind them.
///
/// # Errors
/// `upstream_unavailable` when the request has passed through this process before (P-07);
/// `provider_response_invalid` where the token cannot stand in a header.
pub(super) fn write(
    head: &mut Vec<u8>,
    headers: &HeaderMap,
    framing: Framing,
    route: &Route,
    token: Option<&AccessToken>,
    identity: &Identity<'_>,
) -> Result<(), Refusal> {
    refuse_loop(headers, identity.via, &route.upstream)?;
    field(head, b"host", route.upstream.authority().as_bytes());
    let named = named_by_connection(headers);
    for (name, value) in headers {
        if passes(name, route, framing) && !named.contains(name) {
            field(head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    match framing {
        // The announcement is ours in any case: what a body in between did to its length is not the header's to say.
        Framing::Nothing if headers.contains_key(header::CONTENT_LENGTH) => {
            field(head, b"content-length", b"0");
        }
        Framing::Nothing => {}
        Framing::Length(length) => {
            // Writing to memory does not fail.
            let _ = write!(head, "content-length: {length}\r\n");
        }
        Framing::Chunked => field(head, b"transfer-encoding", b"chunked"),
    }
    if !route.drop_cookies {
        put_cookies(head, headers);
    }
    // Named away or not, `Via` is only ever added to.
    for value in headers.get_all(header::VIA) {
        field(head, b"via", value.as_bytes());
    }
    field(head, b"via", identity.via.as_bytes());
    put_identity(head, identity);
    if let Some(token) = token {
        attach::attach(token, head)?;
    }
    head.extend_from_slice(b"\r\n");
    Ok(())
}

/// One field. Name and value come from header types, from the configuration or from us: no line break is in them.
fn field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.extend_from_slice(name);
    head.extend_from_slice(b": ");
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// Whether a field goes upstream as it is.
fn passes(name: &HeaderName, route: &Route, framing: Framing) -> bool {
    match *name {
        // Written by itself.
        header::HOST | header::COOKIE | header::VIA | header::CONTENT_LENGTH => false,
        // Trailers that are announced can only come behind chunks.
        header::TRAILER => framing == Framing::Chunked,
        _ => {
            !is_doomed(name.as_str().as_bytes()) && !is_dropped(name.as_str().as_bytes(), &route.drop_headers)
        }
    }
}

/// The fields that `Connection` names.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        // The two words that everybody sends name no field worth a look.
        .filter(|value| !matches!(value.as_bytes(), b"keep-alive" | b"close"))
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| *name != header::CONTENT_LENGTH)
        .collect()
}

fn put_cookies(head: &mut Vec<u8>, headers: &HeaderMap) {
    const NAME: &[u8] = b"cookie: ";
    let start = head.len();
    head.extend_from_slice(NAME);
    session::write_other_cookies(headers, head);
    if head.len() == start + NAME.len() {
        head.truncate(start);
    } else {
        head.extend_from_slice(b"\r\n");
    }
}

/// Trailers obey the same rules as headers; those that frame or authorize a message have no business there at all
/// (RFC 9110 §6.5.1).
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    let doomed: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| {
            is_doomed(name.as_str().as_bytes()) || matches!(**name, header::COOKIE | header::CONTENT_LENGTH)
        })
        .cloned()
        .collect();
    for name in doomed {
        trailers.remove(name);
    }
}

fn refuse_loop(headers: &HeaderMap, via: &HeaderValue, upstream: &Upstream) -> Result<(), Refusal> {
    let Some(pseudonym) = via.as_bytes().split(|byte| *byte == b' ').nth(1) else {
        return Ok(());
    };
    let looped = headers.get_all(header::VIA).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| matches!(byte, b',' | b' ' | b'\t'))
            .any(|word| word == pseudonym)
    });
    if looped {
        return Err(Refusal::new(Code::UpstreamUnavailable).because(format!(
            "{upstream}: on its way there the request came back to this process: an upstream points at us"
        )));
    }
    Ok(())
}

fn is_dropped(name: &[u8], dropped: &[HeaderName]) -> bool {
    dropped
        .iter()
        .any(|dropped| Alias(name).is(dropped.as_str().as_bytes()))
}

/// Whether a field may not go upstream, whatever it says. Names are lower case already.
fn is_doomed(name: &[u8]) -> bool {
    let alias = Alias(name);
    // The first two letters rule out nearly all that browsers send.
    match name {
        [b'x', ..] => is_doomed_x(alias),
        [b'a', b'u', ..] => alias.is(b"authorization"),
        [b'c', b'o', ..] => {
            alias.is(b"connection")
                // Framing and cookies under another name than the one that we and hyper look at.
                || alias.is(b"content-length") && name != b"content-length"
                || alias.is(b"cookie") && name != b"cookie"
        }
        [b'c', b'l', ..] => alias.begins(b"client-cert"),
        [b'c', b'f', ..] => alias.is(b"cf-connecting-ip"),
        [b'd', b'p', ..] => alias.is(b"dpop"),
        [b'e', b'x', ..] => alias.is(b"expect"),
        [b'f', b'o', ..] => alias.is(b"forwarded"),
        [b'h', b'o', ..] => alias.is(b"host"),
        [b'h', b't', ..] => alias.is(b"http2-settings"),
        [b'k', b'e', ..] => alias.is(b"keep-alive"),
        [b'p', b'r', ..] => alias.is(b"proxy") || alias.begins(b"proxy-"),
        [b'r', b'e', ..] => alias.is(b"remote-user"),
        [b's', b's', ..] => alias.begins(b"ssl-client-"),
        [b't', b'e', ..] => alias.is(b"te"),
        [b't', b'r', ..] => {
            alias.is(b"transfer-encoding")
                || alias.is(b"true-client-ip")
                || alias.is(b"trailer") && name != b"trailer"
        }
        [b't', b'o', ..] => alias.begins(b"token-handler-"),
        [b'u', b'p', ..] => alias.is(b"upgrade"),
        _ => false,
    }
}

/// What proxies tell APIs about the caller, by the names in use.
fn is_doomed_x(alias: Alias<'_>) -> bool {
    const PREFIXES: [&[u8]; 11] = [
        b"x-forwarded-",
        b"x-original-",
        b"x-rewrite-",
        b"x-http-method",
        b"x-auth-request-",
        b"x-remote-",
        b"x-ssl-",
        b"x-client-cert",
        b"x-envoy-",
        b"x-goog-",
        b"x-amzn-oidc-",
    ];
    const NAMES: [&[u8]; 7] = [
        b"x-forwarded",
        b"x-real-ip",
        b"x-method-override",
        b"x-user",
        b"x-client-ip",
        b"x-request-id",
        b"x-original",
    ];
    PREFIXES.iter().any(|prefix| alias.begins(prefix))
        || NAMES.iter().any(|name| alias.is(name))
        || alias.begins(b"x-user-") && !alias.is(b"x-user-agent")
        || alias.begins(b"x-ms-client-principal")
}

/// A name as a server reads it that cannot tell `-`, `_` and `.` apart, nor see them at the end.
#[derive(Clone, Copy)]
struct Alias<'n>(&'n [u8]);

impl Alias<'_> {
    fn is(self, name: &[u8]) -> bool {
        self.0.len() >= name.len() && self.begins(name) && self.rest(name.len()).all(|byte| byte == b'-')
    }

    fn begins(self, prefix: &[u8]) -> bool {
        self.0.len() >= prefix.len()
            && self
                .0
                .iter()
                .zip(prefix)
                .all(|(byte, wanted)| separator(*byte) == separator(*wanted))
    }

    fn rest(self, from: usize) -> impl Iterator<Item = u8> {
        self.0.iter().skip(from).map(|byte| separator(*byte))
    }
}

const fn separator(byte: u8) -> u8 {
    if matches!(byte, b'_' | b'.') { b'-' } else { byte }
}

/// Who asks, as `X-Forwarded-*`, as `Forwarded` (RFC 7239 §4, §6: IPv6 in brackets and quotes), and which request it is.
fn put_identity(head: &mut Vec<u8>, identity: &Identity<'_>) {
    head.extend_from_slice(b"x-forwarded-for: ");
    let start = head.len();
    match identity.client {
        // Nobody told us; RFC 7239 §6.2 has a word for it.
        client if client.is_unspecified() => head.extend_from_slice(b"unknown"),
        IpAddr::V4(address) => push_ipv4(head, address.octets()),
        IpAddr::V6(address) => {
            // Writing to memory does not fail.
            let _ = write!(head, "{address}");
        }
    }
    let end = head.len();
    let (open, close): (&[u8], &[u8]) = match identity.client {
        IpAddr::V6(address) if !address.is_unspecified() => (b"\"[", b"]\""),
        _ => (b"", b""),
    };
    head.extend_from_slice(b"\r\nforwarded: for=");
    head.extend_from_slice(open);
    head.extend_from_within(start..end);
    head.extend_from_slice(close);
    head.extend_from_slice(b";host=\"");
    head.extend_from_slice(identity.host.as_bytes());
    head.extend_from_slice(b"\";proto=");
    head.extend_from_slice(identity.scheme.as_bytes());
    head.extend_from_slice(b"\r\n");
    field(head, b"x-forwarded-host", identity.host.as_bytes());
    field(head, b"x-forwarded-proto", identity.scheme.as_bytes());
    field(head, b"x-request-id", identity.request_id.as_bytes());
}

fn push_ipv4(text: &mut Vec<u8>, octets: [u8; 4]) {
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            text.push(b'.');
        }
        if octet >= 100 {
            text.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            text.push(b'0' + octet / 10 % 10);
        }
        text.push(b'0' + octet % 10);
    }
}

#[cfg(test)]
mod tests;
