//! What may happen next.

use super::flight::Turn;
use super::request::{Kind, Step};
use super::rules::Rules;
use super::shelf::{Claimant, lease};
use super::state::{Cookies, Flight, Generation, LIFETIME, Leg, REPLICAS, Replica, Seconds, State};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// The browser sends a request with what is in its jar.
    Sends(Kind, usize),
    /// Somebody sends one with a copy of the first cookies.
    Copies(Kind, usize),
    /// A request's next store operation (or the end of its answer).
    Request(usize),
    /// A flight's.
    Flight(usize),
    /// The provider does something about a flight's request.
    Provider(usize, Turn),
    /// The token request of a process that has died reaches the provider.
    Stray(usize),
    /// A revocation's next step.
    Revoker(usize),
    /// An answer arrives, in any order.
    Arrives(usize),
    /// An answer is lost.
    IsLost(usize),
    /// A lease's time passes, and whoever lives has kept its own up.
    Moment,
    /// A lease's time passes while its holder stands still.
    Stall,
    /// The time of a grace passes.
    Minute,
    /// The life of an access token passes.
    Lifetime,
    /// A process dies and is started again.
    Crash(usize),
    /// The store loses its memory.
    Epoch,
}

/// Beyond a grace.
pub(super) const MINUTE: Seconds = 61;

impl Move {
    /// What mostly does not happen.
    pub(super) fn is_mishap(self) -> bool {
        matches!(
            self,
            Self::Sends(Kind::Logout, _)
                | Self::Copies(..)
                | Self::IsLost(_)
                | Self::Provider(_, Turn::Lost | Turn::Fails)
                | Self::Stall
                | Self::Minute
                | Self::Crash(_)
                | Self::Epoch
        )
    }
}

impl State {
    /// Everything that may happen next.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::new();
        self.sendings(&mut moves);
        for request in (0..self.requests.len()).filter(|request| self.can_go_on(*request)) {
            moves.push(Move::Request(request));
        }
        for replica in 0..REPLICAS {
            match self.replicas[replica].flight {
                Some(Flight {
                    at: Leg::Asking { .. },
                    ..
                }) => {
                    moves.push(Move::Provider(replica, Turn::Answers));
                    if self.left.lost > 0 {
                        moves.push(Move::Provider(replica, Turn::Lost));
                    }
                    if self.left.failures > 0 {
                        moves.push(Move::Provider(replica, Turn::Fails));
                    }
                }
                Some(_) => moves.push(Move::Flight(replica)),
                None => {}
            }
        }
        for stray in 0..self.strays.len() {
            moves.push(Move::Stray(stray));
        }
        for revoker in (0..self.revokers.len()).filter(|revoker| self.can_revoke(*revoker)) {
            moves.push(Move::Revoker(revoker));
        }
        for answer in 0..self.answers.len() {
            moves.push(Move::Arrives(answer));
            moves.push(Move::IsLost(answer));
        }
        self.mishaps(&mut moves);
        moves
    }

    fn sendings(&self, moves: &mut Vec<Move>) {
        // The replicas are alike: the first request of all goes to the first one.
        let replicas = if self.ghost.shown.iter().all(Option::is_none) {
            1
        } else {
            REPLICAS
        };
        for replica in 0..replicas {
            for kind in [Kind::Call, Kind::Refresh, Kind::Peek] {
                if self.left.requests > 0 && self.jar.is_some() {
                    moves.push(Move::Sends(kind, replica));
                }
            }
            if self.left.copies > 0 {
                moves.push(Move::Copies(Kind::Call, replica));
            }
            if self.left.logouts > 0 && self.jar.is_some() {
                moves.push(Move::Sends(Kind::Logout, replica));
            }
        }
    }

    fn mishaps(&self, moves: &mut Vec<Move>) {
        // A dead holder's lease runs out by itself.
        let orphaned = self.store.is_orphaned(self.now);
        if self.left.moments > 0 || orphaned && !self.is_quiet() {
            moves.push(Move::Moment);
        }
        let held = matches!(self.store.holder(), Some(Claimant::Flight(_)));
        if self.left.stalls > 0 && held {
            moves.push(Move::Stall);
        }
        // A request waits ten seconds, a flight twenty, an answer is under way for less than a minute: so long nothing is
        // under way but a call that its API keeps waiting.
        let slow = |at| matches!(at, Step::Answer { .. });
        let settled = self.requests.iter().all(|request| slow(request.at))
            && self.replicas.iter().all(|replica| replica.flight.is_none())
            && self.answers.is_empty();
        if settled && self.left.minutes > 0 {
            moves.push(Move::Minute);
        }
        if settled && self.left.lifetimes > 0 {
            moves.push(Move::Lifetime);
        }
        for replica in 0..REPLICAS {
            if self.left.crashes > 0 && self.is_busy(replica) {
                moves.push(Move::Crash(replica));
            }
        }
        if self.left.epochs > 0 {
            moves.push(Move::Epoch);
        }
    }

    fn is_busy(&self, replica: usize) -> bool {
        self.replicas[replica] != Replica::default()
            || self.requests.iter().any(|request| request.replica == replica)
            || self.revokers.iter().any(|revoker| revoker.replica == replica)
    }

    /// The state after it happened.
    pub(super) fn after(&self, happens: Move, rules: &Rules) -> Self {
        let mut state = self.clone();
        match happens {
            Move::Sends(kind, replica) => {
                if kind == Kind::Logout {
                    state.left.logouts -= 1;
                } else {
                    state.left.requests -= 1;
                }
                state.send(kind, replica, self.jar.unwrap());
            }
            Move::Copies(kind, replica) => {
                state.left.copies -= 1;
                // What the store has forgotten is no copy to it.
                state.ghost.forgot |= state.store.epoch > 0 && state.provider.good > 0;
                state.send(kind, replica, 0);
            }
            Move::Request(request) => state.go_on(request, rules),
            Move::Flight(replica) => state.fly(replica, rules),
            Move::Provider(replica, turn) => {
                state.left.lost -= u8::from(turn == Turn::Lost);
                state.left.failures -= u8::from(turn == Turn::Fails);
                state.provide(replica, turn, rules);
            }
            Move::Stray(stray) => state.stray(stray),
            Move::Revoker(revoker) => state.revoke(revoker, rules),
            Move::Arrives(answer) => state.take(answer),
            Move::IsLost(answer) => drop(state.answers.remove(answer)),
            Move::Moment => {
                state.left.moments = state.left.moments.saturating_sub(1);
                state.now += lease();
                state.keep_leases_up(rules);
            }
            Move::Stall => {
                state.left.stalls -= 1;
                state.now += lease();
                state.ghost.stalled = true;
            }
            Move::Minute => {
                state.left.minutes -= 1;
                state.pass(MINUTE);
            }
            Move::Lifetime => {
                state.left.lifetimes -= 1;
                state.pass(LIFETIME);
            }
            Move::Crash(replica) => state.crash(replica),
            Move::Epoch => state.lose_memory(),
        }
        state
    }

    /// The browser takes an answer's cookies.
    fn take(&mut self, answer: usize) {
        self.jar = match self.answers.remove(answer) {
            Cookies::Set(generation) => Some(generation),
            Cookies::Clear => None,
        };
        self.ghost.held = self.ghost.held.max(self.jar.unwrap_or_default());
    }

    /// Longer than any grace.
    fn pass(&mut self, seconds: Seconds) {
        self.now += seconds;
        self.ghost.overtaken |= self.jar.is_some_and(|jar| jar < self.ghost.held);
    }

    /// Every living flight that has the right asks for it again in time.
    fn keep_leases_up(&mut self, rules: &Rules) {
        let Some(Claimant::Flight(replica)) = self.store.holder() else {
            return;
        };
        let flight = self.replicas[usize::from(replica)].flight;
        let in_time = match flight.map(|flight| flight.at) {
            Some(Leg::First(_) | Leg::Claim | Leg::Release(_)) | None => false,
            Some(Leg::Second(_)) => !rules.keeps_up_late,
            Some(_) => !rules.no_keeping_up,
        };
        if in_time {
            self.store.kept_up(self.now);
        }
    }

    /// All that a process was at is gone; its lease stays until it runs out.
    fn crash(&mut self, replica: usize) {
        self.left.crashes -= 1;
        let flight = self.replicas[replica].flight.map(|flight| flight.at);
        self.ghost.window |= matches!(flight, Some(Leg::Keep { .. }));
        if let Some(Leg::Asking { from, .. }) = flight {
            self.strays.push(from);
        }
        let dead: Vec<u8> = self
            .revokers
            .iter()
            .filter(|revoker| revoker.replica == replica)
            .map(|revoker| revoker.name)
            .collect();
        self.ghost.unrevoked |= !dead.is_empty();
        self.ghost.unrevoked |= self.requests.iter().any(|request| {
            request.replica == replica
                && matches!(
                    request.at,
                    Step::Landed { .. } | Step::LandedFollow { .. } | Step::LeaveEnd { .. }
                )
        });
        self.store.bereave(|holder| match holder {
            Claimant::Flight(of) => usize::from(of) == replica,
            Claimant::Revoker(name) => dead.contains(&name),
            Claimant::Dead => true,
        });
        self.replicas[replica] = Replica::default();
        self.requests.retain(|request| request.replica != replica);
        self.revokers.retain(|revoker| revoker.replica != replica);
    }

    fn lose_memory(&mut self) {
        self.left.epochs -= 1;
        let newest: Generation = self.provider.good;
        let behind = self.jar.is_some_and(|jar| jar != newest);
        let under_way = !self.is_quiet() || !self.answers.is_empty();
        self.ghost.forgot |= behind || under_way;
        self.ghost.end_forgotten |= self.store.ended.is_some();
        self.store = self.store.restarted();
    }
}
