//! The map: checked configuration → parts → one function from request to answer.
//!
//! [`TokenHandler::handle`] is all of Cloakroom. Read it top to bottom: it is the order of refusals of contract §6, and
//! each step says which part decides.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::{HeaderValue, Method, Request, Response};
use ipnet::IpNet;

use crate::agent::{Asked, Endpoint, Protection};
use crate::body::{RequestBody, ResponseBody};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, SessionNeed, StoreKind, TokenKind};
use crate::gate::app::{Hosts, Match, Prefixes, host_of};
use crate::gate::harden::Answer;
use crate::gate::path::CanonicalPath;
use crate::gate::{RequestId, RequestIds, client, cors, csrf, harden, limits};
use crate::proxy::{self, Forward, Identity};
use crate::random::{OsRandom, Random};
use crate::refusal::{Code, Fault, Refusal};
use crate::renewal::{Admitted, Sessions};
use crate::store::{MemoryStore, Store};

mod runtime;

use runtime::{AppRuntime, RouteRuntime, Site, Target};

/// The whole of Cloakroom behind one function. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TokenHandler {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ids: RequestIds,
    hosts: Hosts<Site>,
    trusted_proxies: Vec<IpNet>,
    max_header_bytes: usize,
    /// Our element of `Via`: a pseudonym of this process, so that a request that comes back is known (P-07).
    via: HeaderValue,
    /// Of every app: asked at a shutdown what must still finish.
    sessions: Vec<Sessions>,
}

/// The impurities and shared state a [`TokenHandler`] is given; tests pass their own.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Shared state; `None` = what `[store]` says.
    pub store: Option<Arc<dyn Store>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            store: None,
        }
    }
}

/// A checked configuration that still cannot be served (a `ca_file` without a certificate, say).
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(pub String);

impl TokenHandler {
    /// Builds every app: derives keys, prepares routes, contacts nobody.
    ///
    /// # Errors
    /// [`BuildError`] when TLS towards a provider or an upstream cannot be set up.
    pub fn new(config: &Config, environment: Environment) -> Result<Self, BuildError> {
        let Environment { clock, random, store } = environment;
        let store = store.unwrap_or_else(|| match config.store {
            StoreKind::Memory => Arc::new(MemoryStore::new(&*random)),
        });
        let apps = runtime::build(config, &clock, &random, &store)?;
        let sessions = apps.iter().map(|app| app.sessions.clone()).collect();
        let pseudonym = u64::from_le_bytes(random.bytes());
        Ok(Self {
            inner: Arc::new(Inner {
                ids: RequestIds::new(&*random),
                hosts: Hosts::new(runtime::sites(apps)),
                trusted_proxies: config.server.trusted_proxies.clone(),
                max_header_bytes: config.server.max_header_bytes,
                via: HeaderValue::try_from(format!("1.1 cloakroom-{pseudonym:016x}"))
                    .map_err(|error| BuildError(error.to_string()))?,
                sessions,
            }),
        })
    }

    /// Waits until no renewal and no revocation is under way: what a shutdown does last, bounded by its own deadline.
    pub async fn settled(&self) {
        for sessions in &self.inner.sessions {
            sessions.settled().await;
        }
    }

    /// Answers one request. `peer` is the address of whoever is at the other end of the connection.
    ///
    /// Dropping the future stops forwarding; what must not be cancelled (renewal, revocation) runs on by itself.
    pub async fn handle(&self, request: Request<RequestBody>, peer: IpAddr) -> Response<ResponseBody> {
        let id = self.inner.ids.next();
        let ask = Ask {
            id,
            method: request.method().clone(),
            peer,
        };
        // A panic in one request is that request's 500, and nobody else's (E-04).
        match AssertUnwindSafe(self.inner.answer(&ask, request))
            .catch_unwind()
            .await
        {
            Ok(response) => response,
            Err(_) => {
                let refusal = Refusal {
                    close: true,
                    ..Refusal::new(Code::Internal).because("a panic: this is a bug")
                };
                refuse(&ask, None, refusal)
            }
        }
    }

    /// The limit of `server.max_header_bytes`, for the listener's buffers.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.inner.max_header_bytes
    }

    /// The answer to whoever comes when there is no room (contract §6: 503 `overloaded`).
    pub(crate) fn overloaded(&self, method: &Method, peer: IpAddr) -> Response<ResponseBody> {
        let ask = Ask {
            id: self.inner.ids.next(),
            method: method.clone(),
            peer,
        };
        let refusal = Refusal {
            close: true,
            ..Refusal::new(Code::Overloaded).retry_after(1)
        };
        refuse(&ask, None, refusal)
    }

    /// The answer to a head that the listener found malformed where the HTTP library did not (P-10).
    pub(crate) fn malformed(
        &self,
        method: &Method,
        peer: IpAddr,
        why: &'static str,
    ) -> Response<ResponseBody> {
        let ask = Ask {
            id: self.inner.ids.next(),
            method: method.clone(),
            peer,
        };
        let refusal = Refusal {
            close: true,
            ..Refusal::new(Code::InvalidRequest).saying(why)
        };
        refuse(&ask, None, refusal)
    }
}

/// What is known of a request from its first line on.
#[derive(Debug)]
struct Ask {
    id: RequestId,
    method: Method,
    peer: IpAddr,
}

/// Where a request has got to: whose headers its answer carries, and what the log calls it.
struct Place<'s> {
    app: &'s AppRuntime,
    /// The listed origin whose script may read the answer.
    reader: Option<HeaderValue>,
    /// The prefix that matched, or what else stands there.
    name: &'s str,
}

impl Inner {
    /// The layers, outermost first.
    async fn answer(&self, ask: &Ask, request: Request<RequestBody>) -> Response<ResponseBody> {
        // Limits: a head that is too large, or framed so that two parsers disagree, is not looked at further.
        // Path: canonical or refused, before anything is decided by it.
        // App and route: the site by `Host`, then the longest prefix.
        let (parts, body) = request.into_parts();
        let found = match self.find(ask, &parts) {
            Ok(found) => found,
            Err(refusal) => return refuse(ask, None, refusal),
        };
        let Found { site, path, target } = found;
        let place = Place {
            app: site.app_of(target),
            reader: cors::reader(&site.app_of(target).app, &parts.headers),
            name: site.name_of(target),
        };
        match target {
            // The agent: few and rare requests, through axum.
            Some(Match {
                target: Target::Agent(_),
                length,
            }) => {
                let below = path.as_str().get(length + 1..).unwrap_or_default().to_owned();
                Box::pin(self.agent(ask, &place, below, http::Request::from_parts(parts, body))).await
            }
            // The proxy: the hot path, branches off before any router.
            Some(Match {
                target: Target::Route(_, route),
                ..
            }) => {
                let path = match path.into_text() {
                    std::borrow::Cow::Borrowed(_) => None,
                    std::borrow::Cow::Owned(text) => Some(text),
                };
                self.proxy(ask, &place, route, path, http::Request::from_parts(parts, body))
                    .await
            }
            // The rest: the SPA, where there is one.
            None => Box::pin(page(ask, &place, path.as_str(), &parts.headers)).await,
        }
    }

    fn find<'r>(&self, ask: &Ask, parts: &'r http::request::Parts) -> Result<Found<'_, 'r>, Refusal> {
        limits::check(&parts.uri, parts.version, &parts.headers, self.max_header_bytes)?;
        let path = CanonicalPath::read(parts.uri.path())
            .map_err(|fault| Refusal::new(Code::InvalidRequest).saying(fault.0))?;
        let trusted = client::is_trusted(ask.peer, &self.trusted_proxies);
        let host = host_of(&parts.headers, &parts.uri, parts.version, trusted)?;
        let site = self
            .hosts
            .find(host)
            .ok_or_else(|| Refusal::new(Code::RouteNotFound).because("no app has this host"))?;
        let target = site.prefixes.find(&path)?;
        if path.has_encoded_slash()
            && !matches!(target, Some(Match { target: Target::Route(_, route), .. }) if route.route.pass_encoded_slash)
        {
            return Err(Refusal::new(Code::InvalidRequest).saying("the path has an encoded slash"));
        }
        Ok(Found { site, path, target })
    }

    async fn agent(
        &self,
        ask: &Ask,
        place: &Place<'_>,
        below: String,
        request: Request<RequestBody>,
    ) -> Response<ResponseBody> {
        let endpoint = match agent_gate(ask, place, &below, request.headers()) {
            Ok(Passed::On(endpoint)) => endpoint,
            Ok(Passed::Answered(response)) => return response,
            Err(refusal) => return refuse(ask, Some(place), refusal),
        };
        let asked = Asked {
            request_id: ask.id,
            client: client::client_address(ask.peer, request.headers(), &self.trusted_proxies),
        };
        let mut response = place.app.ask_agent(endpoint, asked, request).await;
        // Agent answers that refuse carry the refusal; it is rendered in one place, with its cookies.
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            return refuse(ask, Some(place), refusal);
        }
        finish(ask, Some(place), Answer::Ours, &[], response)
    }

    async fn proxy(
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
                self.forward(ask, place, route, admitted.as_ref(), path, request)
                    .await
            }
            Err(refusal) => Err(refusal),
        };
        let cookies = match &admitted {
            Some(admitted) if admitted.renewed || admitted.slide => {
                place.app.sessions.cookies_for_answer(admitted).await
            }
            _ => Vec::new(),
        };
        match answered {
            Ok((mut response, rewritten)) => {
                if !cookies.is_empty() {
                    proxy::never_store(response.headers_mut());
                    for cookie in cookies {
                        response.headers_mut().append(http::header::SET_COOKIE, cookie);
                    }
                }
                finish(ask, Some(place), Answer::Upstream, &rewritten.exposed, response)
            }
            Err(refusal) => refuse(ask, Some(place), refusal.with_cookies(cookies)),
        }
    }

    async fn forward(
        &self,
        ask: &Ask,
        place: &Place<'_>,
        route: &RouteRuntime,
        admitted: Option<&Admitted>,
        path: Option<String>,
        request: Request<RequestBody>,
    ) -> Result<(Response<ResponseBody>, proxy::Rewritten), Refusal> {
        let token = match route.route.token {
            TokenKind::Access => admitted.map(|admitted| &admitted.session.access.token),
            TokenKind::None => None,
        };
        let identity = Identity {
            client: client::client_address(ask.peer, request.headers(), &self.trusted_proxies),
            host: &place.app.host,
            scheme: place.app.scheme,
            via: &self.via,
            request_id: ask.id.header(),
        };
        let mut response = route
            .passage
            .forward(Forward {
                request,
                path,
                token,
                identity,
            })
            .await?;
        let rewritten = proxy::rewrite(response.headers_mut(), route.route.session, token);
        if rewritten.dropped_cookies > 0 || rewritten.leaked {
            tracing::warn!(
                event = "upstream_header_dropped",
                request_id = %ask.id,
                route = place.name,
                cookies = rewritten.dropped_cookies,
                token = rewritten.leaked,
                "the upstream sent a cookie of our form or a header with the token"
            );
        }
        Ok((response, rewritten))
    }
}

/// What [`Inner::find`] found.
struct Found<'s, 'r> {
    site: &'s Site,
    path: CanonicalPath<'r>,
    target: Option<Match<'s, Target>>,
}

/// How the gate before the agent ends.
enum Passed {
    On(Endpoint),
    Answered(Response<ResponseBody>),
}

/// Endpoint, preflight, method, CSRF, in this order.
fn agent_gate(
    ask: &Ask,
    place: &Place<'_>,
    below: &str,
    headers: &http::HeaderMap,
) -> Result<Passed, Refusal> {
    let app = &place.app.app;
    let endpoint = Endpoint::at(below).ok_or_else(|| Refusal::new(Code::RouteNotFound))?;
    let allow = if endpoint.method() == Method::GET {
        HeaderValue::from_static("GET, HEAD")
    } else {
        HeaderValue::from_static("POST")
    };
    if cors::is_preflight(&ask.method, headers) {
        let mut response = cors::preflight(app, &allow, headers)?;
        harden::apply(Answer::Ours, Some(app), ask.id, response.headers_mut());
        return Ok(Passed::Answered(response));
    }
    let taken = endpoint.method();
    if ask.method != taken && !(ask.method == Method::HEAD && taken == Method::GET) {
        return Err(Refusal::method_not_allowed(allow));
    }
    match endpoint.protection() {
        Protection::Call => csrf::check_call(app, crate::config::CsrfRule::Header, &ask.method, headers)?,
        Protection::Login => csrf::check_login(app, headers)?,
        Protection::Navigation => {}
    }
    Ok(Passed::On(endpoint))
}

/// Preflight, method, CSRF, in this order. An answer where the request was a preflight.
fn route_gate(
    ask: &Ask,
    place: &Place<'_>,
    route: &RouteRuntime,
    headers: &http::HeaderMap,
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
    headers: &http::HeaderMap,
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
fn guard(route: &RouteRuntime, headers: &http::HeaderMap) -> Result<(), Refusal> {
    let announced = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced > route.route.max_body) {
        return Err(Refusal {
            close: true,
            ..Refusal::new(Code::PayloadTooLarge)
        });
    }
    Ok(())
}

async fn page(ask: &Ask, place: &Place<'_>, path: &str, headers: &http::HeaderMap) -> Response<ResponseBody> {
    let Some(spa) = &place.app.spa else {
        return refuse(ask, Some(place), Refusal::new(Code::RouteNotFound));
    };
    match spa.serve(&ask.method, path, headers).await {
        Ok(response) => finish(ask, Some(place), Answer::Page, &[], response),
        Err(refusal) => refuse(ask, Some(place), refusal),
    }
}

/// The one place where a refusal becomes an answer, and a line in the log. The line never holds a query, a cookie or a
/// token.
fn refuse(ask: &Ask, place: Option<&Place<'_>>, refusal: Refusal) -> Response<ResponseBody> {
    log(ask, place, &refusal);
    let response = refusal.render(ask.id, &ask.method);
    finish(ask, place, Answer::Ours, &[], response)
}

fn log(ask: &Ask, place: Option<&Place<'_>>, refusal: &Refusal) {
    let (request_id, code, status) = (ask.id, refusal.code.as_str(), refusal.code.status().as_u16());
    let (app, route) = place.map_or(("", ""), |place| (place.app.app.id.as_str(), place.name));
    let reason = refusal
        .log
        .as_deref()
        .or(refusal.detail.as_deref())
        .unwrap_or_default();
    match refusal.code.fault() {
        Fault::Client => tracing::info!(event = "refused", %request_id, code, status, app, route, reason),
        Fault::Provider | Fault::Upstream => {
            tracing::warn!(event = "refused", %request_id, code, status, app, route, reason);
        }
        Fault::Us => tracing::error!(event = "refused", %request_id, code, status, app, route, reason),
    }
}

/// What every answer carries.
fn finish(
    ask: &Ask,
    place: Option<&Place<'_>>,
    answer: Answer,
    exposed: &[HeaderValue],
    mut response: Response<ResponseBody>,
) -> Response<ResponseBody> {
    let headers = response.headers_mut();
    if let Some(place) = place {
        cors::apply(&place.app.app, place.reader.as_ref(), exposed, headers);
    }
    harden::apply(answer, place.map(|place| &*place.app.app), ask.id, headers);
    response
}

#[cfg(test)]
mod tests;
