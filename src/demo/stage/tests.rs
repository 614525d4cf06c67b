//! What the stage remembers, and for how long.

use super::*;

fn stage() -> Stage {
    Stage::new("http://evil.localhost:8083".into())
}

#[test]
fn a_short_life_is_for_one_token_of_one_grant() {
    let stage = stage();
    stage.expire(7);
    assert!(!stage.takes_short_life(8), "somebody else's");
    assert!(stage.takes_short_life(7));
    assert!(!stage.takes_short_life(7), "the one after is as long as ever");
}

#[test]
fn only_marked_requests_are_remembered_and_found_by_their_run() {
    let stage = stage();
    for query in [
        None,
        Some("page=2"),
        Some("attempt=r1-form"),
        Some("x=1&attempt=r2-fetch"),
    ] {
        stage.reached(query);
    }
    assert_eq!(stage.reached_in("r1-"), ["r1-form"]);
    assert_eq!(stage.reached_in("r3-"), [""; 0]);
}

#[test]
fn a_demo_left_open_for_a_month_stays_small() {
    let stage = stage();
    for number in 0..MOST as u64 + 10 {
        stage.reached(Some(&format!("attempt={number}")));
        stage.expire(number);
    }
    let known = stage.known();
    assert_eq!((known.attempts.len(), known.short_lived.len()), (MOST, MOST));
    assert_eq!(known.attempts.back().map(String::as_str), Some("1009"));
    assert_eq!(
        field(Some(&format!("attempt={}", "x".repeat(LONGEST + 1))), "attempt"),
        None
    );
}
