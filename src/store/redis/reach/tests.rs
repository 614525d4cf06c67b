//! The grace, and the time that all agree on.

use std::time::Duration;

use super::{Reach, Sight};
use crate::clock::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn at(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

#[test]
fn what_is_known_serves_for_the_grace_and_no_longer() {
    // Contract §9.
    let reach = Reach::new(Duration::from_secs(600));
    reach.now_live();
    assert_eq!(reach.sight(NOW), Sight::Clear);
    assert!(reach.now_lost(NOW));
    // A second failure does not begin the grace anew.
    assert!(!reach.now_lost(at(300)));
    assert_eq!(reach.sight(at(600)), Sight::Clear);
    assert_eq!(reach.sight(at(601)), Sight::Gone);
    reach.now_live();
    assert_eq!(reach.sight(at(601)), Sight::Clear);
}

#[test]
fn who_has_never_read_what_holds_has_no_grace() {
    let reach = Reach::new(Duration::from_secs(600));
    assert_eq!(reach.sight(NOW), Sight::NotYet);
    assert!(!reach.now_lost(NOW));
    assert_eq!(reach.sight(NOW), Sight::Gone);
}

#[test]
fn time_is_the_time_of_redis_and_does_not_flicker() {
    // Clocks 30 s apart.
    let reach = Reach::new(Duration::ZERO);
    assert_eq!(reach.time(NOW), NOW);
    reach.measured(at(30), NOW);
    assert_eq!(reach.time(NOW), at(30));
    reach.measured(at(30).after(Duration::from_millis(200)), NOW);
    assert_eq!(reach.time(NOW), at(30));
    reach.measured(NOW, at(30));
    assert_eq!(reach.time(at(30)), NOW);
}
