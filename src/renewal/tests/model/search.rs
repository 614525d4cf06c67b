//! Visits every state that can be reached, nearest first, and says how the first wrong one was.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use super::moves::Move;
use super::rules::Rules;
use super::state::State;

/// What a search found.
pub(super) struct Found {
    pub(super) states: usize,
    pub(super) moves: usize,
    /// States in which nothing more happens.
    pub(super) ends: usize,
    pub(super) wrong: Option<Wrong>,
}

/// A state that must not be, and the shortest way there.
pub(super) struct Wrong {
    pub(super) what: &'static str,
    pub(super) way: Vec<Move>,
}

impl Wrong {
    /// One line a move.
    pub(super) fn told(&self) -> String {
        let lines: Vec<String> = self
            .way
            .iter()
            .map(|happened| format!("  {happened:?}"))
            .collect();
        lines.join("\n")
    }
}

/// Every state within the bounds of `start`; `judge` names what is wrong with one.
pub(super) fn search(start: State, rules: &Rules, judge: impl Fn(&State) -> Option<&'static str>) -> Found {
    let prints = RandomState::new();
    // A print of 64 bits: among ten million states two that share one are less likely than one in three hundred thousand.
    let print = |state: &State| prints.hash_one(state);
    let mut came: HashMap<u64, (u64, Move)> = HashMap::new();
    let first = print(&start);
    let mut waiting = VecDeque::from([(start, first)]);
    let mut found = Found {
        states: 1,
        moves: 0,
        ends: 0,
        wrong: None,
    };
    while let Some((state, here)) = waiting.pop_front() {
        let moves = state.moves();
        found.ends += usize::from(moves.is_empty());
        for happens in moves {
            found.moves += 1;
            let next = state.after(happens, rules).sorted();
            let there = print(&next);
            if there == first || came.contains_key(&there) {
                continue;
            }
            came.insert(there, (here, happens));
            found.states += 1;
            if let Some(what) = judge(&next) {
                found.wrong = Some(Wrong {
                    what,
                    way: way(&came, first, there),
                });
                return found;
            }
            waiting.push_back((next, there));
        }
    }
    found
}

fn way(came: &HashMap<u64, (u64, Move)>, first: u64, mut at: u64) -> Vec<Move> {
    let mut way = Vec::new();
    while at != first {
        let (before, happened) = came[&at];
        way.push(happened);
        at = before;
    }
    way.reverse();
    way
}
