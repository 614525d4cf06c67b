//! A request for a route: preflight, method, CSRF, session, guard, upstream, answer. The hot path.

use http::{HeaderMap, Request, Response, header};

use super::answer::{finish, refuse};
use super::runtime::{AppRuntime, RouteRuntime};
use super::{Ask, Inner, Place};
use crate::body::{RequestBody, ResponseBody};
use crate::config::SessionNeed;
use crate::gate::harden::Answer;
use crate::gate::{client, cors, csrf, harden};
use crate::proxy::{self, Identity};
use crate::refusal::{Code, Refusal};
use crate::renewal::Admitted;

impl Inner {
    /// Answers a request for `route`; `path` is its canonical path where that is not the path as it came.
    pub(super) async fn proxy(
        &self,
        ask: &Ask,
        place: &Place<'_>,
        route: &RouteRuntime,
        path: Option<String>,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        // Preflight, method, CSRF.
        match route_gate(ask, place, route, request.headers()) {
            Ok(None) => {}
            Ok(Some(response)) => return response,
            Err(refusal) => return refuse(ask, Some(place), refusal),
        }
        // Session: opened, alive, renewed when due. A public route opens no cookie.
        let admitted = match admit(place.app, route.route.session, request.headers()).await {
            Ok(admitted) => admitted,
            Err(refusal) => return refuse(ask, Some(place), refusal),
        };
        // Guard, then out: whatever comes of it, renewed cookies go out with the answer.
        let answered = match guard(route, request.headers()) {
            Ok(()) => {
                self.onward(ask, place, route, admitted.as_ref(), path.as_deref(), request)
                    .await
            }
            Err(refusal) => Err(refusal),
        };
        let cookies = match &admitted {
            Some(admitted) if admitted.wants_cookies() => {
                place.app.sessions.cookies_for_answer(admitted).await
            }
            _ => Vec::new(),
        };
        match answered {
            Ok((mut response, rewritten)) => {
                if !cookies.is_empty() {
                    proxy::never_store(response.headers_mut());
                    for cookie in cookies {
                        response.headers_mut().append(header::SET_COOKIE, cookie);
                    }
                }
                finish(ask, Some(place), Answer::Upstream, &rewritten.exposed, response)
            }
            Err(refusal) => refuse(ask, Some(place), refusal.with_cookies(cookies)),
        }
    }

    /// What an upstream of `app` is told about the request.
    pub(super) fn identity<'s>(
        &'s self,
        ask: &Ask,
        app: &'s AppRuntime,
        headers: &HeaderMap,
    ) -> Identity<'s> {
        Identity {
            client: client::client_address(ask.peer, headers, &self.trusted_proxies),
            host: &app.host,
            scheme: app.scheme,
            via: &self.via,
            request_id: ask.id.header(),
        }
    }
}

/// Preflight, method, CSRF, in this order. An answer where the request was a preflight.
pub(super) fn route_gate(
    ask: &Ask,
    place: &Place<'_>,
    route: &RouteRuntime,
    headers: &HeaderMap,
) -> Result<Option<Response<ResponseBody>>, Refusal> {
    let app = &place.app.app;
    if cors::is_preflight(&ask.method, headers) {
        let mut response = cors::preflight(app, &route.methods, headers)?;
        harden::apply(Answer::Ours, Some(app), ask.id, response.headers_mut());
        return Ok(Some(response));
    }
    if !route.route.allows(&ask.method) {
        return Err(Refusal::method_not_allowed(route.methods.clone()));
    }
    if route.route.session != SessionNeed::None {
        csrf::check_call(app, route.route.csrf, &ask.method, headers)?;
    }
    Ok(None)
}

async fn admit(
    app: &AppRuntime,
    need: SessionNeed,
    headers: &HeaderMap,
) -> Result<Option<Admitted>, Refusal> {
    if need == SessionNeed::None {
        return Ok(None);
    }
    match app.sessions.admit(headers).await? {
        None if need == SessionNeed::Required => Err(Refusal::new(Code::SessionMissing)),
        admitted => Ok(admitted),
    }
}

/// What the route demands beyond a session: today a body that is not announced too large. One that lies about it is cut
/// on its way.
pub(super) fn guard(route: &RouteRuntime, headers: &HeaderMap) -> Result<(), Refusal> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > route.route.max_body) {
        return Err(Refusal::new(Code::PayloadTooLarge).closing());
    }
    Ok(())
}
