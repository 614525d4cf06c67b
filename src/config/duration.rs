//! Durations as they are written: a whole number and a unit, `"500ms"`, `"30s"`, `"15m"`, `"12h"`, `"7d"`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::check::Check;
use super::problem::Code;
use super::table::{Field, quoted};

/// Reads a duration within `range`.
pub(super) fn read(
    field: &Field<'_>,
    range: &RangeInclusive<Duration>,
    check: &mut Check<'_>,
) -> Option<Duration> {
    let text = field.text()?;
    let Some(duration) = parse(text) else {
        check
            .wrong(
                Code::DURATION,
                field,
                format!("{} is not a duration", quoted(text)),
            )
            .with_fix(
                "write a whole number and a unit (ms, s, m, h, d), as `\"30s\"`, `\"15m\"` or `\"12h\"`",
            );
        return None;
    };
    if !range.contains(&duration) {
        check
            .wrong(Code::DURATION, field, format!("{} is out of range", quoted(text)))
            .with_fix(format!(
                "choose something from `\"{}\"` to `\"{}\"`",
                write(*range.start()),
                write(*range.end())
            ));
        return None;
    }
    Some(duration)
}

/// `None` unless `text` is digits and a unit, nothing else.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(Duration::from_millis(number.checked_mul(*millis)?))
}

/// The shortest text that reads back as `duration` (which has whole milliseconds).
pub(super) fn write(duration: Duration) -> String {
    let millis = duration.as_millis();
    UNITS
        .iter()
        .rev()
        .map(|(name, unit)| (name, u128::from(*unit)))
        .find(|(_, unit)| millis != 0 && millis.is_multiple_of(*unit))
        .map_or_else(
            || "0s".to_owned(),
            |(name, unit)| format!("{}{name}", millis / unit),
        )
}

/// From small to large, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
