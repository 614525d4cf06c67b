//! The rules broken one by one: each must be found out, or the search could find nothing.

use super::judge::{LOST, NO_REUSE, OUTLIVES, REVIVED, ROLLED_BACK, SUPERSEDED, TWICE};
use super::rules::Rules;
use super::state::Budget;
use super::{NONE, THREE, TWO, explore};

type Break = fn(&mut Rules);

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_broken_rule_is_found_out() {
    let timed = Budget {
        minutes: 1,
        lifetimes: 1,
        ..THREE
    };
    let moment = Budget { moments: 1, ..TWO };
    let thief = Budget {
        copies: 1,
        minutes: 1,
        ..TWO
    };
    let logout = Budget {
        requests: 1,
        logouts: 1,
        ..NONE
    };
    let copied = Budget {
        requests: 1,
        logouts: 1,
        copies: 1,
        ..NONE
    };
    let forgets = Budget { epochs: 1, ..copied };
    let lost = Budget { lost: 1, ..TWO };
    let fails = Budget { failures: 1, ..TWO };
    let table: &[(&str, Break, Budget, &str)] = &[
        ("no lease", |rules| rules.no_lease = true, TWO, TWICE),
        ("no keeping up", |rules| rules.no_keeping_up = true, moment, TWICE),
        (
            "keeping up late",
            |rules| rules.keeps_up_late = true,
            moment,
            TWICE,
        ),
        (
            "no second look",
            |rules| rules.no_second_look = true,
            TWO,
            SUPERSEDED,
        ),
        ("no result is kept", |rules| rules.keeps_nothing = true, TWO, LOST),
        ("no grace", |rules| rules.no_grace = true, timed, NO_REUSE),
        (
            "results expire unseen",
            |rules| rules.results_expire_unseen = true,
            timed,
            LOST,
        ),
        (
            "flights present",
            |rules| rules.flights_present = true,
            timed,
            LOST,
        ),
        (
            "a renewal wins",
            |rules| rules.renewal_wins = true,
            copied,
            REVIVED,
        ),
        (
            "late tokens stay",
            |rules| rules.keeps_late_tokens = true,
            logout,
            OUTLIVES,
        ),
        (
            "no look before an answer",
            |rules| rules.no_look_before_answer = true,
            timed,
            ROLLED_BACK,
        ),
        ("a loser clears", |rules| rules.loser_clears = true, fails, LOST),
        ("asks again", |rules| rules.asks_again = true, lost, SUPERSEDED),
        (
            "no reuse detection",
            |rules| rules.no_reuse_detection = true,
            thief,
            SUPERSEDED,
        ),
        (
            "trusts other epochs",
            |rules| rules.trusts_other_epochs = true,
            forgets,
            REVIVED,
        ),
        (
            "the epoch of arrival",
            |rules| rules.epoch_on_arrival = true,
            forgets,
            REVIVED,
        ),
        (
            "a logout ends nothing",
            |rules| rules.ends_nothing = true,
            copied,
            REVIVED,
        ),
    ];
    for (name, breaks, left, what) in table {
        let mut rules = Rules::default();
        breaks(&mut rules);
        let found = explore(name, *left, &rules).wrong;
        assert_eq!(found.map(|wrong| wrong.what), Some(*what), "{name}");
    }
}
