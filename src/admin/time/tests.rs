//! Times are written as they are read.

use super::*;

#[test]
fn both_ways_of_writing_a_time_are_read() {
    for (text, millis) in [
        ("0", 0),
        ("1577836800", 1_577_836_800_000),
        ("\"2020-01-01T00:00:00Z\"", 1_577_836_800_000),
        ("\"2020-01-01T02:00:00.25+02:00\"", 1_577_836_800_250),
    ] {
        let named: Named = serde_json::from_str(text).unwrap();
        assert_eq!(named.0, Timestamp::from_millis(millis), "{text}");
    }
}

#[test]
fn a_time_is_written_in_utc() {
    assert_eq!(
        Timestamp::from_millis(1_577_836_800_999).to_rfc3339(),
        "2020-01-01T00:00:00Z"
    );
    // Not a date that anybody has.
    assert_eq!(
        Timestamp::from_millis(u64::MAX).to_rfc3339(),
        (u64::MAX / 1000).to_string()
    );
}
