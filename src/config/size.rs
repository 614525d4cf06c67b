//! Sizes as they are written: a whole number and a unit of powers of 1024, `"512B"`, `"7KiB"`, `"10MiB"`, `"1GiB"`.

use std::ops::RangeInclusive;

use super::check::Check;
use super::problem::Code;
use super::table::{Field, quoted};

/// Reads a size within `range`, in bytes.
pub(super) fn read(field: &Field<'_>, range: &RangeInclusive<u64>, check: &mut Check<'_>) -> Option<u64> {
    let text = field.text()?;
    let Some(size) = parse(text) else {
        check
            .wrong(Code::SIZE, field, format!("{} is not a size", quoted(text)))
            .with_fix("write a whole number and a unit (B, KiB, MiB, GiB), as `\"7KiB\"` or `\"10MiB\"`");
        return None;
    };
    if !range.contains(&size) {
        check
            .wrong(Code::SIZE, field, format!("{} is out of range", quoted(text)))
            .with_fix(format!(
                "choose something from `\"{}\"` to `\"{}\"`",
                write(*range.start()),
                write(*range.end())
            ));
        return None;
    }
    Some(size)
}

/// `None` unless `text` is digits and a unit, nothing else. `KB` and `MB` are refused: nobody knows which they are.
pub(super) fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*bytes)
}

/// The shortest text that reads back as `size`.
pub(super) fn write(size: u64) -> String {
    UNITS
        .iter()
        .rev()
        .find(|(_, unit)| size != 0 && size.is_multiple_of(*unit))
        .map_or_else(
            || "0B".to_owned(),
            |(name, unit)| format!("{}{name}", size / unit),
        )
}

/// From small to large.
const UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
