//! Did the app make this request, or did another site make the browser send it? (contract §5a)
//!
//! For calls (agent endpoints that script calls, routes that need or take a session), each rule by itself:
//!
//! 1. The header `token-handler-version` is there exactly once with the value `1`, whatever the method, with or without a
//!    cookie. A page of another origin can send it only after a preflight, which is refused (B-02, attack 98).
//! 2. `Origin`, where it is sent, is the app's or a listed one; `null` never is.
//! 3. `Sec-Fetch-Site`, where it is sent: `same-origin` passes; `same-site` only with a listed `Origin` (a sibling
//!    subdomain is another origin, attack 100); `cross-site` and `none` never. A value that no specification knows
//!    counts as absent.
//!
//! A route with `csrf = "fetch_metadata"` lets GET and HEAD without the header pass (an `EventSource` or `<img>` cannot
//! send one) when the browser itself vouches: `Sec-Fetch-Site: same-origin`, and any `Origin` is the app's own.
//!
//! `GET login` is a navigation with rules of its own, see [`check_login`].
//!
//! Caveat: a client outside a browser can send anything. It has no victim's cookies; that is not this module's attack.

use http::header::{HeaderMap, ORIGIN};
use http::{HeaderName, HeaderValue, Method};

use crate::config::{App, CsrfRule};
use crate::refusal::{Code, Refusal};

/// Checks a call.
///
/// # Errors
/// `csrf_rejected`, `origin_rejected`.
pub(crate) fn check_call(
    app: &App,
    rule: CsrfRule,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    match only_value(headers, &TOKEN_HANDLER_VERSION) {
        Only::One(value) if value == "1" => {}
        Only::None
            if rule == CsrfRule::FetchMetadata && (method == Method::GET || method == Method::HEAD) =>
        {
            return check_vouched(app, headers);
        }
        Only::None => return Err(rejected("token-handler-version is missing")),
        Only::One(_) | Only::Several => return Err(rejected("token-handler-version is not 1, once")),
    }
    let origin = check_origin(app, headers)?;
    match fetch_site(headers)? {
        Some(FetchSite::SameOrigin) | None => Ok(()),
        Some(FetchSite::SameSite) if origin.is_some() => Ok(()),
        Some(FetchSite::SameSite) => Err(rejected("Sec-Fetch-Site is same-site and there is no Origin")),
        Some(FetchSite::CrossSite | FetchSite::None) => Err(rejected("Sec-Fetch-Site is cross-site or none")),
    }
}

/// Checks `GET login`: a link or the address bar may start it, a script, a frame or a speculation may not (L-20).
///
/// `same-site` passes only where the app lists further origins, `cross-site` only with `third_party_login`.
///
/// # Errors
/// `csrf_rejected`.
pub(crate) fn check_login(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    match fetch_site(headers)? {
        Some(FetchSite::SameOrigin | FetchSite::None) | None => {}
        Some(FetchSite::SameSite) if !app.allowed_origins.is_empty() => {}
        Some(FetchSite::SameSite) => {
            return Err(rejected("login was started by another origin of this site"));
        }
        Some(FetchSite::CrossSite) if app.provider.third_party_login => {}
        Some(FetchSite::CrossSite) => return Err(rejected("login was started by another site")),
    }
    if !absent_or(headers, &SEC_FETCH_MODE, "navigate") {
        return Err(rejected("login is no navigation"));
    }
    if !absent_or(headers, &SEC_FETCH_DEST, "document") {
        return Err(rejected("login is not for a document"));
    }
    if [SEC_PURPOSE, PURPOSE, X_PURPOSE, X_MOZ]
        .iter()
        .any(|name| speculates(headers, name))
    {
        return Err(rejected("login is a prefetch"));
    }
    Ok(())
}

/// A GET or HEAD without the header: only what the browser itself calls same-origin.
fn check_vouched(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    // A listed origin that is not the app's own may call, but only with the header.
    if check_origin(app, headers)?.is_some_and(|origin| origin != app.origin.as_str()) {
        return Err(rejected("token-handler-version is missing"));
    }
    match fetch_site(headers)? {
        Some(FetchSite::SameOrigin) => Ok(()),
        _ => Err(rejected(
            "neither token-handler-version nor Sec-Fetch-Site: same-origin is there",
        )),
    }
}

fn check_origin<'h>(app: &App, headers: &'h HeaderMap) -> Result<Option<&'h HeaderValue>, Refusal> {
    match only_value(headers, &ORIGIN) {
        Only::None => Ok(None),
        Only::One(origin) if origin.to_str().is_ok_and(|origin| app.lists_origin(origin)) => Ok(Some(origin)),
        Only::One(_) => Err(Refusal::new(Code::OriginRejected).because("the Origin is not listed")),
        Only::Several => Err(Refusal::new(Code::OriginRejected).because("there are several Origin fields")),
    }
}

/// The values that Fetch Metadata §2.4 knows.
#[derive(Clone, Copy)]
enum FetchSite {
    SameOrigin,
    SameSite,
    CrossSite,
    None,
}

/// What `Sec-Fetch-Site` says; an unknown value counts as absent (Fetch Metadata §2.4, B-04).
fn fetch_site(headers: &HeaderMap) -> Result<Option<FetchSite>, Refusal> {
    match only_value(headers, &SEC_FETCH_SITE) {
        Only::None => Ok(None),
        Only::One(value) => Ok(match value.as_bytes() {
            b"same-origin" => Some(FetchSite::SameOrigin),
            b"same-site" => Some(FetchSite::SameSite),
            b"cross-site" => Some(FetchSite::CrossSite),
            b"none" => Some(FetchSite::None),
            _ => None,
        }),
        // A browser sends it once; which of two would count is nobody's guess.
        Only::Several => Err(rejected("there are several Sec-Fetch-Site fields")),
    }
}

fn absent_or(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    match only_value(headers, name) {
        Only::None => true,
        Only::One(value) => value == wanted,
        Only::Several => false,
    }
}

fn speculates(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().any(|value| {
        value.to_str().map_or(true, |value| {
            let value = value.to_ascii_lowercase();
            ["prefetch", "preview"].iter().any(|word| value.contains(word))
        })
    })
}

/// How often a field is there.
enum Only<'h> {
    None,
    One(&'h HeaderValue),
    Several,
}

fn only_value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Only<'h> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Only::None,
        (Some(value), None) => Only::One(value),
        (Some(_), Some(_)) => Only::Several,
    }
}

fn rejected(why: &'static str) -> Refusal {
    Refusal::new(Code::CsrfRejected).because(why)
}

/// The custom header.
pub(crate) const TOKEN_HANDLER_VERSION: HeaderName = HeaderName::from_static("token-handler-version");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");
const PURPOSE: HeaderName = HeaderName::from_static("purpose");
const X_PURPOSE: HeaderName = HeaderName::from_static("x-purpose");
const X_MOZ: HeaderName = HeaderName::from_static("x-moz");

#[cfg(test)]
mod tests;
