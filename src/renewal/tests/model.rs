//! The renewal protocol (contract §9), searched: every interleaving of two processes, their store, a provider and a browser,
//! with crashes, lost, late and overtaken answers, leases that run out, a store that loses its memory, and logouts.
//!
//! A model, since the real code has too many states: one session, and one step for each operation of the store and the
//! provider, which is where processes meet. `search` visits all states within a bound; `judge` says what must hold in each.
//! It is held against the code from two sides: rules that are broken on purpose must be found out (`broken`), and the real
//! `Sessions` on a real store walk in step with it (`replay`).

mod agreement;
mod broken;
mod flight;
mod gate;
mod judge;
mod moves;
mod operations;
mod replay;
mod request;
mod revoker;
mod rules;
mod search;
mod shelf;
mod standing;
mod state;
mod visitor;
mod walks;

use judge::{excuses, judge, lost};
use rules::Rules;
use search::{Found, search};
use state::{Budget, State};

const NONE: Budget = Budget {
    requests: 0,
    logouts: 0,
    copies: 0,
    moments: 0,
    stalls: 0,
    minutes: 0,
    lifetimes: 0,
    crashes: 0,
    epochs: 0,
    lost: 0,
    failures: 0,
};
const TWO: Budget = Budget { requests: 2, ..NONE };
const THREE: Budget = Budget { requests: 3, ..NONE };

/// Signed in, and the first access token is over: whoever comes renews.
fn expired(left: Budget) -> State {
    State::signed_in(600, left)
}

fn explore(name: &str, left: Budget, rules: &Rules) -> Found {
    let found = search(expired(left), rules, judge);
    let Found {
        states, moves, ends, ..
    } = found;
    println!("{name}: {states} states, {moves} moves, {ends} ends");
    found
}

/// Everything within these bounds, and nothing wrong.
fn holds_within(bounds: &[(&str, Budget)]) {
    for (name, left) in bounds {
        if let Some(wrong) = explore(name, *left, &Rules::default()).wrong {
            panic!("{name}: {}:\n{}", wrong.what, wrong.told());
        }
    }
}

#[test]
fn no_interleaving_loses_a_session_or_brings_one_back() {
    // attacks 131–136, 143, 146.
    holds_within(&[
        (
            "answers lost, late, overtaken",
            Budget {
                minutes: 1,
                lifetimes: 1,
                ..THREE
            },
        ),
        (
            "a logout and a copy of the cookies",
            Budget {
                requests: 1,
                logouts: 1,
                copies: 1,
                lost: 1,
                ..NONE
            },
        ),
        ("a crash", Budget { crashes: 1, ..THREE }),
        (
            "leases that run out",
            Budget {
                moments: 1,
                stalls: 1,
                ..TWO
            },
        ),
        (
            "a provider that fails",
            Budget {
                lost: 1,
                failures: 1,
                ..THREE
            },
        ),
        ("a store that forgets", Budget { epochs: 1, ..TWO }),
        (
            "a store that forgets a logout",
            Budget {
                logouts: 1,
                copies: 1,
                epochs: 1,
                ..NONE
            },
        ),
        (
            "a thief after the grace",
            Budget {
                copies: 1,
                minutes: 1,
                ..TWO
            },
        ),
    ]);
}

#[test]
#[ignore = "long"]
fn no_interleaving_within_wider_bounds_does_either() {
    holds_within(&[
        ("five requests", Budget { requests: 5, ..NONE }),
        (
            "a logout, calls and a crash",
            Budget {
                logouts: 1,
                crashes: 1,
                lost: 1,
                ..TWO
            },
        ),
        (
            "crashes, time and a copy",
            Budget {
                copies: 1,
                crashes: 2,
                moments: 1,
                minutes: 1,
                lifetimes: 1,
                ..TWO
            },
        ),
        (
            "leases that run out",
            Budget {
                moments: 1,
                stalls: 1,
                ..THREE
            },
        ),
        ("a store that forgets", Budget { epochs: 1, ..THREE }),
        (
            "a store that forgets a logout",
            Budget {
                requests: 1,
                logouts: 1,
                copies: 1,
                epochs: 1,
                ..NONE
            },
        ),
    ]);
}

#[test]
fn each_excuse_for_a_lost_session_is_needed() {
    // What the search above excuses is all that loses a session, and each of it does. The one window of a healthy service
    // is the first two: the provider has rotated, and the store has not been told.
    let with = |left: Budget, excuse: &str| {
        let only = |state: &State| {
            let excused = excuses(state);
            (lost(state) && excused == [excuse]).then_some("lost")
        };
        let found = search(expired(left), &Rules::default(), only);
        let wrong = found.wrong.unwrap_or_else(|| panic!("{excuse} loses nothing"));
        println!("{excuse}:\n{}", wrong.told());
    };
    with(Budget { crashes: 1, ..TWO }, "window");
    with(Budget { lost: 1, ..TWO }, "window");
    with(Budget { stalls: 1, ..TWO }, "stalled");
    with(Budget { epochs: 1, ..TWO }, "forgot");
    with(
        Budget {
            requests: 1,
            logouts: 1,
            ..NONE
        },
        "left",
    );
    with(
        Budget {
            copies: 1,
            minutes: 1,
            ..TWO
        },
        "reuse",
    );
    with(
        Budget {
            minutes: 1,
            lifetimes: 1,
            ..THREE
        },
        "overtaken",
    );
}
