//! `GET userinfo`: the provider's claims about the user, fetched now (OpenID Connect Core §5.3).
//!
//! The session is admitted as for an API call, so it is renewed when due, and whatever answer follows carries the renewed
//! cookies. `sub` was checked by the provider's side (T-19).

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;

use super::{Agent, answer};
use crate::provider::ProviderError;
use crate::refusal::{Code, Refusal};
use crate::renewal::Admitted;

/// `GET userinfo`
pub(super) async fn answer(State(agent): State<Agent>, headers: HeaderMap) -> Result<Response, Refusal> {
    let admitted = agent
        .sessions
        .admit(&headers)
        .await?
        .ok_or_else(|| Refusal::new(Code::SessionMissing))?;
    let claims = agent
        .provider
        .userinfo(&admitted.session.access.token, &admitted.session.identity.subject)
        .await;
    let cookies = agent.sessions.cookies_for_answer(&admitted).await;
    match claims {
        Ok(claims) => answer::json(&claims, cookies),
        Err(error) => Err(refusal(error, &admitted).with_cookies(cookies)),
    }
}

/// A token that the provider itself no longer takes is an access token that has expired early, and the remedy is the
/// one of that code: call `refresh`, which learns for good whether the session is over. Without a refresh token it is.
/// The cookies stay in either case: only a final `invalid_grant` clears them (contract §4).
fn refusal(error: ProviderError, admitted: &Admitted) -> Refusal {
    match error {
        ProviderError::InvalidGrant => Refusal::new(if admitted.session.access.has_refresh {
            Code::AccessTokenExpired
        } else {
            Code::SessionExpired
        })
        .because("the userinfo endpoint answered 401"),
        // What the provider says about a login belongs to a login; here its answer is merely of no use.
        ProviderError::Refused(code) => Refusal::new(Code::ProviderResponseInvalid).because(code),
        other => other.into(),
    }
}
