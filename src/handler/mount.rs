//! The same engine in someone's own axum app: the whole, the agent alone, the proxy alone.
//!
//! A router of ours is a fallback, and a route for each prefix that is configured. So it can be merged into an app (whose
//! own routes go first), nested under a path, or be all there is. The order of checks is the handler's own, and the path
//! that counts is the one the browser asked for, also below a `nest`: `agent_path` and the routes' `path` are written in
//! full.
//!
//! | how | what becomes of everything else |
//! | --- | --- |
//! | `app.merge(handler.router())` | the handler answers it: the SPA where `spa` is set, else 404 |
//! | `app.nest("/auth", handler.agent_router())` | below `/auth` the handler answers 404; the rest is the app's |
//! | `app.fallback(mine).merge(handler.router().reset_fallback())` | `mine` answers it; there is no SPA then |
//!
//! **Who asks** is the peer of the connection: a [`Peer`] in the request's extensions, else axum's
//! `ConnectInfo<SocketAddr>`. Where neither is there nobody is believed: `trusted_proxies` count for nothing and upstreams
//! are told `unknown`. That is safe, and says so once in the log.
//!
//! What the service's own listener does on bytes cannot be done here, because an app sees requests only after its HTTP
//! library has read them. Lost are the deadlines of heads, idle connections and stalled readers, the limit of connections,
//! the drain that waits for renewals, and the refusal of heads that hyper reads leniently (`Content-Length` beside
//! `Transfer-Encoding`, bare line feeds, fragments). What an app does about it: `docs/how-to/in-your-axum-app.md`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Once;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri};
use axum::routing::any;
use http::{Request, Response};
use http_body::Body as _;

use super::TokenHandler;
use crate::body::RequestBody;

/// The address of whoever is at the other end of the connection, in the extensions of a request: for apps whose listener
/// knows it and does not leave axum's `ConnectInfo`.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::Next;
/// use axum::response::Response;
///
/// /// The sidecar in front is the only one that can connect.
/// async fn from_the_sidecar(mut request: Request, next: Next) -> Response {
///     request.extensions_mut().insert(cloakroom::Peer([127, 0, 0, 1].into()));
///     next.run(request).await
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What of the handler is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Agent, proxy and SPA.
    Whole,
    /// What is below an `agent_path`.
    Agent,
    /// What is below a route.
    Proxy,
}

impl TokenHandler {
    /// The whole: agent, proxy and, where `spa` is set, the SPA's files. Everything else is 404 `route_not_found`.
    ///
    /// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that the client's address is known.
    pub fn router(&self) -> Router {
        self.mounted(Part::Whole)
    }

    /// The OAuth agent alone: the endpoints below each `agent_path`. Everything else is 404 `route_not_found`.
    ///
    /// Agent and proxy of one handler share their sessions. Two processes need a store that both can reach.
    pub fn agent_router(&self) -> Router {
        self.mounted(Part::Agent)
    }

    /// The OAuth proxy alone: the routes. Everything else is 404 `route_not_found`.
    pub fn proxy_router(&self) -> Router {
        self.mounted(Part::Proxy)
    }

    /// The same, where the listener of this process is for the agent alone (`serve --only agent`).
    pub(crate) fn agent_alone(self) -> Self {
        Self {
            part: Part::Agent,
            ..self
        }
    }

    /// The same for the proxy.
    pub(crate) fn proxy_alone(self) -> Self {
        Self {
            part: Part::Proxy,
            ..self
        }
    }

    fn mounted(&self, part: Part) -> Router {
        let handler = self.clone();
        let ask = move |request: Request<Body>| {
            let handler = handler.clone();
            async move { handler.answer_axum(part, request).await }
        };
        // A prefix may have a segment that begins with a colon; here it is text.
        let router = Router::new().without_v07_checks().fallback(ask.clone());
        self.prefixes(part).into_iter().fold(router, |router, prefix| {
            let prefix = prefix.trim_end_matches('/');
            let router = router
                .route(&format!("{prefix}/"), any(ask.clone()))
                .route(&format!("{prefix}/{{*below}}"), any(ask.clone()));
            if prefix.is_empty() {
                router
            } else {
                router.route(prefix, any(ask.clone()))
            }
        })
    }

    /// The prefixes of this part, each once: apps with hosts of their own may have the same.
    fn prefixes(&self, part: Part) -> Vec<Box<str>> {
        let current = self.view.current();
        let mut all: Vec<Box<str>> = Vec::new();
        for app in &current.apps {
            let agent = (part != Part::Proxy).then_some(&app.app.agent_path);
            let routes = (part != Part::Agent).then_some(&app.app.routes);
            let routes = routes.into_iter().flatten().map(|route| &route.path);
            all.extend(agent.into_iter().chain(routes).cloned());
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    async fn answer_axum(&self, part: Part, mut request: Request<Body>) -> Response<Body> {
        let peer = peer(&request);
        // Below a `nest` the path is cut: what the browser asked for decides.
        if let Some(OriginalUri(asked)) = request.extensions_mut().remove::<OriginalUri>() {
            *request.uri_mut() = asked;
        }
        let request = request.map(|body| {
            if body.is_end_stream() {
                RequestBody::Empty
            } else {
                RequestBody::Any(body)
            }
        });
        self.handle_part(part, request, peer).await.map(Body::new)
    }
}

fn peer(request: &Request<Body>) -> IpAddr {
    let extensions = request.extensions();
    if let Some(Peer(address)) = extensions.get() {
        return *address;
    }
    if let Some(ConnectInfo(address)) = extensions.get::<ConnectInfo<SocketAddr>>() {
        return address.ip();
    }
    SAID.call_once(|| {
        tracing::warn!(
            event = "peer_unknown",
            "requests come without the address of their peer: no proxy is trusted, and upstreams are told `unknown`"
        );
    });
    UNKNOWN
}

/// It is said once.
static SAID: Once = Once::new();

/// Nobody's address, which no list of trusted proxies covers.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests;
