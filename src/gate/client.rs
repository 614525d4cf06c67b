//! The client's address: the peer's, or what trusted proxies report (P-08, RFC 7239).
//!
//! 1. The peer is no trusted proxy: the peer is the client, whatever the headers say. One that is not known (the unspecified
//!    address) never is.
//! 2. Otherwise the list of `for` addresses is read from the right, the end that the nearest proxy wrote. Trusted
//!    proxies are skipped; the first other address is the client.
//! 3. An element that is no address (`unknown`, `_hidden`, rubbish) ends the reading: the last trusted address counts.
//! 4. Where `Forwarded` and `X-Forwarded-For` are both there and disagree, one of them came through unchecked: then
//!    neither counts.

use std::net::{IpAddr, SocketAddr};

use http::HeaderName;
use http::header::{FORWARDED, HeaderMap};
use ipnet::IpNet;

/// Whether `address` is one of the trusted proxies.
pub(crate) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    !trusted.is_empty() && {
        let address = address.to_canonical();
        !address.is_unspecified() && trusted.iter().any(|net| net.contains(&address))
    }
}

/// The client's address by the rules of the module.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let by_standard = headers
        .contains_key(FORWARDED)
        .then(|| walk(peer, forwarded_for(headers), trusted));
    let by_custom = headers
        .contains_key(X_FORWARDED_FOR)
        .then(|| walk(peer, x_forwarded_for(headers), trusted));
    match (by_standard, by_custom) {
        (Some(one), Some(other)) if one != other => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    }
}

fn walk(peer: IpAddr, from_the_right: impl Iterator<Item = Option<IpAddr>>, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = peer;
    for address in from_the_right {
        let Some(address) = address else { return nearest };
        nearest = address.to_canonical();
        if !is_trusted(nearest, trusted) {
            return nearest;
        }
    }
    nearest
}

fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, X_FORWARDED_FOR).map(|element| read_node(element?))
}

fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    // Quoted strings in `Forwarded` hold addresses and hosts, never a comma or a semicolon that means anything to us:
    // one that does makes an element that is no address, and rule 3 applies.
    elements(headers, FORWARDED).map(|element| {
        let mut nodes = element?.split(';').filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
        });
        match (nodes.next(), nodes.next()) {
            (Some(node), None) => read_node(unquote(node)),
            _ => None,
        }
    })
}

/// The comma-separated elements of all fields of that name, the last one first; `None` for what is no text.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    headers.get_all(name).iter().rev().flat_map(|value| {
        let text = value.to_str().ok();
        text.unwrap_or_default()
            .rsplit(',')
            .map(move |element| text.is_some().then(|| element.trim()))
    })
}

fn unquote(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

/// An address with or without a port, an IPv6 address with or without brackets.
fn read_node(text: &str) -> Option<IpAddr> {
    text.parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[cfg(test)]
mod tests;
