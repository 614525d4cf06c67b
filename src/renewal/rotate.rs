//! The flight itself: rotates the refresh token, checks what came, keeps the result.

use std::sync::Arc;
use std::time::Duration;

use super::alive::{Alive, Over, Standing};
use super::{Sessions, keep};
use crate::clock::Timestamp;
use crate::provider::{Expectation, ProviderError};
use crate::refusal::{Code, Refusal};
use crate::session::{Access, Identity, Session};
use crate::store::EndReason;
use crate::token::{IdToken, TokenSet};

/// What came of a flight.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// The session, of a new generation.
    Renewed(Arc<Session>),
    /// Nothing was asked: the presented generation is seconds old.
    Recent,
    /// The provider or the store failed; the session is as it was.
    Failed(Refusal),
    /// The session has ended; the provider was not asked.
    Over(Over),
    /// The session ended while the provider was asked: what it brought is revoked and not stored.
    Late(Over),
    /// `invalid_grant` for the newest generation known: the session has ended, its cookies go.
    Final,
    /// `invalid_grant` for a generation this epoch knows nothing of: perhaps someone else renewed it. Not asked again
    /// before the time given.
    Superseded(Refusal, Timestamp),
    /// What came does not check out: the session has ended.
    Rejected(Refusal),
}

impl Outcome {
    /// As a metric says it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Renewed(_) => "renewed",
            Self::Recent => "recent",
            Self::Failed(_) => "failed",
            Self::Over(_) => "over",
            Self::Late(_) => "late",
            Self::Final => "invalid_grant",
            Self::Rejected(_) => "rejected",
            Self::Superseded(..) => "superseded",
        }
    }
}

impl Sessions {
    /// Renews `session`. Called for one request at a time per session, by the holder of the flight.
    pub(super) async fn fly(&self, session: Arc<Session>) -> Outcome {
        // Looked at again: the flight before this one may have landed between the request's look and now.
        match self.still_due(Arc::clone(&session)).await {
            Ok(_) => {}
            Err(outcome) => return outcome,
        }
        let turn = match self.take_turn(session.id).await {
            Ok(turn) => turn,
            Err(refusal) => return Outcome::Failed(refusal),
        };
        // And again, for another process may have been quicker: a superseded refresh token is never sent to the provider
        // (contract §9). The right is kept up from here on: a look may take its time, too.
        let renewing = async {
            match self.still_due(session).await {
                Ok(alive) => self.rotate(alive).await,
                Err(outcome) => outcome,
            }
        };
        let outcome = turn.during(renewing).await;
        turn.end().await;
        outcome
    }

    /// The session, where it still wants to be renewed; else what became of it.
    async fn still_due(&self, session: Arc<Session>) -> Result<Alive, Outcome> {
        let now = self.now();
        let alive = match self.standing(session, now).await {
            Ok(Standing::Alive(alive)) => alive,
            Ok(Standing::Over(over)) => return Err(Outcome::Over(over)),
            Err(refusal) => return Err(Outcome::Failed(refusal)),
        };
        // Also where the token that it brought lives for seconds only.
        let fresh = || self.usable(&alive.session, now) && self.flights.is_recent(&alive.session, now);
        if alive.handed && (!self.due(&alive.session, now) || fresh()) {
            return Err(Outcome::Renewed(alive.session));
        }
        Ok(alive)
    }

    /// Sends the refresh token to the provider, once.
    async fn rotate(&self, alive: Alive) -> Outcome {
        let asked = self.now();
        let Some(refresh) = &alive.session.refresh else {
            return Outcome::Over(Over::Expired);
        };
        match self.parts.provider.rotate(refresh).await {
            Ok(tokens) => self.take_over(&alive, tokens, asked).await,
            Err(ProviderError::InvalidGrant) => self.grant_refused(&alive).await,
            Err(error) => {
                tracing::warn!(
                    event = "session_renewal_failed",
                    app = self.parts.app.id.as_str(),
                    %error,
                );
                Outcome::Failed(error.into())
            }
        }
    }

    /// From the token response to the next generation of the session.
    async fn take_over(&self, alive: &Alive, tokens: TokenSet, asked: Timestamp) -> Outcome {
        let old = &alive.session;
        let checked = self.checked_identity(old, &tokens).await;
        let renewed = Session {
            // Not the one that the answer arrives in: between the two the store may have forgotten an end.
            epoch: alive.epoch,
            ..self.next(old, tokens, asked)
        };
        let (id_token, identity) = match checked {
            Ok(checked) => checked,
            Err(error) => return self.reject(old, &renewed, &error).await,
        };
        let renewed = Session {
            id_token,
            identity,
            ..renewed
        };
        self.keep(old, renewed).await
    }

    /// The ID token and the identity of the next generation: of a refreshed ID token that checks out (OpenID Connect Core
    /// §12.2, R-05), else those there were.
    async fn checked_identity(
        &self,
        old: &Session,
        tokens: &TokenSet,
    ) -> Result<(Option<IdToken>, Identity), ProviderError> {
        let unchanged = || (old.id_token.clone(), old.identity.clone());
        let Some(id_token) = &tokens.id_token else {
            return Ok(unchanged());
        };
        let expected = Expectation::Refresh {
            identity: &old.identity,
            access: &tokens.access,
            previous: old.id_token.as_ref(),
        };
        match self.parts.provider.verify(id_token, expected).await {
            Ok(verified) => Ok((Some(id_token.clone()), verified.identity)),
            // The keys cannot be had. The refresh token is spent, so giving up would end the session for an outage; an ID
            // token is optional in a refresh response, and one that cannot be checked is as good as none.
            Err(error @ ProviderError::Unavailable(_)) => {
                tracing::warn!(
                    event = "refreshed_id_token_ignored",
                    app = self.parts.app.id.as_str(),
                    %error,
                );
                Ok(unchanged())
            }
            Err(error) => Err(error),
        }
    }

    /// The next generation, with the ID token and the identity of the old one.
    fn next(&self, old: &Session, tokens: TokenSet, asked: Timestamp) -> Session {
        let generation = old.generation.next();
        let configured = self.parts.app.session.absolute_timeout;
        Session {
            generation,
            // A new refresh token with a life of its own.
            absolute: tokens.refresh_expires_in.map_or(old.absolute, |life| {
                asked.after(life).since(old.started).min(configured)
            }),
            touched: self.now(),
            access: Access {
                token: tokens.access,
                // From when it was asked for: the answer may have been long under way.
                expires: tokens.expires_in.map(|lifetime| asked.after(lifetime)),
                generation,
                scope: granted(old.access.scope.as_deref(), tokens.scope),
                has_refresh: true,
            },
            // None in the response: the old one stays good (RFC 6749 §6, R-02).
            refresh: tokens.refresh.or_else(|| old.refresh.clone()),
            shelf: None,
            ..old.clone()
        }
    }

    /// The refreshed ID token speaks of another user or does not check out: whatever the provider means by it, these
    /// tokens are not this session's (attack 140).
    async fn reject(&self, old: &Session, renewed: &Session, error: &ProviderError) -> Outcome {
        tracing::warn!(
            event = "session_renewal_rejected",
            app = self.parts.app.id.as_str(),
            %error,
            "the refreshed ID token does not check out; the session ends"
        );
        let refusal = Refusal::new(Code::ProviderResponseInvalid).because(error.to_string());
        // Not taken by the store: then nothing is kept of the renewal, and it fails the same way again or is refused.
        let _logged = self.end_session(old, EndReason::Revoked, self.now()).await;
        self.revoke_detached(renewed);
        Outcome::Rejected(refusal)
    }

    /// Keeps the result for whoever still presents the old cookies, and makes it the newest generation.
    async fn keep(&self, old: &Session, mut renewed: Session) -> Outcome {
        let parts = &self.parts;
        let now = renewed.touched;
        // Before the result: whoever is given the new cookies finds what they name.
        renewed.shelf = self.put_renewed(&renewed, old, now).await;
        let Some(sealed) = keep::seal(&parts.app.id, old, &renewed, &*parts.random) else {
            return Outcome::Failed(
                Refusal::new(Code::Internal).because("the renewed session cannot be sealed"),
            );
        };
        let result_until = now.after(old.idle.min(parts.app.session.idle_timeout));
        let until = old.remembered_until(parts.app.session.absolute_timeout);
        let kept = parts
            .store
            .keep_renewal(old.id, old.generation, sealed, result_until, until, now)
            .await;
        match kept {
            // Not every end is one of this very session: a logout at the provider ends whatever it names.
            Ok(true) if !parts.has_ended(old, now) => {
                self.forget(old, result_until, now).await;
                tracing::debug!(event = "session_renewed", app = parts.app.id.as_str());
                Outcome::Renewed(Arc::new(renewed))
            }
            // The end wins over renewal (contract §9, R-12).
            Ok(_) => {
                tracing::info!(
                    event = "session_renewal_late",
                    app = parts.app.id.as_str(),
                    "the session ended during its renewal; the new tokens are revoked"
                );
                self.revoke_detached(&renewed);
                self.forget_ended(&renewed, now).await;
                let ended = self.look(old, now).await.ok().and_then(|look| look.ended);
                Outcome::Late(Over::Ended(ended.unwrap_or(EndReason::Revoked)))
            }
            // The old refresh token is spent: who waits is given the new session, which is all there is of it.
            Err(error) => {
                tracing::error!(
                    event = "session_renewal_not_kept",
                    app = parts.app.id.as_str(),
                    %error,
                );
                Outcome::Renewed(Arc::new(renewed))
            }
        }
    }

    /// `invalid_grant`: final for a generation this epoch knows; for another one perhaps somebody else's renewal, so that
    /// the browser's jar may already hold better cookies (contract §9, attack 136).
    async fn grant_refused(&self, alive: &Alive) -> Outcome {
        let now = self.now();
        let session = &alive.session;
        if !alive.known {
            let first = match self
                .parts
                .store
                .refused(session.id, session.generation, now)
                .await
            {
                Ok(first) => first,
                Err(error) => return Outcome::Failed(super::alive::store_unavailable(error)),
            };
            if now.since(first) < SECOND_THOUGHT {
                let refusal = Refusal::new(Code::RefreshSuperseded)
                    .because("the provider refused a generation that the store does not know");
                return Outcome::Superseded(refusal, first.after(SECOND_THOUGHT));
            }
        }
        tracing::info!(
            event = "session_ended",
            app = self.parts.app.id.as_str(),
            reason = "expired",
            "the provider refused to renew it"
        );
        // Where others may have renewed it, a newer generation than this one may be good: only this one is over.
        if !self.parts.store.is_authority() {
            return Outcome::Final;
        }
        match self.end_session(session, EndReason::Expired, now).await {
            Ok(()) => Outcome::Final,
            Err(refusal) => Outcome::Failed(refusal),
        }
    }
}

/// The scope of the next generation: a narrower one is honoured, a wider one is not believed (RFC 6749 §6, R-06).
fn granted(old: Option<&str>, new: Option<String>) -> Option<Box<str>> {
    match (old, new) {
        (Some(old), Some(new)) => {
            let had: Vec<&str> = old.split(' ').collect();
            let still: Vec<&str> = new.split(' ').filter(|scope| had.contains(scope)).collect();
            Some(still.join(" ").into())
        }
        (None, Some(new)) => Some(new.into()),
        (old, None) => old.map(Into::into),
    }
}

/// How long after a first `invalid_grant` for an unknown generation the second one is final (contract §9).
const SECOND_THOUGHT: Duration = Duration::from_secs(5);
