//! Numbers and names as people read them in a picture. Pure.

use unicode_width::UnicodeWidthChar as _;

use crate::operator::model::Load;

/// `0.4/s`, `12/s`, `3.4k/s`.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        it if it > 0.0 && it < 0.1 => "<0.1/s".to_owned(),
        it if it < 10.0 => format!("{it:.1}/s"),
        it if it < 1_000.0 => format!("{it:.0}/s"),
        it if it < 100_000.0 => format!("{:.1}k/s", it / 1_000.0),
        it => format!("{:.0}k/s", it / 1_000.0),
    }
}

/// `<1 ms`, `34 ms`, `1.2 s`, `3.5 min`, `2 h`.
pub(crate) fn span(ms: f64) -> String {
    let (number, unit) = match ms {
        it if it < 1.0 => return "<1 ms".to_owned(),
        it if it < 999.5 => return format!("{it:.0} ms"),
        it if it < 60_000.0 => (it / 1_000.0, "s"),
        it if it < 3_600_000.0 => (it / 60_000.0, "min"),
        it => (it / 3_600_000.0, "h"),
    };
    let number = format!("{number:.1}");
    format!("{} {unit}", number.trim_end_matches(".0"))
}

/// `0 %`, `<0.1 %`, `2.5 %`, `40 %`.
pub(crate) fn percent(percent: f64) -> String {
    match percent {
        0.0 => "0 %".to_owned(),
        it if it < 0.1 => "<0.1 %".to_owned(),
        it if it < 10.0 => format!("{it:.1} %"),
        it => format!("{it:.0} %"),
    }
}

/// `12/s · 0.4 % errors · p95 34 ms`
pub(crate) fn load(load: &Load) -> String {
    let (rate, p95) = (rate(load.per_second), span(load.p95_ms));
    match load.errors {
        0 => format!("{rate} · p95 {p95}"),
        _ => format!("{rate} · {} err · p95 {p95}", percent(load.error_percent())),
    }
}

/// `512 B`, `48 KiB`, `1.5 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let size = bytes as f64;
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.0} KiB", size / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", size / 1_048_576.0),
        _ => format!("{:.1} GiB", size / 1_073_741_824.0),
    }
}

/// `1 method`, `2 methods`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

/// At most `max` columns of a terminal, with a sign that something is missing.
pub(crate) fn elide(text: &str, max: usize) -> String {
    if columns(text) <= max {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > max {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// `text` with its control characters made visible: what services say cannot steer a terminal.
pub(crate) fn visible(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    let letter = |c: char| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(letter).collect()
}

/// Columns of a terminal that a text takes; control characters take none.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// `text` with spaces up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_are_worth() {
        let rates = [0.0, 0.04, 0.44, 12.3, 3_400.0, 250_000.0].map(rate);
        assert_eq!(
            rates,
            ["0.0/s", "<0.1/s", "0.4/s", "12/s", "3.4k/s", "250k/s"]
        );
        let spans = [0.4, 34.4, 999.7, 1_200.0, 210_000.0, 7_200_000.0].map(span);
        assert_eq!(spans, ["<1 ms", "34 ms", "1 s", "1.2 s", "3.5 min", "2 h"]);
        let sizes = [512, 49_152, 1_610_612_736].map(bytes);
        assert_eq!(sizes, ["512 B", "48 KiB", "1.5 GiB"]);
        let percents = [0.0, 0.01, 2.54, 40.4].map(percent);
        assert_eq!(percents, ["0 %", "<0.1 %", "2.5 %", "40 %"]);
    }

    #[test]
    fn what_could_steer_a_terminal_is_made_visible() {
        assert_eq!(visible("a\u{1b}[31mb\nc"), "a\\u{1b}[31mb\\nc");
        assert_eq!(visible("größer"), "größer");
    }

    #[test]
    fn what_is_cut_says_so_and_fits_also_when_letters_are_wide() {
        assert_eq!(elide("orders", 6), "orders");
        assert_eq!(elide("orders", 5), "orde…");
        assert_eq!(elide("注文サービス", 7), "注文サ…");
        assert_eq!(pad("注文", 6), "注文  ");
    }
}
