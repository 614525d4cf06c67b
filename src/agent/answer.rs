//! The three shapes of an agent's answer: JSON, a redirect, a refusal (contract §3, §6).
//!
//! None of them may be stored: each says something about one browser at one moment. A redirect is always 303, so that
//! no body is sent on (L-25), and tells the next server nothing about where the browser came from (C-08).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::Asked;
use super::return_to::{ReturnTo, Rules};
use crate::config::App;
use crate::refusal::{Code, Fault, Refusal};

/// 200 with a JSON body of exactly `application/json`.
pub(super) fn json(body: &impl Serialize, cookies: Vec<HeaderValue>) -> Result<Response, Refusal> {
    let bytes = serde_json::to_vec(body).map_err(|error| {
        Refusal::new(Code::Internal).because(format!("an answer did not serialize: {error}"))
    })?;
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    finish(headers, cookies);
    Ok(response)
}

/// 200 that says nothing more.
pub(super) fn empty() -> Response {
    let mut response = Response::new(Body::empty());
    finish(response.headers_mut(), Vec::new());
    response
}

/// 303 to `location`: a path, or an absolute URL, as a URL parser wrote it.
pub(super) fn see_other(location: &str, cookies: Vec<HeaderValue>) -> Result<Response, Refusal> {
    let location = HeaderValue::from_str(location)
        .map_err(|_| Refusal::new(Code::Internal).because("a redirect target is no header value"))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    finish(headers, cookies);
    Ok(response)
}

/// 303 to a path of the configuration, resolved on `spa_origin`.
pub(super) fn to_page(app: &App, path: &str, cookies: Vec<HeaderValue>) -> Result<Response, Refusal> {
    see_other(page(app, path).location(), cookies)
}

/// 303 to `error_path`: how a navigation fails. The page learns the code, not the reason; the log learns both, under
/// the same request id.
pub(super) fn to_error_path(app: &App, asked: Asked, refusal: Refusal) -> Result<Response, Refusal> {
    let request_id = asked.request_id.to_string();
    match refusal.code.fault() {
        Fault::Client => {
            tracing::info!(event = "login_failed", app = app.id.as_str(), %request_id, reason = %refusal);
        }
        Fault::Provider | Fault::Upstream | Fault::Us => {
            tracing::warn!(event = "login_failed", app = app.id.as_str(), %request_id, reason = %refusal);
        }
    }
    let mut pairs = vec![
        ("login_error", refusal.code.as_str()),
        ("request_id", &request_id),
    ];
    pairs.extend(refusal.provider_error.map(|code| ("provider_error", code)));
    see_other(
        page(app, &app.error_path).with_query(&pairs).location(),
        refusal.set_cookies,
    )
}

impl IntoResponse for Refusal {
    /// Carries the refusal out of the router; the one place that renders refusals is [`crate::handler`].
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// The configuration's paths were checked at load; one that no longer passes leads home.
fn page(app: &App, path: &str) -> ReturnTo {
    let rules = Rules::of(app);
    ReturnTo::check(path, &rules).unwrap_or_else(|_| ReturnTo::home(&rules))
}

fn finish(headers: &mut HeaderMap, cookies: Vec<HeaderValue>) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
}
