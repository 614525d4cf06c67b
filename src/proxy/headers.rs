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
//! One pass over the names decides; only what is found is removed.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::config::Route;
use crate::gate::harden::X_REQUEST_ID;
use crate::refusal::{Code, Refusal};
use crate::session;

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

/// Makes the headers of a request fit for its upstream. `Authorization` is not set here.
///
/// # Errors
/// `upstream_unavailable` when the request has passed through this process before (P-07).
pub(super) fn rewrite(headers: &mut HeaderMap, route: &Route, identity: Identity<'_>) -> Result<(), Refusal> {
    refuse_loop(headers, identity.via)?;
    let doomed = doomed(headers, route);
    for name in doomed {
        headers.remove(name);
    }
    if headers.contains_key(header::COOKIE) {
        match session::strip_cookies(headers).filter(|_| !route.drop_cookies) {
            Some(kept) => {
                headers.insert(header::COOKIE, kept);
            }
            None => {
                headers.remove(header::COOKIE);
            }
        }
    }
    headers.insert(header::HOST, route.upstream.authority().clone());
    let (node, forwarded) = forwarded(&identity);
    headers.insert(X_FORWARDED_FOR, node);
    headers.insert(header::FORWARDED, forwarded);
    headers.insert(X_FORWARDED_HOST, identity.host.clone());
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(identity.scheme));
    headers.append(header::VIA, identity.via.clone());
    headers.insert(X_REQUEST_ID, identity.request_id);
    Ok(())
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

fn refuse_loop(headers: &HeaderMap, via: &HeaderValue) -> Result<(), Refusal> {
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
        return Err(Refusal::new(Code::UpstreamUnavailable)
            .because("the request came back to this process: an upstream points at us"));
    }
    Ok(())
}

/// The names that are there and must not stay.
fn doomed(headers: &HeaderMap, route: &Route) -> Vec<HeaderName> {
    let mut doomed: Vec<HeaderName> = Vec::new();
    for name in headers.keys() {
        let bytes = name.as_str().as_bytes();
        // Ours replaces it: no need to remove it first.
        if *name == header::HOST {
            continue;
        }
        // Trailers that are announced can only come behind chunks.
        let idle = *name == header::TRAILER && !headers.contains_key(header::TRANSFER_ENCODING);
        if idle || is_doomed(bytes) || is_dropped(bytes, &route.drop_headers) {
            doomed.push(name.clone());
        }
    }
    for value in headers.get_all(header::CONNECTION) {
        // The two words that everybody sends name no field worth a look.
        if matches!(value.as_bytes(), b"keep-alive" | b"close") {
            continue;
        }
        for token in value.as_bytes().split(|byte| *byte == b',') {
            if let Ok(name) = HeaderName::from_bytes(token.trim_ascii())
                && name != header::CONTENT_LENGTH
            {
                doomed.push(name);
            }
        }
    }
    doomed
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

/// The client as `X-Forwarded-For` and the whole as `Forwarded` (RFC 7239 §4, §6: IPv6 in brackets and quotes).
fn forwarded(identity: &Identity<'_>) -> (HeaderValue, HeaderValue) {
    let mut text = Vec::with_capacity(96);
    text.extend_from_slice(b"for=");
    let node = match identity.client {
        IpAddr::V4(address) => {
            let start = text.len();
            push_ipv4(&mut text, address.octets());
            text.get(start..).map(HeaderValue::from_bytes)
        }
        IpAddr::V6(address) => {
            let plain = address.to_string();
            text.extend_from_slice(b"\"[");
            text.extend_from_slice(plain.as_bytes());
            text.extend_from_slice(b"]\"");
            Some(HeaderValue::from_str(&plain))
        }
    };
    text.extend_from_slice(b";host=\"");
    text.extend_from_slice(identity.host.as_bytes());
    text.extend_from_slice(b"\";proto=");
    text.extend_from_slice(identity.scheme.as_bytes());
    // Addresses and configured hosts are always header values.
    let unknown = HeaderValue::from_static("unknown");
    (
        node.and_then(Result::ok).unwrap_or_else(|| unknown.clone()),
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).unwrap_or(unknown),
    )
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

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

#[cfg(test)]
mod tests;
