//! Where a presented generation stands: `Sessions::standing` of [`crate::renewal::alive`], one store operation a step.

use std::cmp::Ordering;

use super::judge::NO_REUSE;
use super::rules::Rules;
use super::shelf::{End, GRACE};
use super::state::{Generation, Seconds, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Standing {
    pub(super) presented: Generation,
    /// When it began to ask.
    pub(super) now: Seconds,
    /// The epoch that it began in.
    pub(super) epoch: u8,
    /// A browser presents it; not what a flight looks at.
    pub(super) shown: bool,
    pub(super) at: At,
}

/// Which operation is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum At {
    Look,
    Presented,
    Renewal(Chain),
    Reuse,
}

/// The way along kept results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Chain {
    pub(super) current: Generation,
    pub(super) newest: Generation,
    pub(super) now: Seconds,
}

/// As [`crate::renewal::alive::Standing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Alive {
        generation: Generation,
        handed: bool,
        known: bool,
    },
    Over,
}

/// What one step along the kept results finds.
pub(super) enum Link {
    Next(Chain),
    There,
    Gone,
}

impl Chain {
    pub(super) fn step(self, state: &State) -> Link {
        if !state.store.renewal(self.current, self.now) {
            return Link::Gone;
        }
        let current = self.current + 1;
        if current >= self.newest {
            Link::There
        } else {
            Link::Next(Self { current, ..self })
        }
    }
}

impl Standing {
    pub(super) fn of(presented: Generation, shown: bool, state: &State) -> Self {
        Self {
            presented,
            now: state.now,
            epoch: state.store.epoch,
            shown,
            at: At::Look,
        }
    }

    /// The next operation; what it came to, if that was the last one.
    pub(super) fn step(&mut self, state: &mut State, rules: &Rules) -> Option<Stands> {
        let generation = self.presented;
        let alive = |known| {
            Some(Stands::Alive {
                generation,
                handed: false,
                known,
            })
        };
        match self.at {
            At::Look => {
                if state.store.ended.is_some() {
                    return Some(Stands::Over);
                }
                let vouched = state.vouched(generation) && self.epoch == state.store.epoch;
                let Some(newest) = state.store.newest else {
                    return alive(vouched);
                };
                match generation.cmp(&newest.generation) {
                    Ordering::Less => {
                        self.at = At::Renewal(Chain {
                            current: generation,
                            newest: newest.generation,
                            now: self.now,
                        });
                        None
                    }
                    Ordering::Equal if newest.presented || !self.shown => alive(true),
                    Ordering::Equal => {
                        self.at = At::Presented;
                        None
                    }
                    Ordering::Greater => alive(vouched),
                }
            }
            At::Presented => {
                state.store.presented(generation, self.now, rules);
                alive(true)
            }
            At::Renewal(chain) => match chain.step(state) {
                Link::Next(chain) => {
                    self.at = At::Renewal(chain);
                    None
                }
                Link::There => Some(Stands::Alive {
                    generation: chain.newest,
                    handed: true,
                    known: true,
                }),
                Link::Gone if rules.no_reuse_detection => alive(true),
                Link::Gone => {
                    self.at = At::Reuse;
                    None
                }
            },
            At::Reuse => {
                state.taken_for_reuse(generation, self.now);
                Some(Stands::Over)
            }
        }
    }
}

impl State {
    /// The session ends, for an old generation came. Only where a newer one had been shown a minute before.
    pub(super) fn taken_for_reuse(&mut self, generation: Generation, now: Seconds) {
        let newer = &self.ghost.shown[usize::from(generation) + 1..];
        let is_reuse = newer.iter().flatten().any(|shown| now >= shown + GRACE);
        let excused = is_reuse || self.ghost.forgot;
        self.ghost.reuse |= excused;
        self.is_broken_unless(excused, NO_REUSE);
        self.store.end(End::Revoked);
    }
}
