//! `POST refresh`: renews now, unless another renewal just did (contract §9). The work is [`crate::renewal`]'s.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

use super::parameters::Parameters;
use super::{Agent, answer};
use crate::refusal::Refusal;

#[derive(Serialize)]
struct Body {
    /// Not there where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_expires_in: Option<u64>,
}

/// `POST refresh`. The body is read for its form only: it asks for nothing.
pub(super) async fn answer(
    State(agent): State<Agent>,
    headers: HeaderMap,
    _: Parameters,
) -> Result<Response, Refusal> {
    let admitted = agent.sessions.refresh(&headers).await?;
    let cookies = agent.sessions.cookies_for_answer(&admitted).await;
    let now = agent.clock.now();
    let expires = admitted.session.access.expires;
    answer::json(
        &Body {
            access_token_expires_in: expires.map(|end| end.since(now).as_secs()),
        },
        cookies,
    )
}
