//! CORS: which other web origins of the SPA may call and read (Fetch §3.2; B-05 to B-08).
//!
//! 1. One exact origin is ever named, never `*`, never one that the configuration does not list.
//! 2. Preflights are answered here, before cookie and upstream are looked at, and never forwarded.
//! 3. `Vary: Origin` stands on every answer of an app that lists origins, also on those that name none, or a cache
//!    would hand one origin's answer to another.
//! 4. Refusals carry the headers too: a SPA on a listed origin must be able to read its 401 (attack 103).

use http::header::{
    self, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::ResponseBody;
use crate::config::App;
use crate::refusal::{Code, Refusal};

/// Whether a request is a preflight (Fetch §3.2.2).
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a preflight for something that takes `methods`.
///
/// # Errors
/// `origin_rejected`.
pub(crate) fn preflight(
    app: &App,
    methods: &HeaderValue,
    headers: &HeaderMap,
) -> Result<Response<ResponseBody>, Refusal> {
    let Some(origin) = single_origin(headers).filter(|origin| app.lists_origin(origin)) else {
        return Err(Refusal::new(Code::OriginRejected).because("preflight of an origin that is not listed"));
    };
    let mut response = Response::new(ResponseBody::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    allow(answer, origin);
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.clone());
    if let Some(names) = requested_names(headers) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(
        VARY,
        HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    Ok(response)
}

/// The origin of a request where answers to it may be read by script of another origin.
pub(crate) fn reader(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    if app.allowed_origins.is_empty() {
        return None;
    }
    let origin = single_origin(headers)?;
    app.allowed_origins
        .iter()
        .any(|listed| listed.as_str() == origin)
        .then(|| headers.get(ORIGIN).cloned())
        .flatten()
}

/// Puts our CORS headers on an answer that has none. `reader` comes from [`reader`]; `upstream_exposes` is
/// what the upstream exposed.
pub(crate) fn apply(
    app: &App,
    reader: Option<&HeaderValue>,
    upstream_exposes: &[HeaderValue],
    answer: &mut HeaderMap,
) {
    if app.allowed_origins.is_empty() {
        return;
    }
    let Some(reader) = reader else {
        vary_on_origin(answer);
        return;
    };
    answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed(upstream_exposes));
    vary_on_origin(answer);
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, reader.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}

fn allow(answer: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

fn vary_on_origin(answer: &mut HeaderMap) {
    let covered = answer.get_all(VARY).iter().any(|value| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin"))
        })
    });
    if !covered {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn single_origin(headers: &HeaderMap) -> Option<&str> {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().ok(),
        _ => None,
    }
}

/// The requested names that are well-formed and not ours to give.
fn requested_names(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut names: Vec<String> = Vec::new();
    for value in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            let Ok(name) = HeaderName::from_bytes(name.trim_ascii()) else {
                continue;
            };
            let forbidden = name == header::AUTHORIZATION
                || name == header::COOKIE
                || name.as_str().starts_with("proxy-");
            if !forbidden && !names.iter().any(|known| known == name.as_str()) {
                names.push(name.as_str().to_owned());
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    HeaderValue::from_str(&names.join(", ")).ok()
}

/// What of an answer script may read: our own, and what the upstream exposed.
fn exposed(by_upstream: &[HeaderValue]) -> HeaderValue {
    const OURS: &str = "token-handler-error, x-request-id, retry-after";
    let mut text = String::new();
    for value in by_upstream {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            // `*` means nothing beside credentials (Fetch §3.2.3), and says so by not being a name we pass on.
            match HeaderName::from_bytes(name.trim_ascii()) {
                Ok(name) if name.as_str() != "*" => {
                    text.push_str(", ");
                    text.push_str(name.as_str());
                }
                _ => {}
            }
        }
    }
    if text.is_empty() {
        return HeaderValue::from_static(OURS);
    }
    text.insert_str(0, OURS);
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(OURS))
}

#[cfg(test)]
mod tests;
