//! A point in time as people and machines write it: RFC 3339, UTC, microseconds.

use std::fmt::Write as _;

use contract::civil::civil_of;
use contract::clock::Timestamp;

/// Appends `2026-01-02T03:04:05.000678Z`.
pub(super) fn rfc3339(at: Timestamp, into: &mut String) {
    const DAY: i64 = 86_400_000_000;
    let (days, micros) = (
        at.as_micros().div_euclid(DAY),
        at.as_micros().rem_euclid(DAY),
    );
    let (year, month, day) = civil_of(days);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    // Writing to a string does not fail.
    let _ = write!(
        into,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(micros: i64) -> String {
        let mut text = String::new();
        rfc3339(Timestamp::from_micros(micros), &mut text);
        text
    }

    #[test]
    fn days_of_every_kind_of_year_are_named_right() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (-1, "1969-12-31T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, "2000-03-01T00:00:00.000000Z"),
            (1_709_164_800, "2024-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"),
            (1_767_225_600, "2026-01-01T00:00:00.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
            (4_107_456_000, "2100-02-28T00:00:00.000000Z"),
        ] {
            assert_eq!(shown(seconds * 1_000_000), expected);
        }
        assert_eq!(shown(-1), "1969-12-31T23:59:59.999999Z");
    }
}
