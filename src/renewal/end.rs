//! A session ends: logout here, revocation at the provider.

use http::{HeaderMap, HeaderValue};
use tokio::task::JoinHandle;

use super::Sessions;
use super::alive::store_unavailable;
use super::flight::Landing;
use super::rotate::Outcome;
use crate::refusal::Refusal;
use crate::session::{Opened, Session, Shelved};
use crate::store::{EndReason, Health, StoreError};

impl Sessions {
    /// `POST logout`: ends the session in the store, waits (bounded) for a renewal in flight and takes its result, revokes
    /// refresh and access token at the provider in a task of its own, waits (bounded) for that too, and answers what opened
    /// (of the newest generation) with the clearing cookies. An ended or expired session still yields its clearing cookies. No session: `None`.
    ///
    /// # Errors
    /// `store_unavailable`; with the clearing cookies where the store is out of reach and the end is owed to it: whoever sits at
    /// this browser next is not the user.
    pub async fn log_out(&self, headers: &HeaderMap) -> Result<(Option<Session>, Vec<HeaderValue>), Refusal> {
        let cleared = self.parts.cookies.clear(headers);
        let left = match self.parts.cookies.open(headers) {
            Opened::Absent => return Ok((None, Vec::new())),
            // Also under a key this process does not have: who logs out wants an empty jar (contract §4).
            Opened::Unreadable { .. } => return Ok((None, cleared)),
            Opened::Session(session, _) => self.leave(&session).await,
            Opened::Shelved(shelved, _) => self.leave_shelved(&shelved).await,
        };
        match left {
            Ok(last) => Ok((last, cleared)),
            Err(refusal) if self.can_be_reached().is_err() => Err(refusal.with_cookies(cleared)),
            Err(refusal) => Err(refusal),
        }
    }

    /// Ends `presented`; its newest generation, `None` when it has ended before.
    async fn leave(&self, presented: &Session) -> Result<Option<Session>, Refusal> {
        let newest = match self.leaving(presented).await {
            Ok(Some(newest)) => newest,
            // An end that only this process knows of is none yet (contract §9).
            Ok(None) => return self.can_be_reached().map(|()| None),
            Err(refusal) => return Err(self.leave_unseen(presented, refusal).await),
        };
        // First the end, then the wait: a renewal that lands from here on finds it and gives its tokens back.
        let ended = self.end_session(&newest, EndReason::LoggedOut, self.now()).await;
        if let Err(refusal) = ended {
            // It holds here and is made up for, but a copy of the cookies may still be good elsewhere: no 200. What can be taken
            // from that copy is taken.
            if self.can_be_reached().is_err() {
                let flight = self.flights.landing(newest.id);
                drop(self.revoke_after(newest, flight));
            }
            return Err(refusal);
        }
        tracing::info!(
            event = "session_ended",
            app = self.parts.app.id.as_str(),
            reason = "logged_out",
        );
        let flight = self.flights.landing(newest.id);
        let newest = self.landed_meanwhile(newest).await;
        let last = self.last_generation(newest.clone(), flight.clone()).await;
        for generation in [presented, &newest, &last] {
            self.forget_ended(generation, self.now()).await;
        }
        let revoking = self.revoke_after(newest, flight);
        // Whoever has its answer may count on it; a provider that is slow finishes behind the user's back.
        let _slow = tokio::time::timeout(self.patience.revocation, revoking).await;
        Ok(Some(last))
    }

    /// [`Self::leave`] of a session whose tokens lie in the store.
    async fn leave_shelved(&self, shelved: &Shelved) -> Result<Option<Session>, Refusal> {
        let facts = shelved.facts();
        match self.fetch(shelved, self.now()).await {
            Ok(Some(session)) => self.leave(&session).await,
            Ok(None) => self.leave_without_tokens(facts).await.map(|()| None),
            Err(refusal) => Err(self.leave_unseen(facts, refusal).await),
        }
    }

    /// The store did not tell about a session that is to end, which is why the answer is `refusal`. Where it is out of reach the
    /// end holds here and is owed to it all the same. No token is sent anywhere: it may be a superseded one.
    async fn leave_unseen(&self, facts: &Session, refusal: Refusal) -> Refusal {
        if self.can_be_reached().is_err() {
            // An error says once more that the store is out of reach.
            let _owed = self.end_session(facts, EndReason::LoggedOut, self.now()).await;
        }
        refusal
    }

    /// Whether what this process knows of ends is what all know.
    fn can_be_reached(&self) -> Result<(), Refusal> {
        match self.parts.store.health() {
            Health::Up => Ok(()),
            Health::Down => Err(store_unavailable(StoreError(
                "the store is out of reach: other processes do not know of the end yet".into(),
            ))),
        }
    }

    /// The store has lost the tokens of a session, or forgotten them with its end: nothing is left to revoke, and yet every
    /// copy of its cookies is to be useless.
    async fn leave_without_tokens(&self, facts: &Session) -> Result<(), Refusal> {
        match self.leaving(facts).await? {
            Some(newest) => self.end_session(&newest, EndReason::LoggedOut, self.now()).await,
            None => self.can_be_reached(),
        }
    }

    /// A renewal may have landed between the look and the end: its result is still kept.
    async fn landed_meanwhile(&self, session: Session) -> Session {
        let now = self.now();
        let newest = self.look(&session, now).await.ok().and_then(|look| look.newest);
        let Some(newest) = newest else {
            return session;
        };
        let last = self.successor(&session, newest.generation, now).await;
        last.ok().flatten().unwrap_or(session)
    }

    /// The newest generation of a session that is about to end; `None` when it has ended already, or an old copy of it
    /// came that nothing excuses. One that time has ended still leaves: its tokens may well be good at the provider.
    async fn leaving(&self, presented: &Session) -> Result<Option<Session>, Refusal> {
        let now = self.now();
        let look = self.look(presented, now).await?;
        if look.ended.is_some() {
            return Ok(None);
        }
        let Some(newest) = look.newest else {
            return Ok(Some(presented.clone()));
        };
        let newest = self.successor(presented, newest.generation, now).await?;
        if newest.is_none() && !self.timed_out(presented, now) {
            self.end_reused(presented, now).await?;
        }
        Ok(newest)
    }

    /// What a flight that is under way brings, where it lands in time and before the end was known; else `newest`.
    async fn last_generation(&self, newest: Session, flight: Option<Landing>) -> Session {
        let Some(flight) = flight else {
            return newest;
        };
        match tokio::time::timeout(self.patience.farewell, landed(flight)).await {
            Ok(Some(Outcome::Renewed(last))) => Session::clone(&last),
            _ => newest,
        }
    }

    /// Revokes the tokens of the last generation in a task of its own, after the flight that may be rotating them, here or in
    /// another process: a refresh token that is being superseded is not sent anywhere else (contract §9).
    fn revoke_after(&self, newest: Session, flight: Option<Landing>) -> JoinHandle<()> {
        let sessions = self.clone();
        self.detach(async move {
            let last = match flight {
                Some(flight) => after_flight(newest, landed(flight).await),
                None => sessions.after_other_processes(newest).await,
            };
            sessions.revoke(&last).await;
        })
    }

    /// What another process's flight made of the session, waited for as long as such flights are.
    async fn after_other_processes(&self, newest: Session) -> Session {
        let Ok(turn) = self.take_turn(newest.id).await else {
            return newest;
        };
        let last = self.landed_meanwhile(newest).await;
        turn.end().await;
        last
    }

    /// Revokes a session's tokens at the provider in a task of its own: nobody waits for it, nobody can cancel it.
    pub(super) fn revoke_detached(&self, session: &Session) {
        let (sessions, session) = (self.clone(), session.clone());
        self.detach(async move { sessions.revoke(&session).await });
    }

    /// RFC 7009, the refresh token first: with it a provider takes back the access token as well (§2.1, O-02). A failure
    /// is logged; here the session has ended all the same.
    async fn revoke(&self, session: &Session) {
        let provider = &self.parts.provider;
        if let Some(refresh) = &session.refresh
            && let Err(error) = provider.revoke_refresh(refresh).await
        {
            self.not_revoked("refresh_token", &error);
        }
        let access = &session.access.token;
        // Empty where it lies in a store that the cookies no longer name.
        if !access.expose().is_empty()
            && let Err(error) = provider.revoke_access(access).await
        {
            self.not_revoked("access_token", &error);
        }
    }

    fn not_revoked(&self, token: &'static str, error: &crate::provider::ProviderError) {
        tracing::warn!(
            event = "token_revocation_failed",
            app = self.parts.app.id.as_str(),
            token,
            %error,
        );
    }
}

/// What is to be revoked of a session whose flight came to `outcome`.
fn after_flight(newest: Session, outcome: Option<Outcome>) -> Session {
    match outcome {
        Some(Outcome::Renewed(last)) => Session::clone(&last),
        // The refresh token is spent, and what came for it is revoked already or never came; the old access token
        // is still out.
        Some(Outcome::Late(_) | Outcome::Rejected(_) | Outcome::Final | Outcome::Superseded(..)) => Session {
            refresh: None,
            ..newest
        },
        // It found the end before it asked, or got no answer.
        Some(Outcome::Over(_) | Outcome::Failed(_) | Outcome::Recent) | None => newest,
    }
}

/// The outcome of a flight, whenever it lands; `None` when it broke off.
async fn landed(mut flight: Landing) -> Option<Outcome> {
    flight
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|outcome| outcome.clone())
}
