//! From a code to a session, detached: redeem, verify, open (C-06, C-11).
//!
//! The work runs in a task of its own, so that a closed tab cannot stop it between the provider's token response and our
//! keeping of it. Tokens that lead to no session (a check failed, the session is too large, the browser has gone) are
//! revoked, best effort: nobody else will ever know of them.
//!
//! Whoever can start a login can finish it with any code, and need not wait for the answer. So that such tasks (each with
//! a connection to the provider) do not pile up while the provider is slow, each takes one of a bounded number of
//! [`Places`] and keeps it to its end (attack 58).

use std::sync::Arc;

use http::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Agent;
use crate::clock::Timestamp;
use crate::provider::{Expectation, ProviderError};
use crate::refusal::{Code, Refusal};
use crate::session::{Identity, PendingLogin, Session};
use crate::token::{AuthorizationCode, TokenSet};

/// What comes out: the session and its cookies.
type Outcome = Result<(Session, Vec<HeaderValue>), Refusal>;

/// How many requests of one kind may be at work at a time, in one app.
#[derive(Debug, Clone)]
pub struct Places(Arc<Semaphore>);

/// One of them.
pub(super) type Place = OwnedSemaphorePermit;

impl Places {
    /// Takes a place.
    ///
    /// # Errors
    /// `overloaded` when there is none: asking again in a moment may find one.
    pub(super) fn take(&self) -> Result<Place, Refusal> {
        Arc::clone(&self.0)
            .try_acquire_owned()
            .map_err(|_| Refusal::new(Code::Overloaded).retry_after(1).because(FULL))
    }

    /// Waits for a place.
    #[cfg(test)]
    pub(super) async fn wait(&self) -> Option<Place> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

/// Redeems `code` for the login it belongs to and opens the session.
///
/// # Errors
/// As [`super::finish::finish`], from the token endpoint on.
pub(super) async fn detached(
    agent: &Agent,
    login: PendingLogin,
    code: AuthorizationCode,
    place: Place,
) -> Outcome {
    let (answer, outcome) = oneshot::channel();
    let work = run(agent.clone(), login, code, answer);
    agent.sessions.detach(async move {
        let _place = place;
        work.await;
    });
    outcome
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Code::Internal).because("the task of a login died")))
}

async fn run(agent: Agent, login: PendingLogin, code: AuthorizationCode, answer: oneshot::Sender<Outcome>) {
    let asked = agent.sessions.now();
    let tokens = match agent
        .provider
        .redeem(code, &login.verifier, &login.redirect_uri)
        .await
    {
        Ok(tokens) => tokens,
        Err(error) => return drop(answer.send(Err(error.into()))),
    };
    let unwanted = tokens.clone();
    let outcome = open(&agent, login, (tokens, asked), &answer).await;
    let failed = outcome.is_err();
    // A receiver that is gone is a browser that is gone: its cookies would reach nobody.
    if answer.send(outcome).is_err() || failed {
        revoke(&agent, &unwanted).await;
    }
}

/// C-11: verified before anything of it is used or stored.
async fn open(
    agent: &Agent,
    login: PendingLogin,
    (tokens, asked): (TokenSet, Timestamp),
    answer: &oneshot::Sender<Outcome>,
) -> Outcome {
    let identity = verify(agent, &login, &tokens).await?;
    if answer.is_closed() {
        // The session this login would replace is still the browser's only one: it stays.
        return Err(Refusal::new(Code::Internal).because("the browser left before its login finished"));
    }
    agent
        .sessions
        .begin(tokens, identity, login.replaces, asked)
        .await
}

async fn verify(agent: &Agent, login: &PendingLogin, tokens: &TokenSet) -> Result<Identity, Refusal> {
    let id_token = tokens.id_token.as_ref().ok_or(ProviderError::Invalid(
        "the token response holds no ID token".into(),
    ))?;
    let verified = agent
        .provider
        .verify(
            id_token,
            Expectation::Login {
                nonce: &login.nonce,
                access: &tokens.access,
                max_age: login.max_age,
                acr_values: &login.acr_values,
            },
        )
        .await?;
    if agent.app.provider.userinfo_at_login {
        agent
            .provider
            .userinfo(&tokens.access, &verified.identity.subject)
            .await
            .map_err(|error| match error {
                // A brand-new token that userinfo refuses is no answer to rely on, and no refused code either.
                ProviderError::InvalidGrant | ProviderError::Refused(_) => {
                    ProviderError::Invalid("userinfo refused the new access token".into())
                }
                other => other,
            })?;
    }
    Ok(verified.identity)
}

async fn revoke(agent: &Agent, tokens: &TokenSet) {
    let report = |token: &str, result: Result<(), ProviderError>| {
        if let Err(error) = result {
            tracing::warn!(event = "token_revocation_failed", app = agent.app.id.as_str(), token, %error);
        }
    };
    if let Some(refresh) = &tokens.refresh {
        report("refresh_token", agent.provider.revoke_refresh(refresh).await);
    }
    report("access_token", agent.provider.revoke_access(&tokens.access).await);
}

/// A provider that answers in a fifth of a second lets more than a thousand logins a second through these.
const PLACES: usize = 256;
const FULL: &str = "too many at once: the provider or the store is slow, or somebody floods it";
