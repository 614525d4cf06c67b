//! How decisions are told: which one said no, what speaks for a request, what a session's cookies are.

use http::HeaderMap;

use super::{Place, RouteRuntime};
use crate::clock::Clock;
use crate::config::{App, TokenKind, Transport};
use crate::refusal::{Code, Refusal};
use crate::renewal::Outlook;

/// Which decision of `Inner::find` said no.
pub(super) fn step_of_finding(refusal: &Refusal) -> &'static str {
    let why = refusal
        .log
        .as_deref()
        .or(refusal.detail.as_deref())
        .unwrap_or_default();
    match refusal.code {
        Code::UriTooLong | Code::HeadersTooLarge => "head",
        Code::RouteNotFound if why.contains("host") => "app",
        Code::RouteNotFound => "route",
        _ if why.contains("Host") || why.contains("scheme") => "app",
        _ if why.contains("path") => "path",
        _ => "head",
    }
}

/// `configured hosts: a, b`, each once; of many the first ones.
pub(super) fn hosts<'h>(configured: impl Iterator<Item = &'h str>) -> String {
    let mut hosts: Vec<&str> = Vec::new();
    for host in configured {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let more = hosts.len().saturating_sub(SHOWN_HOSTS);
    hosts.truncate(SHOWN_HOSTS);
    let all = hosts.join(", ");
    if more == 0 {
        format!("configured hosts: {all}")
    } else {
        format!("configured hosts: {all} and {more} more")
    }
}

/// Who serves the SPA.
pub(super) const fn spa_line(from_here: bool) -> &'static str {
    if from_here {
        "its SPA is served from here (`spa`)"
    } else {
        "its SPA is served elsewhere (no `spa`)"
    }
}

/// Which decision of a gate said no.
pub(super) fn step_of_gate(refusal: &Refusal, preflight: bool) -> &'static str {
    match refusal.code {
        Code::MethodNotAllowed => "method",
        _ if preflight => "preflight",
        _ => "csrf",
    }
}

/// What speaks for the request being the app's own.
pub(super) fn proofs(app: &App, headers: &HeaderMap) -> Vec<String> {
    let value = |name: &str| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let mut lines = Vec::new();
    if let Some(version) = value("token-handler-version") {
        lines.push(format!("token-handler-version: {version}"));
    }
    match value("origin") {
        Some(origin) if origin == app.origin.as_str() => lines.push(format!("Origin is the app's: {origin}")),
        Some(origin) => lines.push(format!("Origin is listed: {origin}")),
        None => lines.push("no Origin".to_owned()),
    }
    match value("sec-fetch-site") {
        Some(site) => lines.push(format!("Sec-Fetch-Site: {site}")),
        None => lines.push("no Sec-Fetch-Site: not a browser, or an old one".to_owned()),
    }
    lines
}

pub(super) fn conditions(place: &Place<'_>, headers: &HeaderMap) -> Vec<String> {
    let cookies = &place.app.sessions.parts.cookies;
    let seen = cookies.inspect(headers).into_iter();
    seen.map(|(name, condition)| format!("{name} {condition}"))
        .collect()
}

pub(super) fn told_session(
    place: &Place<'_>,
    headers: &HeaderMap,
    found: &Outlook,
    clock: &dyn Clock,
) -> Vec<String> {
    let mut lines = conditions(place, headers);
    if found.session.shelf.is_some() {
        // Two cookies are all there are.
        lines.retain(|line| !line.ends_with("is not there"));
        lines.push("its tokens lie in the store of the running service".to_owned());
    } else {
        lines.push("its tokens lie in its cookies".to_owned());
    }
    let age = clock.now().since(found.session.started).as_secs();
    lines.push(format!("began {age} s ago, generation {}", found.generation));
    lines.push(format!(
        "ends in {} s if idle, in {} s at the latest",
        found.idle_left.as_secs(),
        found.absolute_left.as_secs()
    ));
    lines.push(match found.access_left {
        Some(left) => format!("its access token is good for {} s", left.as_secs()),
        None => "nobody knows how long its access token is good".to_owned(),
    });
    if found.due {
        lines.push("it would be renewed at the provider first".to_owned());
    }
    lines.push("whether it was ended meanwhile knows only the store of the running service".to_owned());
    lines
}

pub(super) fn token_line(kind: TokenKind, outlook: Option<&Outlook>) -> String {
    match (kind, outlook) {
        (TokenKind::None, _) => "none: `token = \"none\"`".to_owned(),
        (TokenKind::Access, Some(outlook)) if outlook.due => {
            "the access token, once it is renewed".to_owned()
        }
        (TokenKind::Access, Some(_)) => "the session's access token, as it is".to_owned(),
        (TokenKind::Access, None) => "none: there is no session".to_owned(),
    }
}

pub(super) fn listed(names: Vec<String>) -> Vec<String> {
    if names.is_empty() {
        return vec!["nothing".to_owned()];
    }
    names
}

/// Scheme, host and port of a route's upstream; the base path is part of the target.
pub(super) fn upstream_of(route: &RouteRuntime) -> String {
    let upstream = &route.route.upstream;
    let scheme = match upstream.transport() {
        Transport::Tcp => "http",
        Transport::Tls => "https",
    };
    let authority = String::from_utf8_lossy(upstream.authority().as_bytes());
    format!("{scheme}://{authority}")
}

/// A line, not a directory.
const SHOWN_HOSTS: usize = 12;
