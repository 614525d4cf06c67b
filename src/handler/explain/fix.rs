//! What would help a request that is refused.

use http::HeaderMap;

use super::TOKEN_HANDLER_VERSION;
use crate::config::App;
use crate::refusal::{Code, Refusal};

/// In a line; `None` where nothing would, and should.
pub(super) fn fix(
    refusal: &Refusal,
    step: &str,
    app: Option<&App>,
    headers: &HeaderMap,
    onward: Option<&str>,
) -> Option<String> {
    let origin = app.map_or("the app's origin", |app| app.origin.as_str());
    Some(match (refusal.code, step) {
        (Code::InvalidRequest, "path") => {
            "ask for the path as it would be without tricks: no dot segments, no `//`, no \
                                           `\\`, nothing encoded that need not be"
                .to_owned()
        }
        (Code::RouteNotFound, "app") => {
            "ask by the host of a configured `origin`: name it with `--host`".to_owned()
        }
        (Code::RouteNotFound, "agent") => "docs/reference/http.md lists the endpoints".to_owned(),
        (Code::RouteNotFound, _) if app.is_some_and(|app| app.spa.is_some()) => {
            "the SPA has no such file; its pages are for requests that accept HTML: -H 'Accept: text/html'"
                .to_owned()
        }
        (Code::RouteNotFound, _) => {
            "configure an `[[app.route]]` whose `path` is a prefix of it, with the same case".to_owned()
        }
        (Code::MethodNotAllowed, _) => {
            "ask with an allowed method, or add it to the route's `methods`".to_owned()
        }
        (Code::CsrfRejected, _) if !headers.contains_key(TOKEN_HANDLER_VERSION) && step == "csrf" => {
            "let script send it: `token-handler-version: 1`; here: -H 'token-handler-version: 1'".to_owned()
        }
        (Code::CsrfRejected, _) => {
            format!("nothing should: only {origin} and its `allowed_origins` may make this request")
        }
        (Code::OriginRejected, _) => {
            format!("call from {origin}, or list the origin in `allowed_origins`")
        }
        (Code::SessionMissing, _) => match onward {
            Some(target) => format!(
                "sign in, or name a session's cookies with `--cookie-file`; with a live session it goes to {target}"
            ),
            None => "sign in again".to_owned(),
        },
        (Code::SessionExpired | Code::SessionRevoked, _) => "sign in again".to_owned(),
        (Code::AccessTokenExpired, _) => {
            "let script `POST refresh` first, or set `session.refresh = \"inline\"`".to_owned()
        }
        (Code::PayloadTooLarge, _) => "raise the route's `max_body`".to_owned(),
        (Code::HeadersTooLarge, _) => "raise `server.max_header_bytes`".to_owned(),
        _ => return None,
    })
}
