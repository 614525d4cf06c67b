//! What an API call and `POST refresh` need: a session that may be used now.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::alive::{Alive, Standing};
use super::flight::Wish;
use super::rotate::Outcome;
use super::shelf::Arrival;
use super::{Admitted, Sessions};
use crate::clock::Timestamp;
use crate::config::RefreshMode;
use crate::refusal::{Code, Refusal};
use crate::session::{Parts, Presented, Replaces, Session};

impl Sessions {
    /// What an API call or `userinfo` needs: opened, alive, renewed when due (at most 30 s left) and `refresh = "inline"`.
    /// `Ok(None)`: no session cookie of this app at all (the caller decides what that means).
    ///
    /// # Errors
    /// `session_missing`, `session_expired`, `session_revoked`, `access_token_expired` (`refresh = "spa"`),
    /// `refresh_superseded`, `provider_unavailable`, `provider_response_invalid`, `authorization_error` (the token endpoint
    /// said no in another way), `session_too_large`, `store_unavailable`; each with the cookies to clear, if any.
    pub async fn admit(&self, headers: &HeaderMap) -> Result<Option<Admitted>, Refusal> {
        let Some((alive, presented)) = self.enter(headers).await? else {
            return Ok(None);
        };
        let now = self.now();
        let session = &alive.session;
        if session.refresh.is_none() || !self.due(session, now) {
            return self.as_it_is(alive, presented, now).map(Some);
        }
        if self.parts.app.session.refresh == RefreshMode::Spa {
            return if self.usable(session, now) {
                self.as_it_is(alive, presented, now).map(Some)
            } else {
                Err(Refusal::new(Code::AccessTokenExpired))
            };
        }
        match self.renew(session, Wish::Token, now).await {
            Outcome::Renewed(session) => self.renewed(session, presented).map(Some),
            Outcome::Recent => self.as_it_is(alive, presented, now).map(Some),
            // Fail soft: the token is as good as it was a minute ago (R-08, attack 137).
            Outcome::Failed(_) if self.usable(session, self.now()) => {
                self.as_it_is(alive, presented, now).map(Some)
            }
            other => Err(self.refused(other, headers)),
        }
    }

    /// `POST refresh`: asks the provider, unless another renewal just did: one under way, or one whose result the presented
    /// generation has not seen yet. Without a refresh token: admits as it is.
    /// A provider that fails is a failure here even while the access token is valid: whoever asked must know that
    /// nothing was renewed. API calls go on with that token.
    ///
    /// # Errors
    /// As [`Self::admit`], and `session_missing` where there is no cookie.
    pub async fn refresh(&self, headers: &HeaderMap) -> Result<Admitted, Refusal> {
        let Some((alive, presented)) = self.enter(headers).await? else {
            return Err(Refusal::new(Code::SessionMissing));
        };
        let now = self.now();
        let session = &alive.session;
        // An older generation that was handed the newest: that renewal is the one it asks for.
        if session.refresh.is_none() || alive.handed && !self.due(session, now) {
            return self.as_it_is(alive, presented, now);
        }
        let wish = if alive.handed { Wish::Token } else { Wish::Renewal };
        match self.renew(session, wish, now).await {
            Outcome::Renewed(session) => self.renewed(session, presented),
            Outcome::Recent => self.as_it_is(alive, presented, now),
            other => Err(self.refused(other, headers)),
        }
    }

    /// Opens what the browser presented; `None` without any cookie of ours.
    async fn enter(&self, headers: &HeaderMap) -> Result<Option<(Alive, Presented)>, Refusal> {
        match self.arrive(headers, self.now()).await? {
            Arrival::Absent => Ok(None),
            Arrival::Unreadable { clear } => {
                let refusal = Refusal::new(Code::SessionMissing).because("the session cookies do not open");
                Err(if clear {
                    refusal.with_cookies(self.parts.cookies.clear(headers))
                } else {
                    refusal
                })
            }
            Arrival::Session(Standing::Alive(alive), presented) => Ok(Some((alive, presented))),
            Arrival::Session(Standing::Over(over), _) => Err(over.refusal()),
        }
    }

    /// Whether the access token may be used at all: neither expired nor vouched for by another epoch only.
    pub(super) fn usable(&self, session: &Session, now: Timestamp) -> bool {
        session.epoch == self.parts.store.epoch()
            && session.access.expires.is_none_or(|expires| now < expires)
    }

    /// Whether it wants to be renewed. An access token of unknown lifetime is never due by time.
    pub(super) fn due(&self, session: &Session, now: Timestamp) -> bool {
        session.epoch != self.parts.store.epoch()
            || session
                .access
                .expires
                .is_some_and(|expires| expires.since(now) <= RENEW_BEFORE)
    }

    fn as_it_is(&self, alive: Alive, presented: Presented, now: Timestamp) -> Result<Admitted, Refusal> {
        if alive.handed {
            self.fits(&alive.session, presented)?;
        }
        let idle = alive.session.idle.min(self.parts.app.session.idle_timeout);
        Ok(Admitted {
            slide: now.since(alive.session.touched) >= idle / SLIDES_PER_IDLE,
            session: alive.session,
            presented,
            renewed: alive.handed,
        })
    }

    fn renewed(&self, session: Arc<Session>, presented: Presented) -> Result<Admitted, Refusal> {
        self.fits(&session, presented)?;
        Ok(Admitted {
            session,
            presented,
            renewed: true,
            slide: false,
        })
    }

    /// Whether the cookies of a renewed session fit into the budget. Found out before the answer is made: afterwards nobody
    /// could be told. The kept result stays, so that a larger budget finds the session alive.
    fn fits(&self, session: &Session, presented: Presented) -> Result<(), Refusal> {
        self.parts
            .cookies
            .seal(session, Parts::ALL, Replaces::Presented(presented), self.now())
            .map(drop)
            .map_err(|error| self.too_large(error))
    }

    /// The refusal that a flight's end means for one waiter.
    fn refused(&self, outcome: Outcome, headers: &HeaderMap) -> Refusal {
        match outcome {
            Outcome::Failed(refusal) | Outcome::Rejected(refusal) | Outcome::Superseded(refusal, _) => {
                refusal
            }
            Outcome::Over(over) | Outcome::Late(over) => over.refusal(),
            // The one 401 that clears: nothing newer than this can be in the jar (R-07, attack 136).
            Outcome::Final => Refusal::new(Code::SessionExpired)
                .because("the provider refused to renew the newest generation")
                .with_cookies(self.parts.cookies.clear(headers)),
            Outcome::Renewed(_) | Outcome::Recent => Refusal::new(Code::Internal),
        }
    }
}

/// An access token is renewed when this much of it is left (contract §5.7).
const RENEW_BEFORE: Duration = Duration::from_secs(30);

/// The access cookie is resealed at least every tenth of the idle timeout (contract §7).
const SLIDES_PER_IDLE: u32 = 10;
