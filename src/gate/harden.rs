//! What every answer of ours carries (B-10, B-13, attacks 112, 113, 149).
//!
//! 1. Any answer: `x-request-id`, and `nosniff`.
//! 2. Our own answers (agent, refusals, preflights): nothing may frame, sniff, embed or cache them, nothing is told about
//!    where the browser came from.
//! 3. Where the origin is https: HSTS, a year. Without subdomains: they may be somebody else's.
//! 4. What an answer of ours already says about itself stays (the SPA's pages have a policy of their own).

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, Entry, HeaderMap, PRAGMA, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use super::RequestId;
use crate::config::{App, Scheme};

/// Whose answer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Agent, refusal, preflight.
    Ours,
    /// The SPA's files: they bring their own policy.
    Page,
    /// From an upstream.
    Upstream,
}

/// Adds what is missing. `app` is `None` where no app was found.
pub(crate) fn apply(answer: Answer, app: Option<&App>, request: RequestId, headers: &mut HeaderMap) {
    headers.insert(X_REQUEST_ID, request.header());
    if let Entry::Vacant(entry) = headers.entry(X_CONTENT_TYPE_OPTIONS) {
        entry.insert(HeaderValue::from_static("nosniff"));
    }
    if answer == Answer::Upstream {
        return;
    }
    if app.is_some_and(|app| app.origin.scheme() == Scheme::Https) {
        missing(headers, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    missing(headers, REFERRER_POLICY, "no-referrer");
    if answer == Answer::Page {
        return;
    }
    missing(
        headers,
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    let shared = app.is_some_and(|app| !app.allowed_origins.is_empty());
    missing(
        headers,
        CROSS_ORIGIN_RESOURCE_POLICY,
        if shared { "same-site" } else { "same-origin" },
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
}

fn missing(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if let Entry::Vacant(entry) = headers.entry(name) {
        entry.insert(HeaderValue::from_static(value));
    }
}

/// Names the request, in both directions.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[cfg(test)]
mod tests;
