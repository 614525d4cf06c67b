//! What a logout leaves to do, and a renewal that came too late: the provider takes the tokens back
//! ([`crate::renewal::end`]).

use super::rules::Rules;
use super::shelf::Claimant;
use super::standing::{Chain, Link};
use super::state::{Generation, Outcome, Seconds, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Revoker {
    pub(super) replica: usize,
    /// Tells its claim from others.
    pub(super) name: u8,
    pub(super) at: Task,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Task {
    /// A flight of this process may be rotating the token.
    Waits(Generation),
    /// One of another process may.
    Claim(Generation),
    Look {
        last: Generation,
        now: Seconds,
    },
    Follow {
        last: Generation,
        chain: Chain,
    },
    Release(Generation),
    Revoke(Generation),
    Done,
}

impl State {
    pub(super) fn spawn_revoker(&mut self, replica: usize, at: Task) {
        let name = (0..=u8::MAX).find(|name| self.revokers.iter().all(|other| other.name != *name));
        self.revokers.push(Revoker {
            replica,
            name: name.unwrap(),
            at,
        });
    }

    /// Whether it can go on by itself.
    pub(super) fn can_revoke(&self, revoker: usize) -> bool {
        !matches!(self.revokers[revoker].at, Task::Waits(_))
    }

    /// The next operation.
    pub(super) fn revoke(&mut self, revoker: usize, rules: &Rules) {
        let Revoker { name, at, .. } = self.revokers[revoker];
        let me = Claimant::Revoker(name);
        let next = match at {
            Task::Waits(_) | Task::Done => unreachable!("it waits"),
            Task::Claim(last) => {
                if !self.store.claim(me, self.now, rules) {
                    return;
                }
                Task::Look { last, now: self.now }
            }
            Task::Look { last, now } => match self.store.newest {
                Some(newest) if newest.generation > last => Task::Follow {
                    last,
                    chain: Chain {
                        current: last,
                        newest: newest.generation,
                        now,
                    },
                },
                _ => Task::Release(last),
            },
            Task::Follow { last, chain } => match chain.step(self) {
                Link::Next(chain) => Task::Follow { last, chain },
                Link::There => Task::Release(chain.newest),
                Link::Gone => Task::Release(last),
            },
            Task::Release(last) => {
                self.store.release(me);
                Task::Revoke(last)
            }
            Task::Revoke(last) => {
                // As strict as can be: a token that is not the newest means nothing to it.
                self.provider.revoked |= last == self.provider.good;
                Task::Done
            }
        };
        self.revokers[revoker].at = next;
        self.revokers.retain(|revoker| revoker.at != Task::Done);
    }

    /// What a logout's revocation makes of the flight it waited for (`after_flight`).
    pub(super) fn after_flight(last: Generation, outcome: Outcome) -> Task {
        match outcome {
            Outcome::Renewed(brought) => Task::Revoke(brought),
            Outcome::Late | Outcome::Final | Outcome::Superseded(_) => Task::Done,
            Outcome::Over | Outcome::Failed | Outcome::Recent => Task::Revoke(last),
        }
    }
}
