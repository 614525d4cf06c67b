//! One flight per session and process: whoever comes while it is under way waits for it, whoever comes right after it
//! is answered from what it found out.
//!
//! The flight is a task of its own: a browser that goes away must not burn a rotated refresh token. Nothing here grows
//! with the sessions seen: a flight goes when it lands, a rest within seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Sessions;
use super::rotate::Outcome;
use crate::clock::Timestamp;
use crate::refusal::{Code, Refusal};
use crate::session::{Generation, Session, SessionId};

/// The flights of one app in this process.
#[derive(Debug, Default)]
pub(super) struct Flights {
    air: Mutex<Air>,
}

/// How long a flight is waited for. Tokio's time, not the injected clock's: it bounds a wait, it decides nothing about a
/// session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// By a request that needs the token (attack 133).
    pub(super) request: Duration,
    /// By a logout: the user has decided to go.
    pub(super) farewell: Duration,
    /// By a logout, for the provider to take back the tokens.
    pub(super) revocation: Duration,
    /// By a flight, for the one of another process.
    pub(super) turn: Duration,
}

/// What a request wants of a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// A token that is good: one that was renewed seconds ago is.
    Token,
    /// The provider asked, by the script that holds the newest generation (contract §3, `POST refresh`).
    Renewal,
}

/// Where the outcome of a flight will be.
pub(super) type Landing = watch::Receiver<Option<Outcome>>;

#[derive(Debug, Default)]
struct Air {
    under_way: HashMap<SessionId, Landing>,
    rests: HashMap<SessionId, Rest>,
    swept: Timestamp,
}

/// What is remembered of a flight for a few seconds, so that the provider is not asked again at once.
#[derive(Debug)]
struct Rest {
    generation: Generation,
    since: Timestamp,
    until: Timestamp,
    outcome: Outcome,
    /// How many flights in a row have failed.
    failures: u32,
}

impl Rest {
    /// Both ends, so that a clock that is set back does not make a rest of hours out of one of seconds.
    fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }

    fn is_of(&self, session: &Session, now: Timestamp) -> bool {
        self.generation == session.generation && self.holds(now)
    }

    /// Whether it is still of use: a failure is counted beyond its pause.
    fn is_remembered(&self, now: Timestamp) -> bool {
        self.holds(now) || self.since <= now && now.since(self.since) < GRACE
    }
}

pub(super) enum Boarding {
    /// Under way: wait.
    Aboard(Landing),
    /// It just was: this is what came of it.
    Resting(Outcome),
    /// None: fly.
    Ticket(Ticket, Landing),
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(10),
            farewell: Duration::from_secs(3),
            revocation: Duration::from_secs(1),
            turn: Duration::from_secs(20),
        }
    }
}

impl Sessions {
    /// Renews the session or waits for whoever does, bounded. [`Outcome::Recent`]: another renewal just brought the
    /// presented generation, and its access token is good.
    pub(super) async fn renew(&self, session: &Session, wish: Wish, now: Timestamp) -> Outcome {
        let outcome = self.join(session, wish, now).await;
        let Outcome::Renewed(renewed) = &outcome else {
            return outcome;
        };
        // The store lost its memory during the flight, perhaps that of an end: the provider is asked once more.
        let foreign = |session: &Session| session.epoch != self.parts.store.epoch();
        if !foreign(renewed) {
            return outcome;
        }
        match self.join(renewed, Wish::Token, self.now()).await {
            Outcome::Renewed(again) if foreign(&again) => {
                failed("the store loses its memory again and again")
            }
            outcome => outcome,
        }
    }

    /// Waits for the flight that is under way, finds what came of the last one, or flies.
    async fn join(&self, session: &Session, wish: Wish, now: Timestamp) -> Outcome {
        let contented = wish == Wish::Token && self.usable(session, now);
        match self.flights.board(session, contented, now) {
            Boarding::Aboard(landing) => wait(landing, self.patience.request).await,
            Boarding::Resting(outcome) => outcome,
            Boarding::Ticket(ticket, landing) => {
                let (sessions, session) = (self.clone(), Arc::new(session.clone()));
                self.detach(async move {
                    let outcome = sessions.fly(session).await;
                    sessions.parts.meters.renewal(outcome.word());
                    ticket.land(outcome, sessions.now());
                });
                wait(landing, self.patience.request).await
            }
        }
    }
}

impl Flights {
    /// The flight of a session that is under way, if any.
    pub(super) fn landing(&self, session: SessionId) -> Option<Landing> {
        self.air().under_way.get(&session).cloned()
    }

    /// Whether a flight of seconds ago brought this generation.
    pub(super) fn is_recent(&self, session: &Session, now: Timestamp) -> bool {
        self.air()
            .rests
            .get(&session.id)
            .is_some_and(|rest| rest.is_of(session, now) && matches!(rest.outcome, Outcome::Recent))
    }

    /// `contented`: a renewal of seconds ago is all that is wanted.
    pub(super) fn board(self: &Arc<Self>, session: &Session, contented: bool, now: Timestamp) -> Boarding {
        let mut air = self.air();
        if let Some(landing) = air.under_way.get(&session.id) {
            return Boarding::Aboard(landing.clone());
        }
        air.sweep(now);
        if let Some(rest) = air.rests.get(&session.id) {
            // A token that is already over is renewed again, however young it is.
            let helps = contented || !matches!(rest.outcome, Outcome::Recent);
            if rest.is_of(session, now) && helps {
                return Boarding::Resting(rest.outcome.clone());
            }
        }
        let (result, landing) = watch::channel(None);
        air.under_way.insert(session.id, landing.clone());
        let ticket = Ticket {
            flights: Arc::clone(self),
            session: session.id,
            generation: session.generation,
            result,
            landed: false,
        };
        Boarding::Ticket(ticket, landing)
    }

    fn air(&self) -> MutexGuard<'_, Air> {
        // No code between lock and unlock can panic half-way through a change that matters.
        self.air.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Flights under way and rests remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        let air = self.air();
        (air.under_way.len(), air.rests.len())
    }
}

impl Air {
    /// Forgets the rests that are over, at most once a second.
    fn sweep(&mut self, now: Timestamp) {
        if now < self.swept || now.since(self.swept) >= SWEEP_EVERY {
            self.rests.retain(|_, rest| rest.is_remembered(now));
            self.swept = now;
        }
    }
}

/// The right to fly for one session; dropping it without landing (a panic) sets the session free.
pub(super) struct Ticket {
    flights: Arc<Flights>,
    session: SessionId,
    generation: Generation,
    result: watch::Sender<Option<Outcome>>,
    landed: bool,
}

impl Ticket {
    /// Ends the flight: first what it found out is remembered, then the next one may start, then the waiters go on.
    pub(super) fn land(mut self, outcome: Outcome, now: Timestamp) {
        let mut air = self.flights.air();
        let failed_before = air
            .rests
            .remove(&self.session)
            .filter(|rest| rest.generation == self.generation && rest.is_remembered(now))
            .map_or(0, |rest| rest.failures);
        let (generation, until, remembered) = match &outcome {
            Outcome::Renewed(session) => (session.generation, now.after(GRACE), Some(Outcome::Recent)),
            // A first failure may have been a hiccup: whoever comes next finds out.
            Outcome::Failed(_) if failed_before == 0 => (self.generation, now, Some(outcome.clone())),
            Outcome::Failed(_) => (self.generation, now.after(PAUSE), Some(outcome.clone())),
            Outcome::Superseded(_, until) => (self.generation, *until, Some(outcome.clone())),
            Outcome::Over(_) | Outcome::Late(_) | Outcome::Final | Outcome::Rejected(_) | Outcome::Recent => {
                (self.generation, now, None)
            }
        };
        if let Some(outcome) = remembered {
            let failed = matches!(outcome, Outcome::Failed(_));
            let rest = Rest {
                generation,
                since: now,
                until,
                failures: if failed {
                    failed_before.saturating_add(1)
                } else {
                    0
                },
                outcome,
            };
            air.rests.insert(self.session, rest);
        }
        air.under_way.remove(&self.session);
        drop(air);
        self.landed = true;
        self.result.send_replace(Some(outcome));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.landed {
            self.flights.air().under_way.remove(&self.session);
        }
    }
}

/// Waits for a flight, bounded; the flight goes on without the waiter.
async fn wait(mut landing: Landing, patience: Duration) -> Outcome {
    match tokio::time::timeout(patience, landing.wait_for(Option::is_some)).await {
        Ok(Ok(outcome)) => outcome.clone().unwrap_or_else(crashed),
        Ok(Err(_)) => crashed(),
        Err(_) => failed("the provider takes too long to renew the session"),
    }
}

fn crashed() -> Outcome {
    failed("the renewal broke off")
}

fn failed(why: &'static str) -> Outcome {
    Outcome::Failed(
        Refusal::new(Code::ProviderUnavailable)
            .retry_after(2)
            .because(why),
    )
}

/// After a second failed flight in a row the provider is left alone this long, per session.
const PAUSE: Duration = Duration::from_secs(1);

/// A renewal this young is good enough for an API call, however short its token lives. A failure this old is forgotten.
const GRACE: Duration = Duration::from_secs(5);

const SWEEP_EVERY: Duration = Duration::from_secs(1);
