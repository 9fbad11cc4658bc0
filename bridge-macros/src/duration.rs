//! Reads a span of time as people write it: `"500ms"`, `"2s"`, `"5m"`, `"24h"`, `"30d"`.
//!
//! Refuses zero, fractions and sums: one whole number and one unit say everything.
//!
//! Invariant: what is returned lies within the bounds that were asked for.

use syn::LitStr;

use crate::diag::{Code, Diag};

/// Units, the longest name first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// What a duration is for, and its bounds as written in messages.
pub(crate) struct Bounds {
    pub(crate) what: &'static str,
    pub(crate) least: &'static str,
    pub(crate) most: &'static str,
}

/// The duration in milliseconds, if it is one and lies within `bounds`.
pub(crate) fn millis(diag: &Diag, given: &LitStr, bounds: &Bounds) -> Option<u64> {
    let Some(found) = parse(&given.value()) else {
        let text = "a duration is a whole number and `ms`, `s`, `m`, `h` or `d`, such as `\"2s\"`";
        diag.error(Code::KeyDuration, given, text);
        return None;
    };
    let is_within = parse(bounds.least) <= Some(found) && Some(found) <= parse(bounds.most);
    if !is_within {
        let Bounds { what, least, most } = bounds;
        let text = format!("{what} is at least `\"{least}\"` and at most `\"{most}\"`");
        diag.error(Code::KeyDuration, given, text);
    }
    is_within.then_some(found)
}

/// Whether this is a duration, in a place where another thing is wanted.
pub(crate) fn is_one(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<u64> {
    let (number, millis) = UNITS
        .iter()
        .find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(*millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_are_a_duration() {
        for (text, millis) in [
            ("500ms", 500),
            ("2s", 2_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(parse(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "s",
            "2",
            "2 s",
            "-2s",
            "+2s",
            "1.5s",
            "1h30m",
            "2S",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
