//! The renewal itself, one step a time: `Sessions::renew` and `Ticket::land` of [`crate::renewal::flight`], `Sessions::fly`
//! of [`crate::renewal::rotate`].

use super::judge::{SUPERSEDED, TWICE};
use super::request::Wish;
use super::revoker::Task;
use super::rules::Rules;
use super::shelf::{Claimant, End};
use super::standing::{Standing, Stands};
use super::state::{Flight, Generation, Leg, Outcome, Rest, Seconds, State};

/// A renewal this young is good enough for an API call; a failure this old is forgotten.
const GRACE: Seconds = 5;
/// After the second failure in a row.
const PAUSE: Seconds = 1;
/// Between a first refusal of an unknown generation and the final one.
const SECOND_THOUGHT: Seconds = 5;

/// What the provider does with a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Answers,
    /// It does what it is asked, and the answer is lost.
    Lost,
    /// Nothing.
    Fails,
}

/// Whether a request waits for a flight, or has its outcome.
pub(super) enum Boarded {
    Waits,
    Has(Outcome),
}

impl State {
    /// Joins the flight of this session, finds the rest of one, or starts one.
    pub(super) fn board(&mut self, replica: usize, of: Generation, wish: Wish, rules: &Rules) -> Boarded {
        let contented = wish == Wish::Token && self.usable(of, self.now, rules);
        let standing = Standing::of(of, rules.flights_present, self);
        let here = &mut self.replicas[replica];
        if here.flight.is_some() {
            return Boarded::Waits;
        }
        if let Some(rest) = here.rest
            && rest.is_of(of, self.now)
            && (contented || rest.outcome != Outcome::Recent)
        {
            return Boarded::Has(rest.outcome);
        }
        here.flight = Some(Flight {
            of,
            at: Leg::First(standing),
        });
        Boarded::Waits
    }

    /// The next store operation of a flight.
    pub(super) fn fly(&mut self, replica: usize, rules: &Rules) {
        let flight = self.replicas[replica].flight.unwrap();
        let me = Claimant::Flight(u8::try_from(replica).unwrap());
        let next = match flight.at {
            Leg::First(mut standing) => match self.still_due(&mut standing, replica, rules) {
                None => Leg::First(standing),
                Some(Err(outcome)) => return self.land(replica, outcome, rules),
                Some(Ok(_)) => Leg::Claim,
            },
            Leg::Claim => {
                if !self.store.claim(me, self.now, rules) {
                    return;
                }
                let standing = Standing::of(flight.of, rules.flights_present, self);
                if rules.no_second_look {
                    self.asking(flight.of, true, standing.epoch)
                } else {
                    Leg::Second(standing)
                }
            }
            Leg::Second(mut standing) => match self.still_due(&mut standing, replica, rules) {
                None => Leg::Second(standing),
                Some(Err(outcome)) => Leg::Release(outcome),
                Some(Ok((from, known))) => self.asking(from, known, standing.epoch),
            },
            Leg::Asking { .. } => unreachable!("the provider's turn"),
            Leg::Keep { from, now } => {
                if self.store.keep(from, now, rules) {
                    Leg::Release(Outcome::Renewed(from + 1))
                } else {
                    if !rules.keeps_late_tokens {
                        self.spawn_revoker(replica, Task::Revoke(from + 1));
                    }
                    Leg::LateLook
                }
            }
            Leg::LateLook => Leg::Release(Outcome::Late),
            Leg::Refused { from, now } => {
                let first = self.store.refused(from, now);
                if now - first < SECOND_THOUGHT {
                    Leg::Release(Outcome::Superseded(first + SECOND_THOUGHT))
                } else {
                    Leg::EndFinal
                }
            }
            Leg::EndFinal => {
                self.store.end(End::Expired);
                Leg::Release(Outcome::Final)
            }
            Leg::Release(outcome) => {
                self.store.release(me);
                return self.land(replica, outcome, rules);
            }
        };
        self.replicas[replica].flight = Some(Flight { at: next, ..flight });
    }

    /// As `Sessions::still_due`: what to renew and whether it is known to be the newest, or what became of it.
    fn still_due(
        &mut self,
        standing: &mut Standing,
        replica: usize,
        rules: &Rules,
    ) -> Option<Result<(Generation, bool), Outcome>> {
        let Stands::Alive {
            generation,
            handed,
            known,
        } = standing.step(self, rules)?
        else {
            return Some(Err(Outcome::Over));
        };
        let now = standing.now;
        let fresh =
            || self.usable(generation, now, rules) && self.replicas[replica].is_recent(generation, now);
        if handed && (!self.due(generation, now, rules) || fresh()) {
            return Some(Err(Outcome::Renewed(generation)));
        }
        Some(Ok((generation, known)))
    }

    /// The request goes to the provider: one at a time, while leases are kept.
    fn asking(&mut self, from: Generation, known: bool, epoch: u8) -> Leg {
        let others = self
            .replicas
            .iter()
            .filter_map(|replica| replica.flight)
            .filter(|flight| matches!(flight.at, Leg::Asking { .. }));
        let alone = others.count() == 0;
        let excused = alone || self.ghost.stalled || self.ghost.forgot;
        self.is_broken_unless(excused, TWICE);
        Leg::Asking {
            from,
            known,
            asked: self.now,
            epoch,
        }
    }

    /// The provider answers the flight's request, or does not.
    pub(super) fn provide(&mut self, replica: usize, turn: Turn, rules: &Rules) {
        let flight = self.replicas[replica].flight.unwrap();
        let Leg::Asking {
            from,
            known,
            asked,
            epoch,
        } = flight.at
        else {
            unreachable!("nothing is asked")
        };
        let good = !self.provider.revoked && self.provider.good == from;
        let next = match turn {
            Turn::Fails => Leg::Release(Outcome::Failed),
            Turn::Lost if rules.asks_again => flight.at,
            Turn::Lost | Turn::Answers if !good => {
                self.refuse(from);
                match turn {
                    Turn::Lost => Leg::Release(Outcome::Failed),
                    _ if known => Leg::EndFinal,
                    _ => Leg::Refused { from, now: self.now },
                }
            }
            Turn::Lost => {
                self.ghost.window = true;
                Leg::Release(Outcome::Failed)
            }
            Turn::Answers => {
                let current = self.store.epoch;
                let epoch = if rules.epoch_on_arrival { current } else { epoch };
                self.ghost.vouched_again |= self.ghost.end_forgotten && epoch == current;
                self.born[usize::from(from) + 1] = (asked, epoch);
                Leg::Keep { from, now: self.now }
            }
        };
        if good && turn != Turn::Fails {
            self.provider.good = from + 1;
        }
        self.replicas[replica].flight = Some(Flight { at: next, ..flight });
    }

    /// The request of a process that has died arrives: the answer is for nobody.
    pub(super) fn stray(&mut self, stray: usize) {
        let from = self.strays.remove(stray);
        self.ghost.window = true;
        if self.provider.good == from {
            self.provider.good += 1;
        } else {
            self.provider.revoked = true;
        }
    }

    /// A refresh token that is not the newest: the provider takes all of them back.
    fn refuse(&mut self, from: Generation) {
        if !self.provider.revoked {
            let ghost = self.ghost;
            let excused = ghost.window || ghost.stalled || ghost.forgot;
            self.is_broken_unless(excused, SUPERSEDED);
        }
        if from != self.provider.good {
            self.provider.revoked = true;
        }
    }

    /// As `Ticket::land`: what is remembered, then who waits goes on.
    fn land(&mut self, replica: usize, outcome: Outcome, rules: &Rules) {
        let now = self.now;
        let here = &mut self.replicas[replica];
        let of = here.flight.take().unwrap().of;
        let failed_before = here.rest.take().map_or(0, |rest| {
            let remembered = rest.since <= now && (now < rest.until || now - rest.since < GRACE);
            if remembered && rest.of == of {
                rest.failures
            } else {
                0
            }
        });
        let rest = |of, until, outcome, failures| {
            Some(Rest {
                of,
                since: now,
                until,
                outcome,
                failures,
            })
        };
        here.rest = match outcome {
            Outcome::Renewed(brought) => rest(brought, now + GRACE, Outcome::Recent, 0),
            Outcome::Failed => {
                let pause = if failed_before == 0 { 0 } else { PAUSE };
                rest(of, now + pause, Outcome::Failed, failed_before + 1)
            }
            Outcome::Superseded(until) => rest(of, until, outcome, 0),
            Outcome::Over | Outcome::Late | Outcome::Final | Outcome::Recent => None,
        };
        self.landed(replica, outcome, rules);
    }
}
