//! Which site a request is for, and what stands at its path (contract §5 step 2).
//!
//! A *site* is one authority: all apps that share an origin. Within it agent paths and routes are prefixes of whole
//! segments, and the longest wins. Looking one up costs one probe per segment of the deepest configured prefix,
//! however many prefixes there are.
//!
//! 1. `Host` counts, lower case, without a trailing dot or the scheme's default port. `X-Forwarded-Host` counts only
//!    from a trusted proxy. Neither ever becomes part of a redirect (attack 23).
//! 2. Where a reader that cuts `;parameters`, or decodes what is still encoded (`%2F` that a route lets pass, `%3A`,
//!    `%252F`), would end up elsewhere, the request is refused (400).
//! 3. Where a reader that ignores case would find a longer prefix, nothing is found (404, attack 35).

use std::collections::{HashMap, HashSet};

use http::header::{HOST, HeaderMap};
use http::{HeaderName, Uri, Version};

use super::path::CanonicalPath;
use crate::config::{Origin, Scheme};
use crate::refusal::{Code, Refusal};

/// The sites of this service by authority.
#[derive(Debug)]
pub(crate) struct Hosts<T> {
    sites: HashMap<Box<str>, (Scheme, T)>,
}

impl<T> Hosts<T> {
    /// From origins and what stands behind them.
    pub(crate) fn new(sites: impl IntoIterator<Item = (Origin, T)>) -> Self {
        Self {
            sites: sites
                .into_iter()
                .map(|(origin, site)| (origin.authority().into(), (origin.scheme(), site)))
                .collect(),
        }
    }

    /// The site that `host` (as a client wrote it) means.
    pub(crate) fn find(&self, host: &str) -> Option<&T> {
        if let Some((_, site)) = self.sites.get(host) {
            return Some(site);
        }
        self.find_normalized(&host.to_ascii_lowercase())
    }

    fn find_normalized(&self, host: &str) -> Option<&T> {
        let (name, port) = split_port(host);
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            return None;
        }
        let Some(port) = port else {
            return self.sites.get(name).map(|(_, site)| site);
        };
        let default = match port {
            "80" => Some(Scheme::Http),
            "443" => Some(Scheme::Https),
            _ => None,
        };
        match self.sites.get(name) {
            Some((scheme, site)) if Some(*scheme) == default => Some(site),
            _ => self
                .sites
                .get(format!("{name}:{port}").as_str())
                .map(|(_, site)| site),
        }
    }
}

/// The host that a request names.
///
/// # Errors
/// `invalid_request`, closing, when `Host` is missing or there are several, or when an absolute target names another
/// one (RFC 9112 §3.2) or is not for HTTP.
pub(crate) fn host_of<'h>(
    headers: &'h HeaderMap,
    uri: &'h Uri,
    version: Version,
    from_trusted_proxy: bool,
) -> Result<&'h str, Refusal> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host
            .to_str()
            .map_err(|_| bad_host("the Host field is not text"))?,
        (None, _) if version == Version::HTTP_2 => uri.authority().map_or("", |authority| authority.as_str()),
        (None, _) => return Err(bad_host("the Host field is missing")),
        (Some(_), Some(_)) => return Err(bad_host("there are several Host fields")),
    };
    if uri
        .scheme()
        .is_some_and(|scheme| *scheme != http::uri::Scheme::HTTP && *scheme != http::uri::Scheme::HTTPS)
    {
        return Err(bad_host("the target is of another scheme than http and https"));
    }
    if let Some(authority) = uri.authority()
        && !authority.as_str().eq_ignore_ascii_case(host)
    {
        return Err(bad_host("the target names another host than the Host field"));
    }
    if from_trusted_proxy && let Some(forwarded) = forwarded_host(headers) {
        return Ok(forwarded);
    }
    Ok(host)
}

/// The host that the nearest proxy reports: the last element of the last `X-Forwarded-Host`.
fn forwarded_host(headers: &HeaderMap) -> Option<&str> {
    let last = headers.get_all(X_FORWARDED_HOST).iter().next_back()?;
    let host = last.to_str().ok()?.rsplit(',').next()?.trim();
    (!host.is_empty()).then_some(host)
}

fn bad_host(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidRequest).closing().saying(why)
}

/// Host and port of an authority; an IPv6 address keeps its brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

impl<T> Clone for Match<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Match<'_, T> {}

/// What stands at which prefix of one site.
#[derive(Debug)]
pub(crate) struct Prefixes<T> {
    exact: HashMap<Box<str>, T>,
    folded: HashSet<Box<str>>,
    any_uppercase: bool,
    deepest: usize,
}

/// A prefix that matched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'t, T> {
    /// What stands there.
    pub(crate) target: &'t T,
    /// How long the prefix is, in bytes; 0 for `/`.
    pub(crate) length: usize,
}

impl<T> Prefixes<T> {
    /// From canonical prefixes (`/` or without a trailing slash). The first of two equal ones stays.
    pub(crate) fn new(prefixes: impl IntoIterator<Item = (Box<str>, T)>) -> Self {
        let mut exact = HashMap::new();
        for (prefix, target) in prefixes {
            let key: Box<str> = if &*prefix == "/" { "".into() } else { prefix };
            exact.entry(key).or_insert(target);
        }
        let folded = exact.keys().map(|key| key.to_ascii_lowercase().into()).collect();
        Self {
            any_uppercase: exact
                .keys()
                .any(|key| key.bytes().any(|byte| byte.is_ascii_uppercase())),
            deepest: exact
                .keys()
                .map(|key| key.matches('/').count())
                .max()
                .unwrap_or(0),
            exact,
            folded,
        }
    }

    /// The longest prefix of `path`, by whole segments.
    ///
    /// # Errors
    /// `invalid_request` and `route_not_found`, by rules 2 and 3 of the module.
    pub(crate) fn find(&self, path: &CanonicalPath<'_>) -> Result<Option<Match<'_, T>>, Refusal> {
        let found = longest(path.as_str(), self.deepest, |cut| self.exact.get(cut));
        let length = found.map(|(_, length)| length);
        let (cut, decoded) = (path.without_parameters(), path.decoded());
        for reading in [&cut, &decoded].into_iter().flatten() {
            let of_reading = longest(reading, self.deepest, |cut| self.exact.get(cut));
            // Equal lengths mean equal prefixes: in front of a matching prefix nothing is cut or encoded.
            if of_reading.map(|(_, length)| length) != length {
                return Err(
                    Refusal::new(Code::InvalidRequest).saying("the path can be read as one of another route")
                );
            }
        }
        if path.has_uppercase() || self.any_uppercase || decoded.is_some() {
            let eager = decoded.as_deref().or(cut.as_deref()).unwrap_or(path.as_str());
            let lower = eager.to_ascii_lowercase();
            let of_lower = longest(&lower, self.deepest, |cut| self.folded.get(cut));
            if of_lower.map(|(_, length)| length) > length {
                return Err(Refusal::new(Code::RouteNotFound).because("only ignoring case would find it"));
            }
        }
        Ok(found.map(|(target, length)| Match { target, length }))
    }
}

/// The longest cut of `path` after a whole segment, at most `deepest` of them, that `look` knows.
fn longest<T>(path: &str, deepest: usize, look: impl Fn(&str) -> Option<T>) -> Option<(T, usize)> {
    let mut end = end_of_segments(path, deepest);
    loop {
        let candidate = path.get(..end)?;
        if let Some(found) = look(candidate) {
            return Some((found, end));
        }
        end = candidate.rfind('/')?;
    }
}

/// Where the first `count` segments of `path` end.
fn end_of_segments(path: &str, count: usize) -> usize {
    path.bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b'/')
        .nth(count)
        .map_or(path.len(), |(index, _)| index)
}

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

#[cfg(test)]
mod tests;
