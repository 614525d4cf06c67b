//! Durations and sizes: what is written reads back, what is not a unit is refused.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{duration, size};

proptest! {
    #[test]
    fn durations_survive_a_round_trip(millis in 0..=u64::MAX / 2) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(duration::parse(&duration::write(duration)), Some(duration));
    }

    #[test]
    fn sizes_survive_a_round_trip(bytes in any::<u64>()) {
        prop_assert_eq!(size::parse(&size::write(bytes)), Some(bytes));
    }

    /// No text makes either of them panic or read more than digits and a unit.
    #[test]
    fn whatever_reads_is_digits_and_a_unit(text in "\\PC{0,12}") {
        if duration::parse(&text).is_some() || size::parse(&text).is_some() {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            prop_assert!(unit.len() < text.len());
            prop_assert!(["ms", "s", "m", "h", "d", "B", "KiB", "MiB", "GiB"].contains(&unit));
        }
    }
}

#[test]
fn durations_are_strict() {
    assert_eq!(duration::parse("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(duration::parse("12h"), Some(Duration::from_secs(43_200)));
    for text in [
        "",
        "30",
        "s",
        "30 s",
        " 30s",
        "30S",
        "-1s",
        "+1s",
        "1.5h",
        "1h30m",
        "1_000s",
        "٣s",
        "99999999999999d",
    ] {
        assert_eq!(duration::parse(text), None, "{text}");
    }
}

#[test]
fn sizes_are_strict() {
    assert_eq!(size::parse("7KiB"), Some(7168));
    for text in [
        "",
        "7",
        "7KB",
        "7kib",
        "7 KiB",
        "-7KiB",
        "7Ki",
        "0x7B",
        "18446744073709551615KiB",
    ] {
        assert_eq!(size::parse(text), None, "{text}");
    }
}
