//! What a state of the model is made of. Small and comparable: the search remembers each state that it has seen.

use super::request::{Reply, Request};
use super::revoker::Revoker;
use super::rules::Rules;
use super::shelf::Shelf;
use super::standing::Standing;

/// A generation of the one session; its cookies, its tokens.
pub(super) type Generation = u8;
/// Seconds since the login.
pub(super) type Seconds = u16;

/// How many processes there are.
pub(super) const REPLICAS: usize = 2;
/// More renewals than any bound allows.
const GENERATIONS: usize = 8;

/// Of access tokens (the scripted provider says so), and how much of it is left when they are renewed (contract §5.7).
pub(super) const LIFETIME: Seconds = 600;
const RENEW_BEFORE: Seconds = 30;

/// The whole world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) now: Seconds,
    pub(super) store: Shelf,
    pub(super) provider: Provider,
    pub(super) replicas: [Replica; REPLICAS],
    /// Under way at a replica.
    pub(super) requests: Vec<Request>,
    /// Under way to the browser.
    pub(super) answers: Vec<Cookies>,
    /// Taking tokens back at the provider.
    pub(super) revokers: Vec<Revoker>,
    /// What the browser holds.
    pub(super) jar: Option<Generation>,
    /// When each generation's access token was asked for, and the epoch that it is sealed under.
    pub(super) born: [(Seconds, u8); GENERATIONS],
    pub(super) left: Budget,
    pub(super) ghost: Ghost,
    /// Token requests of processes that have died since: they may arrive yet.
    pub(super) strays: Vec<Generation>,
    /// What requests came to in the last move: for whoever compares.
    pub(super) heard: Vec<(u8, Reply)>,
}

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Budget {
    /// Calls, refreshes, session questions.
    pub(super) requests: u8,
    pub(super) logouts: u8,
    /// Requests with a copy of the first cookies.
    pub(super) copies: u8,
    /// A lease's time passes; the one who has it is alive, or stands still.
    pub(super) moments: u8,
    pub(super) stalls: u8,
    /// A grace's time passes, a token's.
    pub(super) minutes: u8,
    pub(super) lifetimes: u8,
    pub(super) crashes: u8,
    /// Store restarts with a new epoch.
    pub(super) epochs: u8,
    /// Failures of the provider: the token response is lost, the provider does nothing.
    pub(super) lost: u8,
    pub(super) failures: u8,
}

/// A provider as strict as they come: a refresh token is good once, and whoever sends a superseded one has all of them
/// taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Provider {
    /// Whose refresh token is good.
    pub(super) good: Generation,
    pub(super) revoked: bool,
}

/// What one process has in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Replica {
    pub(super) flight: Option<Flight>,
    pub(super) rest: Option<Rest>,
}

/// A renewal under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    /// The generation that its first request stood at.
    pub(super) of: Generation,
    pub(super) at: Leg,
}

/// Which step of its is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Leg {
    /// Looks whether another flight was quicker.
    First(Standing),
    /// Wants the right to renew.
    Claim,
    /// Has it, and looks again.
    Second(Standing),
    /// The provider is asked.
    Asking {
        from: Generation,
        known: bool,
        asked: Seconds,
        epoch: u8,
    },
    /// The provider has answered with tokens of the next generation.
    Keep { from: Generation, now: Seconds },
    /// They came too late.
    LateLook,
    /// The provider has refused.
    Refused { from: Generation, now: Seconds },
    /// For good.
    EndFinal,
    /// The right is given back.
    Release(Outcome),
}

/// As [`crate::renewal::rotate::Outcome`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Outcome {
    Renewed(Generation),
    Recent,
    Failed,
    Over,
    Late,
    Final,
    Superseded(Seconds),
}

/// As the rests in [`crate::renewal::flight`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Rest {
    pub(super) of: Generation,
    pub(super) since: Seconds,
    pub(super) until: Seconds,
    pub(super) outcome: Outcome,
    pub(super) failures: u8,
}

/// What an answer does to the jar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Cookies {
    Set(Generation),
    Clear,
}

/// What happened, as nobody in the model knows it: for the invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that happened or did not"
)]
pub(super) struct Ghost {
    /// Whoever logged out has been told so.
    pub(super) acknowledged: bool,
    /// Somebody has asked to be logged out.
    pub(super) left: bool,
    /// The store has lost an end, and the provider vouched for the session anew.
    pub(super) end_forgotten: bool,
    pub(super) vouched_again: bool,
    /// When each generation was shown first.
    pub(super) shown: [Option<Seconds>; GENERATIONS],
    /// A generation was shown a minute after a newer one had been: a thief, as far as anybody can tell.
    pub(super) reuse: bool,
    /// The one window: the provider has rotated, and nobody is left who could keep what came of it.
    pub(super) window: bool,
    /// A process stood still for longer than its lease.
    pub(super) stalled: bool,
    /// The store lost its memory while somebody was a generation behind, or on the way.
    pub(super) forgot: bool,
    /// The newest generation that the jar ever held.
    pub(super) held: Generation,
    /// An answer that a newer one had overtaken put the jar back, and nothing was asked for a minute.
    pub(super) overtaken: bool,
    /// A revocation was lost with its process.
    pub(super) unrevoked: bool,
    pub(super) broken: Option<&'static str>,
}

impl State {
    /// Signed in `ago` seconds ago.
    pub(super) fn signed_in(ago: Seconds, left: Budget) -> Self {
        Self {
            now: ago,
            store: Shelf::default(),
            provider: Provider::default(),
            replicas: [Replica::default(); REPLICAS],
            requests: Vec::new(),
            answers: Vec::new(),
            revokers: Vec::new(),
            jar: Some(0),
            born: [(0, 0); GENERATIONS],
            left,
            ghost: Ghost::default(),
            strays: Vec::new(),
            heard: Vec::new(),
        }
    }

    pub(super) fn due(&self, of: Generation, now: Seconds, rules: &Rules) -> bool {
        let (born, epoch) = self.born[usize::from(of)];
        let foreign = epoch != self.store.epoch && !rules.trusts_other_epochs;
        foreign || (born + LIFETIME).saturating_sub(now) <= RENEW_BEFORE
    }

    pub(super) fn usable(&self, of: Generation, now: Seconds, rules: &Rules) -> bool {
        let (born, epoch) = self.born[usize::from(of)];
        (epoch == self.store.epoch || rules.trusts_other_epochs) && now < born + LIFETIME
    }

    pub(super) fn vouched(&self, of: Generation) -> bool {
        self.born[usize::from(of)].1 == self.store.epoch
    }

    /// Says what is wrong, once.
    pub(super) fn broken(&mut self, what: &'static str) {
        self.ghost.broken.get_or_insert(what);
    }

    pub(super) fn is_broken_unless(&mut self, excused: bool, what: &'static str) {
        if !excused {
            self.broken(what);
        }
    }

    /// One of the states that differ in nothing but the order of what has none.
    pub(super) fn sorted(mut self) -> Self {
        for request in &mut self.requests {
            request.name = 0;
        }
        self.heard.clear();
        self.requests.sort_unstable();
        self.answers.sort_unstable();
        self.answers.dedup();
        self
    }

    /// Two processes ask the provider at a time.
    pub(super) fn two_are_asking(&self) -> bool {
        let flights = self.replicas.iter().filter_map(|replica| replica.flight);
        flights
            .filter(|flight| matches!(flight.at, Leg::Asking { .. }))
            .count()
            > 1
    }

    /// Nobody is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.requests.is_empty() && self.replicas.iter().all(|replica| replica.flight.is_none())
    }
}

impl Replica {
    /// Whether a flight of seconds ago brought this generation.
    pub(super) fn is_recent(&self, of: Generation, now: Seconds) -> bool {
        self.rest
            .is_some_and(|rest| rest.is_of(of, now) && rest.outcome == Outcome::Recent)
    }
}

impl Rest {
    pub(super) fn is_of(&self, of: Generation, now: Seconds) -> bool {
        self.of == of && self.since <= now && now < self.until
    }
}
