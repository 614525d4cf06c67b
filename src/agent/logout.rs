//! `POST logout`: the session ends here at once, also for whoever copied its cookies (O-01); its tokens are revoked.
//!
//! Nothing the provider does or fails to do keeps a user logged in here (O-02, attack 127). Whether the provider's own
//! session ends too is for the page to decide: it follows `logout_url`, which leads to our `end-session` and from there
//! on. The ID token that this takes waits in a cookie of its own, because the session's are cleared now.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use super::parameters::Parameters;
use super::{Agent, Endpoint, answer};
use crate::config::LogoutHint;
use crate::refusal::{Code, Refusal};
use crate::session::{Farewell, Session};

#[derive(Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    logout_url: Option<String>,
}

/// `POST logout`. The body is read for its form only: it asks for nothing.
pub(super) async fn answer(
    State(agent): State<Agent>,
    headers: HeaderMap,
    _: Parameters,
) -> Result<Response, Refusal> {
    let (ended, mut cookies) = detached(&agent, &headers).await?;
    cookies.extend(agent.sessions.parts.cookies.clear_logins(&headers));
    let farewell = match ended {
        Some(session) => farewell(&agent, session).await,
        None => None,
    };
    let logout_url = farewell.map(|farewell| {
        cookies.extend(farewell);
        format!(
            "{}{}/{}",
            agent.app.origin,
            agent.app.agent_path,
            Endpoint::EndSession.path()
        )
    });
    answer::json(&Body { logout_url }, cookies)
}

/// In a task of its own: a tab that closes right after the click must not keep its session alive.
async fn detached(
    agent: &Agent,
    headers: &HeaderMap,
) -> Result<(Option<Session>, Vec<HeaderValue>), Refusal> {
    let (sessions, headers) = (agent.sessions.clone(), headers.clone());
    tokio::spawn(async move { sessions.log_out(&headers).await })
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Code::Internal).because("the task of a logout died")))
}

/// The `-end` cookie, where the provider has an end-session endpoint to go to.
async fn farewell(agent: &Agent, session: Session) -> Option<Vec<HeaderValue>> {
    if !agent.provider.offers_end_session().await {
        return None;
    }
    let hint = agent.app.provider.logout_hint;
    let mut farewell = Farewell {
        id: agent.random.bytes(),
        id_token: session.id_token.filter(|_| hint == LogoutHint::IdToken),
        provider_session: session
            .identity
            .provider_session
            .filter(|_| hint == LogoutHint::Sid),
        made: agent.clock.now(),
    };
    let cookies = &agent.sessions.parts.cookies;
    cookies.seal_farewell(&farewell).or_else(|| {
        // An ID token too large for its cookie: the provider is told which client, and asks the user which session.
        farewell.id_token = None;
        cookies.seal_farewell(&farewell)
    })
}
