//! What JSON has text for: times, durations, field masks, integers of 64 bits.
//!
//! Refuses what is out of range, with the range. Invariant: what is written is read back the same.

use crate::civil::{civil_of, days_of};

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;
/// `0001-01-01T00:00:00Z`, in seconds since the epoch.
const FIRST: i64 = -62_135_596_800;
/// `9999-12-31T23:59:59Z`, in seconds since the epoch.
const LAST: i64 = 253_402_300_799;
/// Longest part of a text from outside that an error repeats, in bytes.
const QUOTED_BYTES_MAX: usize = 64;
/// Longest duration either way, in seconds: 10 000 years.
const SPAN_MAX: i64 = 315_576_000_000;

/// Seconds and nanoseconds as RFC 3339 in UTC, with as many digits as are needed: 0, 3, 6 or 9.
pub(super) fn timestamp(seconds: i64, nanos: i64) -> Result<String, String> {
    check_timestamp(seconds, nanos)?;
    let (year, month, day) = civil_of(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY);
    let mut text = String::with_capacity("0000-00-00T00:00:00.000000000Z".len());
    padded(year, 4, &mut text);
    for (mark, part) in [('-', month), ('-', day), ('T', of_day / 3_600)] {
        text.push(mark);
        padded(part, 2, &mut text);
    }
    for part in [of_day / 60 % 60, of_day % 60] {
        text.push(':');
        padded(part, 2, &mut text);
    }
    fraction(nanos, &mut text);
    text.push('Z');
    Ok(text)
}

/// Appends a number from zero with leading zeros.
fn padded(number: i64, width: u32, text: &mut String) {
    for place in (0..width).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + digit as u8));
    }
}

fn check_timestamp(seconds: i64, nanos: i64) -> Result<(), String> {
    if (FIRST..=LAST).contains(&seconds) && (0..NANOS).contains(&nanos) {
        return Ok(());
    }
    Err(format!(
        "{seconds} s and {nanos} ns are no time from the year 1 to the year 9999"
    ))
}

/// A text from outside as an error shows it.
pub(super) fn quoted(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(QUOTED_BYTES_MAX)];
    match cut.len() == text.len() {
        true => format!("{cut:?}"),
        false => format!("{cut:?}…"),
    }
}

/// Reads RFC 3339, with any offset, as seconds and nanoseconds.
pub(super) fn parse_timestamp(text: &str) -> Result<(i64, i64), String> {
    let parsed = read_timestamp(text);
    let (seconds, nanos) = parsed.ok_or_else(|| {
        format!(
            "{} is not a time as in \"2026-01-02T03:04:05.678Z\" or with +01:00 for Z",
            quoted(text)
        )
    })?;
    check_timestamp(seconds, nanos)?;
    Ok((seconds, nanos))
}

fn read_timestamp(text: &str) -> Option<(i64, i64)> {
    let (date, rest) = text.split_once('T')?;
    let (year, rest_of_date) = digits(date, 4)?;
    let (month, rest_of_date) = digits(rest_of_date.strip_prefix('-')?, 2)?;
    let (day, nothing) = digits(rest_of_date.strip_prefix('-')?, 2)?;
    let (hour, rest) = digits(rest, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (nanos, rest) = match rest.strip_prefix('.') {
        Some(rest) => read_fraction(rest)?,
        None => (0, rest),
    };
    let possible = nothing.is_empty() && hour < 24 && minute < 60 && second < 60;
    let days = days_of(year, month, day).filter(|_| possible)?;
    let local = days * DAY + hour * 3_600 + minute * 60 + second;
    Some((local - offset(rest)?, nanos))
}

/// The offset from UTC in seconds.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let possible = rest.is_empty() && hours < 24 && minutes < 60;
    possible.then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Exactly `count` digits, and what follows them.
fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let only_digits = digits.bytes().all(|it| it.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| only_digits)?, rest))
}

/// The digits behind a decimal point as nanoseconds, and what follows them.
fn read_fraction(text: &str) -> Option<(i64, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&count) {
        return None;
    }
    let (value, rest) = digits(text, count)?;
    Some((value * 10_i64.pow(9 - count as u32), rest))
}

/// Appends the nanoseconds with 0, 3, 6 or 9 digits.
fn fraction(nanos: i64, text: &mut String) {
    let (digits, width) = match nanos {
        0 => return,
        _ if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
        _ if nanos % 1_000 == 0 => (nanos / 1_000, 6),
        _ => (nanos, 9),
    };
    text.push('.');
    padded(digits, width, text);
}

/// Seconds and nanoseconds as in `-3.100s`.
pub(super) fn duration(seconds: i64, nanos: i64) -> Result<String, String> {
    let one_sign = (seconds >= 0 || nanos <= 0) && (seconds <= 0 || nanos >= 0);
    if !one_sign || seconds.unsigned_abs() > SPAN_MAX as u64 || nanos.unsigned_abs() >= NANOS as u64
    {
        return Err(format!(
            "{seconds} s and {nanos} ns are no duration: at most {SPAN_MAX} s either way, less \
             than a second of nanoseconds, both of one sign"
        ));
    }
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let mut text = format!("{sign}{}", seconds.abs());
    fraction(nanos.abs(), &mut text);
    text.push('s');
    Ok(text)
}

/// Reads a duration as seconds and nanoseconds of one sign.
pub(super) fn parse_duration(text: &str) -> Result<(i64, i64), String> {
    read_duration(text).ok_or_else(|| {
        format!(
            "{} is not a duration as in \"1.5s\", at most {SPAN_MAX} s either way",
            quoted(text)
        )
    })
}

fn read_duration(text: &str) -> Option<(i64, i64)> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (seconds, nanos) = match text.split_once('.') {
        Some((seconds, rest)) => (seconds, read_fraction(rest)?),
        None => (text, (0, "")),
    };
    let (nanos, rest) = nanos;
    // Twelve digits hold the longest.
    let plain = !seconds.is_empty() && seconds.len() <= 12 && rest.is_empty();
    let (seconds, _) = digits(seconds, seconds.len()).filter(|_| plain)?;
    (seconds <= SPAN_MAX).then_some((sign * seconds, sign * nanos))
}

/// Appends a path of a field mask: `user_name.first` as `userName.first`.
pub(super) fn mask_path(path: &str, text: &mut String) -> Result<(), String> {
    let refused = || {
        format!(
            "the path {} of a field mask cannot be written: names in snake case are",
            quoted(path)
        )
    };
    let mut chars = path.chars();
    while let Some(it) = chars.next() {
        match it {
            'A'..='Z' | ',' => return Err(refused()),
            '_' => match chars.next() {
                Some(next @ 'a'..='z') => text.push(next.to_ascii_uppercase()),
                _ => return Err(refused()),
            },
            _ => text.push(it),
        }
    }
    Ok(())
}

/// Reads a path of a field mask: `userName.first` as `user_name.first`.
fn parse_mask_path(text: &str) -> Result<String, String> {
    let mut path = String::with_capacity(text.len() + 4);
    for it in text.chars() {
        match it {
            '_' => {
                return Err(format!(
                    "{} is not a path of a field mask: write it in lowerCamelCase",
                    quoted(text)
                ));
            }
            'A'..='Z' => path.extend(['_', it.to_ascii_lowercase()]),
            _ => path.push(it),
        }
    }
    Ok(path)
}

/// Reads all paths of a field mask.
pub(super) fn parse_mask(text: &str) -> Result<Vec<String>, String> {
    let paths = text.split(',').filter(|_| !text.is_empty());
    paths.map(parse_mask_path).collect()
}

/// The digits of an integer, made without the formatting machinery, which costs more than the rest
/// of a small message.
pub(super) struct Digits {
    bytes: [u8; 20],
    start: usize,
}

impl Digits {
    pub(super) fn of(number: u64, is_negative: bool) -> Self {
        let (mut bytes, mut start, mut rest) = ([0; 20], 20, number);
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        // The longest negative one has 19 digits.
        if is_negative && start > 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Self { bytes, start }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.start..]).unwrap_or_default()
    }
}
