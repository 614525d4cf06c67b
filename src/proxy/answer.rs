//! Which response headers a browser may see (contract §5 step 11).
//!
//! 1. Hop-by-hop fields go, in both directions and in trailers (P-06).
//! 2. Cookies that look like ours go: an upstream cannot plant a session (attack 28).
//! 3. `Access-Control-*` goes; [`crate::gate::cors`] says who may read. What the upstream exposed is reported.
//! 4. What speaks for the whole origin goes: our error header, `Clear-Site-Data` for cookies, `Service-Worker-Allowed`.
//!    So does `Server` (E-08).
//! 5. A header that carries the token goes (attack 29), and any credential field that has no place in an answer.
//! 6. Where a session was needed or optional: the upstream saw `Authorization` and counts on caches that know it. The browser
//!    sent a cookie, so no shared cache may keep the answer (P-13, attack 148).

use bytes::Bytes;
use http::header::{
    self, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use http_body::Frame;

use crate::config::SessionNeed;
use crate::session;
use crate::token::AccessToken;

/// What [`rewrite`] took out that others need to know.
#[derive(Debug, Default)]
pub(crate) struct Rewritten {
    /// The upstream's `Access-Control-Expose-Headers`.
    pub(crate) exposed: Vec<HeaderValue>,
    /// How many cookies of our form were dropped; worth a line in the log.
    pub(crate) dropped_cookies: usize,
    /// A header carried the token.
    pub(crate) leaked: bool,
}

/// Makes the headers of an upstream's answer fit for the browser.
pub(crate) fn rewrite(headers: &mut HeaderMap, need: SessionNeed, token: Option<&AccessToken>) -> Rewritten {
    let mut rewritten = Rewritten::default();
    let behind_session = need != SessionNeed::None;
    let token = token
        .map(|token| token.expose().as_bytes())
        .filter(|token| token.len() >= SHORTEST_TOKEN);
    let mut doomed: Vec<HeaderName> = Vec::new();
    let mut sets_cookies = false;
    let mut says_cache = false;
    for (name, value) in headers.iter() {
        sets_cookies |= name == SET_COOKIE;
        says_cache |= name == CACHE_CONTROL;
        let leaks = token.is_some_and(|token| contains(value.as_bytes(), token));
        rewritten.leaked |= leaks;
        // It announces what comes behind chunks; without it those trailers would be lost.
        let announces = name == header::TRAILER && headers.contains_key(header::TRANSFER_ENCODING);
        let bytes = name.as_str().as_bytes();
        let doomed_here = is_doomed(bytes, value, behind_session) && !announces;
        if leaks || doomed_here || behind_session && speaks_to_caches(bytes) {
            doomed.push(name.clone());
        }
    }
    for value in headers.get_all(header::CONNECTION) {
        if !matches!(value.as_bytes(), b"keep-alive" | b"close") {
            doomed.extend(
                value
                    .as_bytes()
                    .split(|byte| *byte == b',')
                    .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
                    .filter(|name| *name != header::CONTENT_LENGTH && *name != CACHE_CONTROL),
            );
        }
    }
    if doomed.contains(&ACCESS_CONTROL_EXPOSE_HEADERS) {
        rewritten.exposed = headers
            .get_all(ACCESS_CONTROL_EXPOSE_HEADERS)
            .iter()
            .cloned()
            .collect();
    }
    for name in doomed {
        headers.remove(name);
    }
    if sets_cookies {
        rewritten.dropped_cookies = drop_our_cookies(headers);
    }
    if behind_session {
        keep_private(headers, says_cache);
    }
    rewritten
}

/// An answer that sets a cookie of ours is kept by nobody.
pub(crate) fn never_store(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// Trailers are headers that come late.
pub(super) fn clean_frame(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            let doomed: Vec<HeaderName> = trailers
                .iter()
                .filter(|(name, value)| {
                    is_doomed(name.as_str().as_bytes(), value, true)
                        || matches!(**name, SET_COOKIE | CACHE_CONTROL | VARY | header::CONTENT_LENGTH)
                })
                .map(|(name, _)| name.clone())
                .collect();
            for name in doomed {
                trailers.remove(name);
            }
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

fn is_doomed(name: &[u8], value: &HeaderValue, behind_session: bool) -> bool {
    match name {
        [b'a', b'c', ..] => name.starts_with(b"access-control-"),
        [b'a', b'u', ..] => name == b"authorization",
        [b'c', b'l', ..] => name == b"clear-site-data" && clears_cookies(value),
        [b'c', b'o', ..] => name == b"connection",
        [b'k', ..] => name == b"keep-alive",
        [b'p', b'r', ..] => name.starts_with(b"proxy-"),
        [b's', b'e', ..] => name == b"server" || name == b"service-worker-allowed",
        [b's', b'u', ..] => behind_session && name.starts_with(b"surrogate-"),
        [b't', b'e', ..] => name == b"te",
        [b't', b'o', ..] => name.starts_with(b"token-handler-"),
        [b't', b'r', ..] => name == b"transfer-encoding" || name == b"trailer",
        [b'u', b'p', ..] => name == b"upgrade",
        _ => false,
    }
}

/// What tells shared caches to keep an answer whatever `Cache-Control` says: `CDN-Cache-Control` and its kin of one maker
/// each (RFC 9213), and nginx's own.
fn speaks_to_caches(name: &[u8]) -> bool {
    name.ends_with(b"cdn-cache-control") || name == b"x-accel-expires"
}

fn clears_cookies(value: &HeaderValue) -> bool {
    value.to_str().map_or(true, |value| {
        let value = value.to_ascii_lowercase();
        value.contains("cookies") || value.contains('*')
    })
}

fn drop_our_cookies(headers: &mut HeaderMap) -> usize {
    let header::Entry::Occupied(entry) = headers.entry(SET_COOKIE) else {
        return 0;
    };
    let before = entry.iter().count();
    let (kept, dropped): (Vec<HeaderValue>, Vec<HeaderValue>) = entry
        .iter()
        .cloned()
        .partition(|value| !names_us(value.as_bytes()));
    if dropped.is_empty() {
        return 0;
    }
    entry.remove();
    let dropped = before - kept.len();
    for value in kept {
        headers.append(SET_COOKIE, value);
    }
    dropped
}

/// Whether a `Set-Cookie` is for a cookie of our form. A cookie without a name whose value looks like ours would come
/// back looking like ours too; browsers may not agree on it, so it goes as well.
fn names_us(cookie: &[u8]) -> bool {
    let pair = cookie
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let pair = pair.strip_prefix(b"=").unwrap_or(pair).trim_ascii();
    let name = pair
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    session::is_session_cookie_name(name)
}

fn keep_private(headers: &mut HeaderMap, says_cache: bool) {
    let directives = if says_cache {
        private_directives(headers)
    } else {
        HeaderValue::from_static("private")
    };
    headers.insert(CACHE_CONTROL, directives);
    headers.append(VARY, HeaderValue::from_static("Cookie, Origin"));
}

/// What the upstream said, for the one browser: `private` for `public`, nothing for shared caches. What says `no-store`
/// stays as it is.
fn private_directives(headers: &HeaderMap) -> HeaderValue {
    let fields: Vec<&str> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let directives = || fields.iter().flat_map(|field| field.split(',')).map(str::trim);
    if directives().any(|directive| directive.eq_ignore_ascii_case("no-store")) {
        return match headers.get(CACHE_CONTROL) {
            Some(value) if fields.len() == 1 => value.clone(),
            _ => HeaderValue::from_static("no-store"),
        };
    }
    let mut text = String::from("private");
    for directive in directives() {
        let name = directive.split('=').next().unwrap_or_default().trim();
        let for_shared = ["public", "private", "s-maxage", "proxy-revalidate", ""]
            .iter()
            .any(|shared| name.eq_ignore_ascii_case(shared));
        if !for_shared {
            text.push_str(", ");
            text.push_str(directive);
        }
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("private"))
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.len() >= wanted.len() && text.windows(wanted.len()).any(|window| window == wanted)
}

/// A token this short is found in innocent headers; no provider issues one.
const SHORTEST_TOKEN: usize = 8;

#[cfg(test)]
mod tests;
