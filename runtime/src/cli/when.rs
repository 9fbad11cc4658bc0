//! Points and spans of time as people write and read them. Pure but for the clock it is given.

use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How a point in time may be written.
const POINTS: &str =
    "a span before now (90s, 15m, 2h, 3d), RFC 3339 (2026-01-31T12:00:00Z) or unix milliseconds";

/// A point in time: what was written, as it is meant whenever it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// So long before now.
    Ago(Duration),
    /// Unix milliseconds.
    At(i64),
}

impl Point {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(ago) = span(text) {
            return Ok(Self::Ago(ago));
        }
        if let Ok(unix_ms) = text.parse::<i64>() {
            // Seconds are taken for milliseconds too easily to guess.
            return match unix_ms {
                0..100_000_000_000 => Err(format!(
                    "`{text}` is in 1973 or earlier as unix milliseconds; use {POINTS}"
                )),
                100_000_000_000.. => Ok(Self::At(unix_ms)),
                _ => Err(format!("`{text}` is before 1970; use {POINTS}")),
            };
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339);
        let at = parsed.map_err(|_| format!("`{text}` is no point in time; use {POINTS}"))?;
        let unix_ms = at.unix_timestamp_nanos() / 1_000_000;
        i64::try_from(unix_ms)
            .map(Self::At)
            .map_err(|_| format!("`{text}` is too far away; use {POINTS}"))
    }

    pub(super) fn unix_ms(self, clock: &Clock) -> i64 {
        match self {
            Self::At(unix_ms) => unix_ms,
            Self::Ago(ago) => {
                let ago_ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
                clock.now().as_millis().saturating_sub(ago_ms)
            }
        }
    }
}

/// A span: a number with `ms`, `s`, `m`, `h` or `d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no span of time; use 250ms, 90s, 15m, 2h or 3d");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
    Ok(Duration::from_millis(ms))
}

/// `2026-01-31 12:00:00Z`
pub(super) fn shown(unix_ms: i64) -> String {
    let Some(at) = offset(unix_ms) else {
        return unix_ms.to_string();
    };
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// `12:00:00.250`, for lines that follow each other.
pub(super) fn time_shown(unix_ms: i64) -> String {
    let Some(at) = offset(unix_ms) else {
        return unix_ms.to_string();
    };
    let (hour, minute, second, ms) = at.time().as_hms_milli();
    format!("{hour:02}:{minute:02}:{second:02}.{ms:03}")
}

fn offset(unix_ms: i64) -> Option<OffsetDateTime> {
    let at = Timestamp::from_millis(unix_ms).as_micros();
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_spans_before_now_dates_or_milliseconds() {
        let (clock, _) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let at = |text: &str| Point::parse(text).map(|it| it.unix_ms(&clock));
        assert_eq!(at("15m"), Ok(1_800_000_000_000 - 900_000));
        assert_eq!(at("2h"), Ok(1_800_000_000_000 - 7_200_000));
        assert_eq!(at("3d"), Ok(1_800_000_000_000 - 259_200_000));
        assert_eq!(at("1767225600000"), Ok(1_767_225_600_000));
        assert_eq!(at("2026-01-01T00:00:00Z"), Ok(1_767_225_600_000));
        assert_eq!(at("2026-01-01T01:00:00.5+01:00"), Ok(1_767_225_600_500));
    }

    #[test]
    fn what_is_no_point_is_refused_with_what_would_be() {
        for text in [
            "",
            "yesterday",
            "15",
            "15 m",
            "-5m",
            "1767225600",
            "-1767225600000",
            "2026-01-01",
        ] {
            let refused = Point::parse(text).expect_err(text);
            assert!(
                refused.contains("15m") && refused.contains(text),
                "{refused}"
            );
        }
        assert!(span("99999999999999999d").is_err());
        assert_eq!(span("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(shown(1_767_225_600_500), "2026-01-01 00:00:00Z");
        assert_eq!(time_shown(1_767_225_600_500), "00:00:00.500");
        assert_eq!(shown(i64::MAX), i64::MAX.to_string());
    }
}
