//! `POST backchannel-logout`: the provider says that a user has signed out there (OpenID Connect Back-Channel Logout 1.0).
//!
//! No browser is involved: neither cookie nor header is needed, the signature of the token says whom it is from (attack 121).
//!
//! 1. Where the store is nobody's memory (`kind = "none"`) there is nothing here: never a 200 that ends nothing (attack 122).
//! 2. A form with one `logout_token`; other fields are ignored (§2.5). Anything else is 400.
//! 3. The token is verified in full ([`Provider::verify_logout_token`]), or 400 that names the rule (§2.8).
//! 4. It ends what it names and has not been used before ([`crate::renewal`]), or 400. Also where nobody is signed in: 200.
//! 5. A store or a provider that cannot be asked: 503, and the same token may be sent again.
//!
//! [`Provider::verify_logout_token`]: crate::provider::Provider::verify_logout_token

use std::borrow::Cow;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::parameters::{Parameters, is_form};
use super::{Agent, Asked, answer};
use crate::provider::{LogoutToken, ProviderError};
use crate::refusal::{Code, Refusal, TOKEN_HANDLER_ERROR};
use crate::renewal::Heard;

/// `POST backchannel-logout`
pub(super) async fn answer(
    State(agent): State<Agent>,
    Extension(asked): Extension<Asked>,
    headers: HeaderMap,
    parameters: Result<Parameters, Refusal>,
) -> Result<Response, Refusal> {
    if !agent.store.is_authority() {
        return Err(Refusal::new(Code::RouteNotFound).because("no store remembers who has logged out"));
    }
    let (app, request_id) = (agent.app.id.as_str().to_owned(), asked.request_id);
    match hear(agent, &headers, parameters).await {
        Ok(by) => {
            tracing::info!(event = "back_channel_logout", app, %request_id, outcome = "ended", by);
            Ok(answer::empty())
        }
        Err(No::Bad(reason)) => {
            tracing::info!(event = "back_channel_logout", app, %request_id, outcome = "refused", %reason);
            bad(&reason)
        }
        Err(No::Later(refusal)) => Err(refusal),
    }
}

/// Why a logout did not happen.
enum No {
    /// The token's fault, or the request's.
    Bad(Cow<'static, str>),
    /// Nobody's: it may be sent again.
    Later(Refusal),
}

impl From<ProviderError> for No {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Invalid(text) => Self::Bad(text),
            other => Self::Later(other.into()),
        }
    }
}

/// Steps 2 to 4; by what the sessions were found.
async fn hear(
    agent: Agent,
    headers: &HeaderMap,
    parameters: Result<Parameters, Refusal>,
) -> Result<&'static str, No> {
    let parameters = parameters.map_err(|refusal| match refusal.code {
        Code::InvalidRequest => No::Bad("the body is no form".into()),
        _ => No::Later(refusal),
    })?;
    if !is_form(headers) {
        return Err(No::Bad("the body is no form".into()));
    }
    let token = parameters
        .once("logout_token")
        .ok_or(No::Bad("`logout_token` is not there once".into()))?;
    let token = agent.provider.verify_logout_token(token).await?;
    let by = match token.provider_session {
        Some(_) => "sid",
        None => "sub",
    };
    match detached(agent, token).await.map_err(No::Later)? {
        Heard::Ended => Ok(by),
        Heard::Replayed => Err(No::Bad("logout token: it was used before (`jti`)".into())),
        Heard::Torn => Err(No::Bad(
            "logout token: `sub` and `sid` are not of one session".into(),
        )),
    }
}

/// In a task of its own: a provider that hangs up must not leave a token used and its session alive.
async fn detached(agent: Agent, token: LogoutToken) -> Result<Heard, Refusal> {
    tokio::spawn(async move {
        agent
            .sessions
            .end_by_logout_token(&token, agent.longest_session)
            .await
    })
    .await
    .unwrap_or_else(|_| Err(Refusal::new(Code::Internal).because("the task of a logout died")))
}

/// 400 (§2.8), as OAuth says it (RFC 6749 §5.2). The description is a rule's name, written here; nothing of the token.
fn bad(reason: &str) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Problem<'a> {
        error: &'static str,
        error_description: &'a str,
    }
    let code = Code::InvalidRequest;
    let problem = Problem {
        error: code.as_str(),
        // RFC 6749 §5.2: neither quotes nor backslashes.
        error_description: &reason.replace(['`', '"', '\\'], "'"),
    };
    let mut response = answer::json(&problem, Vec::new())?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
        .headers_mut()
        .insert(TOKEN_HANDLER_ERROR, HeaderValue::from_static(code.as_str()));
    Ok(response)
}
