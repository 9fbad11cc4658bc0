//! Names, units and labels as Prometheus wants them. Pure.
//!
//! The rules are those of the OpenTelemetry specification for Prometheus: letters that are not
//! allowed become `_`, the unit is written out behind the name, a counter ends in `_total`.

use crate::telemetry::MetricKind;

/// Longest name of a family, in bytes; the rest is cut.
const NAME_BYTES_MAX: usize = 200;

/// A name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`, with its unit, without `_total`.
pub(super) fn family(name: &str, unit: &str, kind: MetricKind) -> String {
    let mut plain = sanitised(name, true);
    if kind == MetricKind::Counter
        && let Some(stem) = plain.strip_suffix("_total")
        && !stem.is_empty()
    {
        plain.truncate(stem.len());
    }
    for word in unit_words(unit) {
        let there = plain.split('_').any(|it| it == word);
        if !there {
            plain.push('_');
            plain.push_str(&word);
        }
    }
    plain
}

/// A name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`. Those that mean something here get a prefix, as a
/// scraper would give them.
pub(super) fn label(name: &str) -> String {
    let plain = sanitised(name, false);
    let taken = ["service", "instance", "le", "quantile"].contains(&&*plain);
    let reserved = plain.starts_with("__");
    if taken && plain != "quantile" || reserved {
        return ["exported_", plain.trim_start_matches('_')].concat();
    }
    plain
}

fn sanitised(name: &str, colons: bool) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars().take(NAME_BYTES_MAX) {
        let fits = letter.is_ascii_alphanumeric() || letter == '_' || (colons && letter == ':');
        let letter = if fits { letter } else { '_' };
        // Several in a row become one, unless the name had them.
        if !(letter == '_' && !fits && plain.ends_with('_')) {
            plain.push(letter);
        }
    }
    let trimmed = plain.trim_end_matches('_').len();
    plain.truncate(trimmed.max(1));
    if plain.is_empty() || plain.starts_with(|it: char| it.is_ascii_digit()) {
        plain.insert(0, '_');
    }
    plain
}

/// The words of a unit in UCUM notation: `By/s` is bytes per second. What is between braces says
/// what is counted, not in what.
fn unit_words(unit: &str) -> Vec<String> {
    let mut bare = String::new();
    let mut depth = 0_u32;
    for letter in unit.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(letter),
            _ => {}
        }
    }
    let mut parts = bare.split('/');
    let first = parts.next().unwrap_or_default().trim();
    let mut words = Vec::new();
    if let Some(word) = word_of(first) {
        words.push(word);
    }
    if let Some(per) = parts.next().map(str::trim).filter(|it| !it.is_empty()) {
        let singular = match per {
            "s" => "second",
            "m" | "min" => "minute",
            "h" => "hour",
            "d" => "day",
            "w" => "week",
            "mo" => "month",
            "y" => "year",
            other => other,
        };
        words.extend(["per".to_owned(), sanitised(singular, false)]);
    }
    words
}

fn word_of(unit: &str) -> Option<String> {
    let word = match unit {
        "" | "1" => return None,
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "min" => "minutes",
        "h" => "hours",
        "d" => "days",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "kBy" | "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "%" => "percent",
        other => {
            return Some(sanitised(other, false)).filter(|it| !it.trim_matches('_').is_empty());
        }
    };
    Some(word.to_owned())
}

/// The value of a label, escaped.
pub(super) fn escaped(value: &str, into: &mut String) {
    for letter in value.chars() {
        match letter {
            '\\' => into.push_str("\\\\"),
            '"' => into.push_str("\\\""),
            '\n' => into.push_str("\\n"),
            other => into.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_their_unit_written_out_once() {
        use MetricKind::{Counter, Gauge, Histogram};
        for (name, unit, kind, expected) in [
            (
                "http.server.request.duration",
                "s",
                Histogram,
                "http_server_request_duration_seconds",
            ),
            ("process.rss_bytes", "By", Gauge, "process_rss_bytes"),
            ("process.cpu_percent", "%", Gauge, "process_cpu_percent"),
            ("orders_total", "1", Counter, "orders"),
            ("requests", "{request}", Counter, "requests"),
            ("io", "By/s", Gauge, "io_bytes_per_second"),
            ("2xx", "", Counter, "_2xx"),
            ("größe", "", Gauge, "gr_e"),
            ("a..b", "", Gauge, "a_b"),
            ("ns:rule", "", Gauge, "ns:rule"),
            ("…", "", Gauge, "_"),
            ("_total", "", Counter, "_total"),
            ("x", "€", Gauge, "x"),
        ] {
            assert_eq!(family(name, unit, kind), expected, "{name}");
        }
    }

    #[test]
    fn labels_that_mean_something_here_are_renamed() {
        for (name, expected) in [
            ("http.route", "http_route"),
            ("service", "exported_service"),
            ("instance", "exported_instance"),
            ("le", "exported_le"),
            ("__name__", "exported_name"),
            ("quantile", "quantile"),
            ("a:b", "a_b"),
            ("9", "_9"),
        ] {
            assert_eq!(label(name), expected);
        }
    }

    #[test]
    fn every_name_is_allowed_whatever_it_was() {
        let odd = ["", "\0", "{}", "\"\\\n", "é", "__", "a b\tc", "-1"];
        for name in odd {
            for plain in [family(name, name, MetricKind::Gauge), label(name)] {
                let mut letters = plain.chars();
                let first = letters.next().expect("is not empty");
                assert!(
                    first.is_ascii_alphabetic() || first == '_' || first == ':',
                    "{plain}"
                );
                assert!(
                    letters.all(|it| it.is_ascii_alphanumeric() || "_:".contains(it)),
                    "{plain}"
                );
            }
        }
    }
}
