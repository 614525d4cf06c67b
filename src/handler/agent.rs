//! A request below an `agent_path`: endpoint, preflight, method, CSRF, then axum.

use http::{HeaderMap, HeaderValue, Method, Request, Response};

use super::answer::{finish, refuse};
use super::{Ask, Inner, Place};
use crate::agent::{Asked, Endpoint, Protection};
use crate::body::{RequestBody, ResponseBody};
use crate::config::CsrfRule;
use crate::gate::harden::Answer;
use crate::gate::{client, cors, csrf, harden};
use crate::refusal::{Code, Refusal};

impl Inner {
    /// Answers a request for `below`, the path below `agent_path` without its leading slash.
    pub(super) async fn agent(
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
}

/// How the gate before the agent ends.
pub(super) enum Passed {
    On(Endpoint),
    Answered(Response<ResponseBody>),
}

/// Endpoint, preflight, method, CSRF, in this order.
pub(super) fn agent_gate(
    ask: &Ask,
    place: &Place<'_>,
    below: &str,
    headers: &HeaderMap,
) -> Result<Passed, Refusal> {
    let app = &place.app.app;
    let endpoint = Endpoint::at(below).ok_or_else(|| Refusal::new(Code::RouteNotFound))?;
    let taken = endpoint.method();
    let allow = HeaderValue::from_static(match taken {
        Method::GET if endpoint.takes_head() => "GET, HEAD",
        Method::GET => "GET",
        _ => "POST",
    });
    if cors::is_preflight(&ask.method, headers) {
        let mut response = cors::preflight(app, &allow, headers)?;
        harden::apply(Answer::Ours, Some(app), ask.id, response.headers_mut());
        return Ok(Passed::Answered(response));
    }
    if ask.method != taken && !(ask.method == Method::HEAD && endpoint.takes_head()) {
        return Err(Refusal::method_not_allowed(allow));
    }
    match endpoint.protection() {
        Protection::Call => csrf::check_call(app, CsrfRule::Header, &ask.method, headers)?,
        Protection::Login => csrf::check_login(app, headers)?,
        Protection::Navigation | Protection::Channel => {}
    }
    Ok(Passed::On(endpoint))
}
