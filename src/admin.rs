//! The listener for operators and their machines (contract §7 `[admin]`): probes, metrics, sessions, revocation.
//!
//! It is a listener of its own, off by default, on loopback unless somebody says otherwise: none of its paths exists on the
//! public one (attack 185, G-08). Who may ask what, in this order:
//!
//! 1. **No browser.** A request with `Origin` or `Sec-Fetch-*` is refused, whatever it asks for: a page that an operator
//!    reads must not reach this port (403).
//! 2. **Called by its own name.** `Host` is an address of this listener or a loopback name; any other is a page whose name
//!    was pointed here (DNS rebinding, 403).
//! 3. **Path, then method**: 404, 405.
//! 4. **`/sessions` and `/revoke` want the token**, compared in constant time; a wrong one is told so after a second. Where
//!    none is configured they do not exist.
//!
//! Nothing of a session but what its login recorded is ever shown: no token, no cookie, no session id. What a list calls
//! `sid` is a handle, made from the id by a hash.
//!
//! | file | what it does |
//! | --- | --- |
//! | `gate` | steps 1, 2 and 4 |
//! | `endpoint` | the closed list of step 3 |
//! | `probes` | `/livez`, `/readyz`, `/metrics` |
//! | `sessions` | `GET /sessions` |
//! | `revoke`, `wanted` | `POST /revoke`; what its body asks for |
//! | `time` | times as people write them |
//! | `answer` | JSON, text, refusals |

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::FutureExt as _;
use http::request::Parts;
use http::{Method, Request, Response};

use crate::body::{RequestBody, ResponseBody};
use crate::config;
use crate::gate::RequestId;
use crate::gate::limits;
use crate::handler::TokenHandler;
use crate::metrics::OpenConnection;
use crate::refusal::{Code, Refusal};
use crate::server::Answering;

mod answer;
mod endpoint;
mod gate;
mod probes;
mod revoke;
mod sessions;
#[cfg(test)]
mod tests;
mod time;
mod wanted;

use endpoint::Endpoint;

/// What answers on the admin listener. Clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Admin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handler: TokenHandler,
    /// Where it really listens: what `Host` may say.
    listen: SocketAddr,
    /// The token is another one after a reload.
    settings: RwLock<config::Admin>,
    draining: AtomicBool,
}

/// A request as far as it has been looked at.
struct Ask {
    id: RequestId,
    method: Method,
    peer: IpAddr,
}

impl Admin {
    /// For the service that `handler` is, on the address that `listen` turned out to be.
    pub(crate) fn new(handler: TokenHandler, settings: config::Admin, listen: SocketAddr) -> Self {
        Self(Arc::new(Inner {
            handler,
            listen,
            settings: RwLock::new(settings),
            draining: AtomicBool::new(false),
        }))
    }

    /// From now on `readyz` says no: the signal to stop has come.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// The token is that of `settings` from now on; the rest only a restart changes.
    pub(crate) fn use_token_of(&self, settings: &config::Admin) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = settings.clone();
    }

    fn settings(&self) -> config::Admin {
        let settings = self.0.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.clone()
    }

    fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    fn ask(&self, method: &Method, peer: IpAddr) -> Ask {
        Ask {
            id: self.0.handler.next_request_id(),
            method: method.clone(),
            peer,
        }
    }

    /// The order of the essay above.
    async fn answer(
        &self,
        ask: &Ask,
        parts: &Parts,
        body: RequestBody,
    ) -> Result<Response<ResponseBody>, Refusal> {
        limits::check(&parts.uri, parts.version, &parts.headers, MAX_HEADER_BYTES)?;
        gate::refuse_browsers(&parts.headers)?;
        gate::check_host(parts, self.0.listen)?;
        let endpoint = Endpoint::at(parts.uri.path()).ok_or_else(|| Refusal::new(Code::RouteNotFound))?;
        if endpoint.wants_token() {
            // Where there is no token, there is no such path, whatever the method.
            gate::exists(&self.settings())?;
        }
        endpoint.check_method(&parts.method)?;
        if endpoint.wants_token() {
            gate::check_token(&self.settings(), &parts.headers).await?;
        }
        match endpoint {
            Endpoint::Livez => Ok(probes::livez()),
            Endpoint::Readyz => Ok(probes::readyz(self)),
            Endpoint::Metrics => Ok(probes::metrics(self)),
            Endpoint::Sessions => sessions::answer(self, ask, parts.uri.query().unwrap_or_default()).await,
            Endpoint::Revoke => revoke::answer(self, ask, body).await,
        }
    }
}

impl Answering for Admin {
    fn max_header_bytes(&self) -> usize {
        MAX_HEADER_BYTES
    }

    async fn handle(&self, request: Request<RequestBody>, peer: IpAddr) -> Response<ResponseBody> {
        let ask = self.ask(request.method(), peer);
        let (parts, body) = request.into_parts();
        // A panic in one request is that request's 500 (E-04).
        let answer = AssertUnwindSafe(self.answer(&ask, &parts, body)).catch_unwind();
        let answered = answer.await.unwrap_or_else(|_| {
            let refusal = Refusal::new(Code::Internal).because("a panic: this is a bug");
            Err(refusal.closing())
        });
        answer::finish(&ask, parts.uri.path(), answered)
    }

    fn overloaded(&self, method: &Method, peer: IpAddr) -> Response<ResponseBody> {
        let refusal = Refusal::new(Code::Overloaded).retry_after(1).closing();
        answer::finish(&self.ask(method, peer), "", Err(refusal))
    }

    fn malformed(&self, method: &Method, peer: IpAddr, why: &'static str) -> Response<ResponseBody> {
        let refusal = Refusal::new(Code::InvalidRequest).saying(why).closing();
        answer::finish(&self.ask(method, peer), "", Err(refusal))
    }

    fn connection(&self, _full: bool) -> Option<OpenConnection> {
        None
    }

    fn connection_dropped(&self) {}

    async fn settled(&self) {}
}

/// A bearer token and what a client says about itself.
const MAX_HEADER_BYTES: usize = 16 << 10;
