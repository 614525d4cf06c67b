//! `GET end-session`: on to the provider, so that its own session ends too (RP-Initiated Logout §2).
//!
//! A navigation that works once, within two minutes of `logout`, and only in the browser that logged out: it lives off
//! the `-end` cookie. The ID token travels in this redirect and nowhere else, where no script can read it. Without a
//! valid cookie there is nothing to end, and the browser goes where it would have come back to.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Agent, answer};
use crate::refusal::Refusal;
use crate::session::FAREWELL_LIFETIME;

/// `GET end-session`
pub(super) async fn answer(State(agent): State<Agent>, headers: HeaderMap) -> Result<Response, Refusal> {
    let cookies = agent.sessions.parts.cookies.clear_farewell(&headers);
    match provider_url(&agent, &headers).await {
        Some(url) => answer::see_other(url.as_str(), cookies),
        None => answer::to_page(&agent.app, &agent.app.post_logout_path, cookies),
    }
}

async fn provider_url(agent: &Agent, headers: &HeaderMap) -> Option<Url> {
    let now = agent.clock.now();
    let farewell = agent.sessions.parts.cookies.open_farewell(headers, now)?;
    let mark = Sha256::new_with_prefix(b"cloakroom end-session\0")
        .chain_update(farewell.id)
        .finalize()
        .into();
    match agent
        .store
        .use_once(mark, farewell.made.after(FAREWELL_LIFETIME), now)
        .await
    {
        Ok(true) => {}
        Ok(false) => return None,
        Err(error) => {
            tracing::warn!(
                app = agent.app.id.as_str(),
                "end-session went without the provider: {error}"
            );
            return None;
        }
    }
    // Nobody checks it on the way back (`logged-out` changes nothing), but it must not be guessable either (O-03).
    let state = agent.random.token();
    agent
        .provider
        .end_session_url(
            farewell.id_token.as_ref(),
            farewell.provider_session.as_deref(),
            &state,
        )
        .await
}
