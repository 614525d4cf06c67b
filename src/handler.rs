//! The map: checked configuration → parts → one function from request to answer.
//!
//! [`TokenHandler::handle`] is all of Cloakroom. Read it top to bottom: it is the order of refusals of contract §6, and
//! each step says which part decides.

use std::borrow::Cow;
use std::future::{Future as _, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use ipnet::IpNet;

use crate::body::{RequestBody, ResponseBody};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::gate::app::{Hosts, Match, host_of};
use crate::gate::harden::Answer;
use crate::gate::path::CanonicalPath;
use crate::gate::{RequestId, RequestIds, client, cors, limits};
use crate::metrics::{AppMeters, Source};
use crate::random::{OsRandom, Random};
use crate::refusal::{Code, Refusal};
use crate::store::Store;

mod agent;
mod answer;
mod api;
mod explain;
mod inside;
mod live;
mod mount;
mod onward;
mod reload;
mod runtime;

use answer::{finish, refuse};
pub(crate) use explain::{Explanation, Step, Verdict};
use live::{Live, View};
use mount::Part;
pub use mount::Peer;
use reload::Lasting;
use runtime::{AppRuntime, Site, Target};

/// The whole of Cloakroom behind one function.
///
/// Clones share everything: sessions, store, configuration. Each clone is a view of its own at the configuration that is
/// current, so give one to every connection rather than a reference to all of them.
///
/// ```
/// use cloakroom::{Config, Environment, TokenHandler};
///
/// # fn build(config: &Config) -> Result<(), cloakroom::BuildError> {
/// let handler = TokenHandler::new(config, Environment::default())?;
/// let app: axum::Router = axum::Router::new()
///     .route("/hello", axum::routing::get(async || "mine"))
///     .merge(handler.router());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenHandler {
    lasting: Arc<Lasting>,
    view: View<Inner>,
    /// What [`Self::handle`] answers for.
    part: Part,
}

/// One configuration, ready to serve. A reload puts another one in its place.
#[derive(Debug)]
struct Inner {
    ids: RequestIds,
    hosts: Hosts<Site>,
    trusted_proxies: Vec<IpNet>,
    max_header_bytes: usize,
    /// Our element of `Via`: a pseudonym of this process, so that a request that comes back is known (P-07).
    via: HeaderValue,
    apps: Vec<Arc<AppRuntime>>,
    /// Counts requests that are for no app.
    unplaced: AppMeters,
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
        let lasting = Lasting::new(config, environment)?;
        let view = View::new(&Live::new(lasting.build(config, None)?));
        Ok(Self {
            lasting: Arc::new(lasting),
            view,
            part: Part::Whole,
        })
    }

    /// Waits until no renewal and no revocation is under way and the store has everything: what a shutdown does last, bounded
    /// by its own deadline.
    pub async fn settled(&self) {
        for under_way in self.lasting.under_way() {
            under_way.settled().await;
        }
        self.lasting.store.settled().await;
    }

    /// Answers one request. `peer` is the address of whoever is at the other end of the connection.
    ///
    /// Dropping the future stops forwarding; what must not be cancelled (renewal, revocation) runs on by itself.
    pub async fn handle(&self, request: Request<RequestBody>, peer: IpAddr) -> Response<ResponseBody> {
        self.handle_part(self.part, request, peer).await
    }

    /// Answers one request that is for `part`, and 404 to all others.
    async fn handle_part(
        &self,
        part: Part,
        request: Request<RequestBody>,
        peer: IpAddr,
    ) -> Response<ResponseBody> {
        let current = self.view.current();
        let ask = Ask {
            id: current.ids.next(),
            method: request.method().clone(),
            peer,
            part,
        };
        // A panic in one request is that request's 500, and nobody else's (E-04).
        // Pinned where it is: to wrap the future would be to move it, and it is large.
        let mut answer = pin!(current.answer(&ask, request));
        poll_fn(|cx| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))).unwrap_or_else(|_| {
                let refusal = Refusal::new(Code::Internal).because("a panic: this is a bug");
                Poll::Ready(current.refuse_nowhere(&ask, refusal.closing()))
            })
        })
        .await
    }

    /// The limit of `server.max_header_bytes`, for the listener's buffers.
    pub(crate) fn max_header_bytes(&self) -> usize {
        self.view.current().max_header_bytes
    }

    /// The answer to whoever comes when there is no room (contract §6: 503 `overloaded`).
    pub(crate) fn overloaded(&self, method: &Method, peer: IpAddr) -> Response<ResponseBody> {
        let refusal = Refusal::new(Code::Overloaded).retry_after(1);
        self.refuse_unheard(method, peer, refusal.closing())
    }

    /// The answer to a head that the listener found malformed where the HTTP library did not (P-10).
    pub(crate) fn malformed(
        &self,
        method: &Method,
        peer: IpAddr,
        why: &'static str,
    ) -> Response<ResponseBody> {
        let refusal = Refusal::new(Code::InvalidRequest).saying(why);
        self.refuse_unheard(method, peer, refusal.closing())
    }

    /// Refuses what nobody looks at further.
    fn refuse_unheard(&self, method: &Method, peer: IpAddr, refusal: Refusal) -> Response<ResponseBody> {
        let current = self.view.current();
        let ask = Ask {
            id: current.ids.next(),
            method: method.clone(),
            peer,
            part: Part::Whole,
        };
        current.refuse_nowhere(&ask, refusal)
    }
}

/// What is known of a request from its first line on.
#[derive(Debug)]
struct Ask {
    id: RequestId,
    method: Method,
    peer: IpAddr,
    part: Part,
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
            Err(refusal) => return self.refuse_unplaced(ask, &parts, refusal),
        };
        let Found { site, path, target } = found;
        let place = Place {
            app: site.app_of(target),
            reader: cors::reader(&site.app_of(target).app, &parts.headers),
            name: target.map_or("", |found| found.target.name()),
        };
        match target {
            // The agent: few and rare requests, through axum.
            Some(Match {
                target: Target::Agent(_),
                length,
            }) if ask.part != Part::Proxy => {
                let below = path.as_str().get(length + 1..).unwrap_or_default().to_owned();
                Box::pin(self.agent(ask, &place, below, Request::from_parts(parts, body))).await
            }
            // The proxy: the hot path, branches off before any router.
            Some(Match {
                target: Target::Route(_, route),
                ..
            }) if ask.part != Part::Agent => {
                let path = match path.into_text() {
                    Cow::Borrowed(_) => None,
                    Cow::Owned(text) => Some(text),
                };
                self.proxy(ask, &place, route, path, Request::from_parts(parts, body))
                    .await
            }
            // The rest: the SPA, where there is one.
            None if ask.part == Part::Whole => {
                Box::pin(page(ask, &place, path.as_str(), &parts.headers)).await
            }
            // Whoever mounted one half has the other elsewhere, or not at all.
            _ => {
                let refusal = Refusal::new(Code::RouteNotFound).because("not of this half");
                refuse(ask, Some(&place), refusal)
            }
        }
    }

    /// Refuses what never got to a place. Script of a listed origin may read why all the same.
    fn refuse_unplaced(&self, ask: &Ask, parts: &Parts, refusal: Refusal) -> Response<ResponseBody> {
        let trusted = client::is_trusted(ask.peer, &self.trusted_proxies);
        let site = host_of(&parts.headers, &parts.uri, parts.version, trusted)
            .ok()
            .and_then(|host| self.hosts.find(host));
        let place = site.map(|site| Place {
            app: site.app_of(None),
            reader: cors::reader(&site.app_of(None).app, &parts.headers),
            name: "",
        });
        match &place {
            Some(place) => refuse(ask, Some(place), refusal),
            None => self.refuse_nowhere(ask, refusal),
        }
    }

    /// Refuses what is for no app.
    fn refuse_nowhere(&self, ask: &Ask, refusal: Refusal) -> Response<ResponseBody> {
        self.unplaced.refused(refusal.code.as_str());
        self.unplaced.answer(Source::Cloakroom, refusal.code.status());
        refuse(ask, None, refusal)
    }

    fn find<'r>(&self, ask: &Ask, parts: &'r Parts) -> Result<Found<'_, 'r>, Refusal> {
        limits::check(&parts.uri, parts.version, &parts.headers, self.max_header_bytes)?;
        let path = CanonicalPath::read(parts.uri.path()).map_err(|fault| {
            let refusal = Refusal::new(Code::InvalidRequest).saying(fault.0);
            // `CONNECT host:port` and `OPTIONS *`: whoever sends them takes us for another kind of proxy.
            if parts.uri.path().starts_with('/') {
                refusal
            } else {
                refusal.closing()
            }
        })?;
        let trusted = client::is_trusted(ask.peer, &self.trusted_proxies);
        let host = host_of(&parts.headers, &parts.uri, parts.version, trusted)?;
        let site = self.hosts.find(host).ok_or_else(|| {
            Refusal::new(Code::RouteNotFound).because(format!("no app has the host `{host:.80}`"))
        })?;
        let target = site.prefixes.find(&path)?;
        if path.has_encoded_slash()
            && !matches!(target, Some(Match { target: Target::Route(_, route), .. }) if route.route.pass_encoded_slash)
        {
            return Err(Refusal::new(Code::InvalidRequest).saying("the path has an encoded slash"));
        }
        Ok(Found { site, path, target })
    }
}

/// What [`Inner::find`] found.
struct Found<'s, 'r> {
    site: &'s Site,
    path: CanonicalPath<'r>,
    target: Option<Match<'s, Target>>,
}

async fn page(ask: &Ask, place: &Place<'_>, path: &str, headers: &HeaderMap) -> Response<ResponseBody> {
    let Some(spa) = &place.app.spa else {
        return refuse(ask, Some(place), Refusal::new(Code::RouteNotFound));
    };
    match spa.serve(&ask.method, path, headers).await {
        Ok(response) => finish(ask, Some(place), Answer::Page, &[], response),
        Err(refusal) => refuse(ask, Some(place), refusal),
    }
}

#[cfg(test)]
pub(crate) mod tests;
