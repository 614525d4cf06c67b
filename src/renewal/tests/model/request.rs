//! A browser's request, one step a time: [`crate::renewal::admit`], [`crate::renewal::answer`], [`crate::renewal::peek`]
//! and `Sessions::log_out` of [`crate::renewal::end`].

use super::flight::Boarded;
use super::judge::{REVIVED, ROLLED_BACK, SET_AFTER_END};
use super::revoker::{Revoker, Task};
use super::rules::Rules;
use super::shelf::End;
use super::standing::{Chain, Link, Standing, Stands};
use super::state::{Cookies, Generation, Outcome, Seconds, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Request {
    /// Tells it from others where that matters, see [`State::sorted`].
    pub(super) name: u8,
    pub(super) kind: Kind,
    pub(super) replica: usize,
    /// It was sent after a logout had been acknowledged.
    pub(super) late: bool,
    pub(super) at: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// An API call.
    Call,
    /// `POST refresh`
    Refresh,
    /// `GET session`
    Peek,
    /// `POST logout`
    Logout,
}

/// What a request wants of a flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Token,
    Renewal,
}

/// Which operation is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Stand(Standing),
    /// For a flight; `again` for the one after a flight that the store's memory did not outlast.
    Waits {
        of: Generation,
        handed: bool,
        again: bool,
    },
    /// The API has answered: the cookies are decided.
    Answer {
        of: Generation,
    },
    AnswerFollow(Chain),
    Leave {
        of: Generation,
        now: Seconds,
    },
    LeaveFollow {
        of: Generation,
        chain: Chain,
    },
    LeaveReuse {
        of: Generation,
        now: Seconds,
    },
    LeaveEnd {
        of: Generation,
    },
    Landed {
        of: Generation,
        now: Seconds,
        flight: Aboard,
    },
    LandedFollow {
        of: Generation,
        chain: Chain,
        flight: Aboard,
    },
}

/// The flight that a logout found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Aboard {
    None,
    Flying,
    Landed(Outcome),
}

/// What a request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reply {
    /// Forwarded with this generation's token; the cookies that go with the answer are still open where `renewed`.
    Admitted { of: Generation, renewed: bool },
    /// The answer, and what it sets.
    Says(Option<Cookies>),
    /// The logout is done.
    Left,
    /// There is more to do.
    Goes(Step),
}

impl State {
    /// A browser sends a request with the cookies of `of`.
    pub(super) fn send(&mut self, kind: Kind, replica: usize, of: Generation) {
        let shown = &mut self.ghost.shown[usize::from(of)];
        *shown = shown.or(Some(self.now));
        let at = match kind {
            Kind::Logout => Step::Leave { of, now: self.now },
            _ => Step::Stand(Standing::of(of, true, self)),
        };
        let name = (0..=u8::MAX).find(|name| self.requests.iter().all(|other| other.name != *name));
        self.requests.push(Request {
            name: name.unwrap(),
            kind,
            replica,
            late: self.ghost.acknowledged,
            at,
        });
    }

    /// Whether it can go on by itself.
    pub(super) fn can_go_on(&self, request: usize) -> bool {
        !matches!(self.requests[request].at, Step::Waits { .. })
    }

    /// The next store operation of a request.
    pub(super) fn go_on(&mut self, index: usize, rules: &Rules) {
        let request = self.requests[index];
        let reply = match request.at {
            Step::Stand(mut standing) => match standing.step(self, rules) {
                None => Reply::Goes(Step::Stand(standing)),
                Some(stands) => self.stands(request, stands, rules),
            },
            Step::Waits { .. } => unreachable!("it waits"),
            Step::Answer { of } => self.decide(of, rules),
            Step::AnswerFollow(chain) => match chain.step(self) {
                Link::Next(chain) => Reply::Goes(Step::AnswerFollow(chain)),
                Link::There => Reply::Says(Some(Cookies::Set(chain.newest))),
                Link::Gone => Reply::Says(None),
            },
            _ => self.leave(request, rules),
        };
        self.reply(index, reply);
    }

    fn stands(&mut self, request: Request, stands: Stands, rules: &Rules) -> Reply {
        let Stands::Alive {
            generation: of,
            handed,
            ..
        } = stands
        else {
            let cleared = request.kind == Kind::Peek || rules.loser_clears;
            return Reply::Says(cleared.then_some(Cookies::Clear));
        };
        let admitted = Reply::Admitted { of, renewed: handed };
        let due = self.due(of, self.now, rules);
        let wish = match request.kind {
            Kind::Peek => return Reply::Says(handed.then_some(Cookies::Set(of))),
            Kind::Call if !due => return admitted,
            Kind::Refresh if handed && !due => return admitted,
            Kind::Refresh if !handed => Wish::Renewal,
            _ => Wish::Token,
        };
        match self.board(request.replica, of, wish, rules) {
            Boarded::Waits => Reply::Goes(Step::Waits {
                of,
                handed,
                again: false,
            }),
            Boarded::Has(outcome) => self.settled(request, (of, handed), false, outcome, rules),
        }
    }

    /// What a flight's outcome means for one who waited.
    fn settled(
        &mut self,
        request: Request,
        (of, handed): (Generation, bool),
        again: bool,
        outcome: Outcome,
        rules: &Rules,
    ) -> Reply {
        match outcome {
            Outcome::Renewed(brought) if !self.vouched(brought) && !rules.epoch_on_arrival => {
                if again {
                    return Reply::Says(None);
                }
                match self.board(request.replica, brought, Wish::Token, rules) {
                    Boarded::Waits => Reply::Goes(Step::Waits {
                        of,
                        handed,
                        again: true,
                    }),
                    Boarded::Has(outcome) => self.settled(request, (of, handed), true, outcome, rules),
                }
            }
            Outcome::Renewed(of) => Reply::Admitted { of, renewed: true },
            Outcome::Recent => Reply::Admitted { of, renewed: handed },
            Outcome::Failed if request.kind == Kind::Call && self.usable(of, self.now, rules) => {
                Reply::Admitted { of, renewed: handed }
            }
            Outcome::Final => Reply::Says(Some(Cookies::Clear)),
            Outcome::Failed | Outcome::Over | Outcome::Late | Outcome::Superseded(_) => {
                Reply::Says(rules.loser_clears.then_some(Cookies::Clear))
            }
        }
    }

    /// As `Sessions::cookies_for_answer`.
    fn decide(&mut self, of: Generation, rules: &Rules) -> Reply {
        let newest = self.store.newest.map_or(0, |newest| newest.generation);
        if rules.no_look_before_answer {
            let rolls_back = of < newest;
            self.is_broken_unless(!rolls_back, ROLLED_BACK);
            let revives = self.store.ended.is_some();
            self.is_broken_unless(!revives, SET_AFTER_END);
            return Reply::Says(Some(Cookies::Set(of)));
        }
        if self.store.ended.is_some() {
            return Reply::Says(None);
        }
        if of < newest {
            return Reply::Goes(Step::AnswerFollow(Chain {
                current: of,
                newest,
                now: self.now,
            }));
        }
        Reply::Says(Some(Cookies::Set(of)))
    }

    fn leave(&mut self, request: Request, rules: &Rules) -> Reply {
        let now = self.now;
        let newest = self.store.newest.map(|newest| newest.generation);
        let replica = request.replica;
        match request.at {
            Step::Leave { .. } if rules.ends_nothing => Reply::Left,
            Step::Leave { .. } if self.store.ended.is_some() => Reply::Left,
            Step::Leave { of, now } => match newest {
                Some(newest) if newest > of => Reply::Goes(Step::LeaveFollow {
                    of,
                    chain: Chain {
                        current: of,
                        newest,
                        now,
                    },
                }),
                _ => Reply::Goes(Step::LeaveEnd { of }),
            },
            Step::LeaveFollow { of, chain } => Reply::Goes(match chain.step(self) {
                Link::Next(chain) => Step::LeaveFollow { of, chain },
                Link::There => Step::LeaveEnd { of: chain.newest },
                Link::Gone => Step::LeaveReuse { of, now: chain.now },
            }),
            Step::LeaveReuse { of, now } => {
                self.taken_for_reuse(of, now);
                Reply::Left
            }
            Step::LeaveEnd { of } => {
                self.store.end(End::LoggedOut);
                self.ghost.left = true;
                let flight = match self.replicas[replica].flight {
                    Some(_) => Aboard::Flying,
                    None => Aboard::None,
                };
                Reply::Goes(Step::Landed { of, now, flight })
            }
            Step::Landed { of, now, flight } => match newest {
                Some(newest) if newest > of => Reply::Goes(Step::LandedFollow {
                    of,
                    chain: Chain {
                        current: of,
                        newest,
                        now,
                    },
                    flight,
                }),
                _ => self.left(replica, of, flight),
            },
            Step::LandedFollow { of, chain, flight } => match chain.step(self) {
                Link::Next(chain) => Reply::Goes(Step::LandedFollow { of, chain, flight }),
                Link::There => self.left(replica, chain.newest, flight),
                Link::Gone => self.left(replica, of, flight),
            },
            _ => unreachable!("no logout"),
        }
    }

    /// What remains is done behind the user's back.
    fn left(&mut self, replica: usize, last: Generation, flight: Aboard) -> Reply {
        let task = match flight {
            Aboard::None => Task::Claim(last),
            Aboard::Flying => Task::Waits(last),
            Aboard::Landed(outcome) => Self::after_flight(last, outcome),
        };
        if task != Task::Done {
            self.spawn_revoker(replica, task);
        }
        Reply::Left
    }

    fn reply(&mut self, index: usize, reply: Reply) {
        self.heard.push((self.requests[index].name, reply));
        let says = match reply {
            Reply::Goes(step) => {
                self.requests[index].at = step;
                return;
            }
            Reply::Admitted { of, renewed } => {
                self.admitted(index);
                if renewed {
                    self.requests[index].at = Step::Answer { of };
                    return;
                }
                None
            }
            Reply::Says(cookies) => cookies,
            Reply::Left => {
                self.ghost.acknowledged = true;
                self.ghost.left = true;
                Some(Cookies::Clear)
            }
        };
        self.requests.remove(index);
        self.answers.extend(says);
    }

    /// A call is forwarded (or a refresh answered 200): never one that was sent after the end was acknowledged.
    fn admitted(&mut self, index: usize) {
        let late = self.requests[index].late;
        let excused = !late || self.ghost.vouched_again;
        self.is_broken_unless(excused, REVIVED);
    }

    /// A flight has landed: those who waited go on.
    pub(super) fn landed(&mut self, replica: usize, outcome: Outcome, rules: &Rules) {
        for index in (0..self.requests.len()).rev() {
            let request = &mut self.requests[index];
            if request.replica != replica {
                continue;
            }
            match &mut request.at {
                Step::Waits { of, handed, again } => {
                    let (stood, again, request) = ((*of, *handed), *again, *request);
                    let reply = self.settled(request, stood, again, outcome, rules);
                    self.reply(index, reply);
                }
                Step::Landed { flight, .. } | Step::LandedFollow { flight, .. }
                    if *flight == Aboard::Flying =>
                {
                    *flight = Aboard::Landed(outcome);
                }
                _ => {}
            }
        }
        for revoker in &mut self.revokers {
            match revoker {
                Revoker {
                    replica: here,
                    at: at @ Task::Waits(_),
                    ..
                } if *here == replica => {
                    let Task::Waits(last) = *at else { continue };
                    *at = Self::after_flight(last, outcome);
                }
                _ => {}
            }
        }
        self.revokers.retain(|revoker| revoker.at != Task::Done);
    }
}
