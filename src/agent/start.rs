//! One start for every login: `GET login` and `POST login/start` differ only in how they answer.
//!
//! State, nonce and verifier are new and unguessable (L-04, L-06) and stay with this browser, sealed in a cookie named
//! after the state (L-24). The cookie also remembers the issuer (L-19), what was demanded, where to return to, and the
//! session that the browser has now: that one ends when the new one begins (attacks 52, 53).

use http::{HeaderMap, HeaderValue};
use url::Url;

use super::Agent;
use super::login_request::LoginRequest;
use crate::provider::AuthorizationRequest;
use crate::refusal::{Code, Refusal};
use crate::session::{Opened, PendingLogin};
use crate::token::{Nonce, State, Verifier};

/// A login on its way to the provider.
#[derive(Debug)]
pub(super) struct Started {
    /// Where to send the browser.
    pub(super) authorization_url: Url,
    /// The login cookie, and the clearing of those that are too many.
    pub(super) cookies: Vec<HeaderValue>,
}

/// Starts a login. No cookie is made unless the provider can be reached.
///
/// # Errors
/// `provider_unavailable`, `provider_response_invalid`; `invalid_request` where it would not fit into a cookie.
pub(super) async fn start(
    agent: &Agent,
    headers: &HeaderMap,
    request: LoginRequest,
) -> Result<Started, Refusal> {
    let cookies = &agent.sessions.parts.cookies;
    let login = PendingLogin {
        state: State::new(agent.random.token()),
        nonce: Nonce::new(agent.random.token()),
        verifier: Verifier::new(agent.random.token()),
        issuer: agent.app.provider.issuer.clone(),
        redirect_uri: agent.app.provider.redirect_uri.clone(),
        return_to: request.return_to.stored().into(),
        acr_values: request.acr_values,
        max_age: request.max_age,
        replaces: match cookies.open(headers) {
            Opened::Session(session, _) => Some(session.id),
            Opened::Shelved(shelved, _) => Some(shelved.facts().id),
            Opened::Absent | Opened::Unreadable { .. } => None,
        },
        started: agent.clock.now(),
    };
    let authorization_url = agent
        .provider
        .authorization_url(&AuthorizationRequest {
            state: &login.state,
            nonce: &login.nonce,
            verifier: &login.verifier,
            scope: request.scope.as_deref(),
            acr_values: &login.acr_values,
            max_age: login.max_age,
            prompt: request.prompt.as_deref(),
            login_hint: request.login_hint.as_deref(),
            ui_locales: request.ui_locales.as_deref(),
        })
        .await?;
    let cookies = cookies
        .seal_login(&login, headers, login.started)
        .map_err(|too_large| {
            Refusal::new(Code::InvalidRequest)
                .saying("The parameter `return_to` is too long to be remembered.")
                .because(too_large.to_string())
        })?;
    Ok(Started {
        authorization_url,
        cookies,
    })
}
