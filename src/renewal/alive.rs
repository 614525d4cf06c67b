//! Where a presented session stands: what the store says, what its lifetimes say, which generation it is.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{SessionParts, Sessions, keep};
use crate::clock::Timestamp;
use crate::refusal::{Code, Refusal};
use crate::session::{Generation, Session};
use crate::store::{EndReason, Epoch, Look, SessionRef, StoreError};

/// Where a presented session stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// It may go on.
    Alive(Alive),
    /// It may not.
    Over(Over),
}

/// A session that may go on.
#[derive(Debug)]
pub(super) struct Alive {
    /// Of the newest generation known.
    pub(super) session: Arc<Session>,
    /// The browser presented an older generation and is given this one: its cookies go out with the answer.
    pub(super) handed: bool,
    /// The newest generation, for the first time: whoever presents it has the answer that brought it.
    pub(super) arrived: bool,
    /// The store's epoch when it was asked.
    pub(super) epoch: Epoch,
    /// This epoch of the store vouches for its being the newest: what the provider says about it is final (contract §9).
    pub(super) known: bool,
}

/// Why a session may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// By time: idle, absolute, or an access token that nothing can renew.
    Expired,
    /// The store says so.
    Ended(EndReason),
    /// Its refresh cookie is not there (or sealed under a key this process does not have): no session.
    Damaged,
}

impl Over {
    /// The 401 that says so. It leaves the jar alone: by now that may hold a newer session (contract §4).
    pub(super) fn refusal(self) -> Refusal {
        match self {
            Self::Expired => Refusal::new(Code::SessionExpired).because("a lifetime is over"),
            Self::Ended(EndReason::Expired) => {
                Refusal::new(Code::SessionExpired).because("the provider refused to renew it")
            }
            Self::Ended(EndReason::LoggedOut) => Refusal::new(Code::SessionRevoked).because("logged out"),
            Self::Ended(EndReason::Revoked) => Refusal::new(Code::SessionRevoked).because("revoked"),
            Self::Ended(EndReason::Replaced) => {
                Refusal::new(Code::SessionRevoked).because("a newer login stands in its place")
            }
            Self::Damaged => Refusal::new(Code::SessionMissing).because("its refresh cookie is missing"),
        }
    }

    /// `reason` of `GET session`.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Expired | Self::Ended(EndReason::Expired) => "expired",
            Self::Ended(EndReason::LoggedOut) => "logged_out",
            Self::Ended(EndReason::Revoked) => "revoked",
            // Nobody logged out of it and nobody took it away (contract §9: `none` otherwise).
            Self::Ended(EndReason::Replaced) | Self::Damaged => "none",
        }
    }
}

impl Sessions {
    /// Where the session that a browser presents stands; the store hears that the generation has arrived.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(super) async fn presented_standing(
        &self,
        session: Arc<Session>,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        let standing = self.standing(session, now).await?;
        if let Standing::Alive(alive) = &standing
            && alive.arrived
        {
            self.presented(&alive.session, now).await;
        }
        Ok(standing)
    }

    /// Where `session` stands. An older generation that is no longer excused ends the session here. The store hears of no
    /// arrival: what a flight looks at may be a generation that was handed out and has not reached the browser.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub(super) async fn standing(&self, session: Arc<Session>, now: Timestamp) -> Result<Standing, Refusal> {
        if session.refresh.is_none() && session.access.has_refresh {
            return Ok(Standing::Over(Over::Damaged));
        }
        // Before the look: a store that loses its memory in between has not vouched for anything.
        let epoch = self.parts.store.epoch();
        let look = self.look(&session, now).await?;
        if let Some(reason) = look.ended {
            return Ok(Standing::Over(Over::Ended(reason)));
        }
        // Before generations: a cookie that time has ended is no sign of theft.
        if self.timed_out(&session, now) {
            return Ok(Standing::Over(Over::Expired));
        }
        // Where several processes share nothing, another one may know better.
        let authority = self.parts.store.is_authority();
        // Nor one that loses it before it has answered.
        let vouched = authority && session.epoch == epoch && epoch == self.parts.store.epoch();
        let Some(newest) = look.newest else {
            return Ok(Standing::Alive(Alive {
                session,
                handed: false,
                arrived: false,
                epoch,
                known: vouched,
            }));
        };
        match session.generation.cmp(&newest.generation) {
            Ordering::Less => self.succeeded(session, newest.generation, epoch, now).await,
            Ordering::Equal => Ok(Standing::Alive(Alive {
                session,
                handed: false,
                arrived: !newest.presented,
                epoch,
                known: authority,
            })),
            // The store lost what it knew: the cookie is the better witness.
            Ordering::Greater => Ok(Standing::Alive(Alive {
                session,
                handed: false,
                arrived: false,
                epoch,
                known: vouched,
            })),
        }
    }

    /// What becomes of a generation that has a successor: it is handed the newest while that is excused, else it is reuse.
    async fn succeeded(
        &self,
        session: Arc<Session>,
        newest: Generation,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        if let Some(session) = self.successor(&session, newest, now).await? {
            return Ok(Standing::Alive(Alive {
                session: Arc::new(session),
                handed: true,
                arrived: false,
                epoch,
                known: self.parts.store.is_authority(),
            }));
        }
        if !self.parts.store.is_authority() && self.is_of_another_line(&session, now).await? {
            return Ok(Standing::Alive(Alive {
                session,
                handed: false,
                arrived: false,
                epoch,
                known: false,
            }));
        }
        self.end_reused(&session, now).await?;
        Ok(Standing::Over(Over::Ended(EndReason::Revoked)))
    }

    /// Whether two processes that share nothing renewed the same generation, and the browser took the other one's answer: what
    /// is kept here of this generation was renewed with another refresh token. No sign of theft.
    async fn is_of_another_line(&self, session: &Session, now: Timestamp) -> Result<bool, Refusal> {
        let kept = self
            .parts
            .store
            .renewal(session.id, session.generation, now)
            .await
            .map_err(store_unavailable)?;
        Ok(kept.is_some_and(|sealed| keep::open(&self.parts.app.id, session, &sealed).is_none()))
    }

    /// The session of generation `newest`, by way of the kept results; `None` when one of them is gone.
    pub(super) async fn successor(
        &self,
        session: &Session,
        newest: Generation,
        now: Timestamp,
    ) -> Result<Option<Session>, Refusal> {
        let mut current = session.clone();
        while current.generation < newest {
            let kept = self
                .parts
                .store
                .renewal(current.id, current.generation, now)
                .await
                .map_err(store_unavailable)?;
            let next = kept.and_then(|sealed| keep::open(&self.parts.app.id, &current, &sealed));
            let Some(next) = next else {
                return Ok(None);
            };
            current = next;
        }
        Ok(Some(current))
    }

    /// An older generation came after its excuse: someone else holds a copy of the cookies (RFC 9700 §4.14.2). Nobody can
    /// tell the thief from the owner, so both are out.
    pub(super) async fn end_reused(&self, session: &Session, now: Timestamp) -> Result<(), Refusal> {
        tracing::warn!(
            event = "session_reuse_detected",
            app = self.parts.app.id.as_str(),
            "a superseded generation was presented after its grace; the session ends"
        );
        self.end_session(session, EndReason::Revoked, now).await
    }

    /// Ends the session in the store for as long as any generation of it could live, and forgets what the store keeps of it.
    ///
    /// # Errors
    /// `store_unavailable`: it has not ended.
    pub(super) async fn end_session(
        &self,
        session: &Session,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let until = session.remembered_until(self.parts.app.session.absolute_timeout);
        self.parts
            .store
            .end(session.id, reason, until, now)
            .await
            .inspect(|()| self.parts.meters.ended(reason.word(), 1))
            .map_err(|error| {
                tracing::error!(
                    event = "session_end_not_recorded",
                    app = self.parts.app.id.as_str(),
                    %error,
                    "the store does not take the end of a session"
                );
                store_unavailable(error)
            })?;
        self.forget_ended(session, now).await;
        Ok(())
    }

    /// What the store knows about it.
    pub(super) async fn look(&self, session: &Session, now: Timestamp) -> Result<Look, Refusal> {
        let named = self.parts.named(session);
        self.parts.store.look(named, now).await.map_err(store_unavailable)
    }

    /// Whether a lifetime is over. Without a refresh token the access token's is one of them, and so is the memory of the
    /// store: what another epoch vouched for can only be renewed, and here nothing can.
    pub(super) fn timed_out(&self, session: &Session, now: Timestamp) -> bool {
        let configured = &self.parts.app.session;
        now >= session.idle_end(configured.idle_timeout)
            || now >= session.absolute_end(configured.absolute_timeout)
            || session.refresh.is_none()
                && !session.access.has_refresh
                && (session.epoch != self.parts.store.epoch()
                    || session.access.expires.is_some_and(|expires| now >= expires))
    }

    /// Tells the store that the newest generation has arrived. A failure only lets results live longer, and the content of
    /// the generation before.
    async fn presented(&self, session: &Session, now: Timestamp) {
        self.forget_before(session, now.after(GRACE), now).await;
        let told = self
            .parts
            .store
            .presented(session.id, session.generation, now)
            .await;
        if let Err(error) = told {
            tracing::debug!(event = "presented_not_recorded", %error);
        }
    }
}

impl SessionParts {
    /// What the store knows `session` by.
    pub(super) fn named<'s>(&'s self, session: &'s Session) -> SessionRef<'s> {
        SessionRef {
            id: session.id,
            issuer: &self.app.provider.issuer,
            subject: &session.identity.subject,
            provider_session: session.identity.provider_session.as_deref(),
            started: session.started,
        }
    }

    /// Whether the store says that it has ended: what can be known without waiting for another machine, which a look never
    /// does. A store that cannot be asked says nothing.
    pub(super) fn has_ended(&self, session: &Session, now: Timestamp) -> bool {
        let look = self.store.look(self.named(session), now).now_or_never();
        matches!(look, Some(Ok(look)) if look.ended.is_some())
    }

    /// The current time: the injected clock's, as all who share the store agree on it.
    pub(super) fn now(&self) -> Timestamp {
        self.store.time(self.clock.now())
    }
}

/// How long the generation before is good for once the newest has been presented (contract §9).
const GRACE: Duration = Duration::from_secs(60);

/// 503, cookies untouched.
pub(super) fn store_unavailable(error: StoreError) -> Refusal {
    Refusal::new(Code::StoreUnavailable)
        .retry_after(2)
        .because(error.0)
}
