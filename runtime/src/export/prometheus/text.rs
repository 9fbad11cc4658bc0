//! The two text formats: Prometheus 0.0.4 and OpenMetrics 1.0.
//!
//! Invariant: the lines of a family stand together, its name once.

use std::fmt::Write as _;

use super::names;

/// Which format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    OpenMetrics,
}

impl Format {
    /// What a scraper wants most of what it accepts; the plain format when it does not say.
    pub(super) fn wanted(accept: &str) -> Self {
        let weight = |part: &str| {
            let quality = part.split(';').find_map(|it| it.trim().strip_prefix("q="));
            quality.map_or(1.0, |it| it.trim().parse::<f64>().unwrap_or(0.0))
        };
        let best = |kind: &str| {
            let parts = accept.split(',').filter(|it| it.trim().starts_with(kind));
            parts.map(weight).fold(0.0, f64::max)
        };
        let plain = best("text/plain").max(best("*/*")).max(best("text/*"));
        let open = best("application/openmetrics-text");
        if open > 0.0 && open >= plain {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// How a family's values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Labels of one line, sanitised.
pub(super) type Labels = Vec<(String, String)>;

/// One series of a family.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: Value,
}

/// What a series stands at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    /// Bounds, observations per bucket (one more), sum.
    Histogram(Vec<f64>, Vec<u64>, f64),
}

/// Series of one name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Family {
    /// Without `_total`.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) help: String,
    pub(super) samples: Vec<Sample>,
}

impl Family {
    /// The names that its lines have.
    pub(super) fn line_names(&self) -> Vec<String> {
        let with = |suffix: &str| [&self.name, suffix].concat();
        match self.kind {
            Kind::Counter => vec![self.name.clone(), with("_total")],
            Kind::Gauge => vec![self.name.clone()],
            Kind::Histogram => ["", "_bucket", "_sum", "_count"].map(with).to_vec(),
        }
    }
}

/// All families as text.
pub(super) fn write(families: &[Family], format: Format) -> String {
    let mut text = String::with_capacity(families.len() * 256);
    for family in families.iter().filter(|it| !it.samples.is_empty()) {
        head(family, format, &mut text);
        for sample in &family.samples {
            lines(family, sample, format, &mut text);
        }
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

fn head(family: &Family, format: Format, text: &mut String) {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let total = family.kind == Kind::Counter && format == Format::Plain;
    let (name, suffix) = (&family.name, if total { "_total" } else { "" });
    let mut help = String::new();
    names::escaped(&family.help, &mut help);
    if format == Format::Plain {
        // There quotes are not escaped in help.
        help = help.replace("\\\"", "\"");
    }
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}"
    );
}

fn lines(family: &Family, sample: &Sample, format: Format, text: &mut String) {
    let name = &family.name;
    match &sample.value {
        Value::Number(value) => {
            let suffix = if family.kind == Kind::Counter {
                "_total"
            } else {
                ""
            };
            line(text, (name, suffix), &sample.labels, None, &number(*value));
        }
        Value::Histogram(bounds, counts, sum) => {
            let mut below = 0_u64;
            for (nth, count) in counts.iter().enumerate() {
                below = below.saturating_add(*count);
                let bound = bounds
                    .get(nth)
                    .map_or_else(|| "+Inf".to_owned(), |it| le(*it, format));
                line(
                    text,
                    (name, "_bucket"),
                    &sample.labels,
                    Some(&bound),
                    &below.to_string(),
                );
            }
            line(text, (name, "_sum"), &sample.labels, None, &number(*sum));
            line(
                text,
                (name, "_count"),
                &sample.labels,
                None,
                &below.to_string(),
            );
        }
    }
}

fn line(
    text: &mut String,
    (name, suffix): (&str, &str),
    labels: &Labels,
    bound: Option<&str>,
    value: &str,
) {
    text.push_str(name);
    text.push_str(suffix);
    let bound = bound.map(|it| ("le", it));
    let own = labels.iter().map(|(key, value)| (&**key, &**value));
    let mut open = '{';
    for (key, value) in own.chain(bound) {
        text.push(open);
        open = ',';
        text.push_str(key);
        text.push_str("=\"");
        names::escaped(value, text);
        text.push('"');
    }
    if open == ',' {
        text.push('}');
    }
    text.push(' ');
    text.push_str(value);
    text.push('\n');
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else if value != 0.0 && !(1e-5..1e17).contains(&value.abs()) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// OpenMetrics wants bounds that look like floating point numbers.
fn le(bound: f64, format: Format) -> String {
    let text = number(bound);
    let whole = !text.contains(['.', 'e']);
    if whole && format == Format::OpenMetrics {
        text + ".0"
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(name: &str, kind: Kind, value: Value) -> Family {
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        Family {
            name: name.to_owned(),
            kind,
            help: "What \"it\" is\nand does".to_owned(),
            samples: vec![Sample {
                labels: vec![label("service", "a\"b\\c\nd")],
                value,
            }],
        }
    }

    #[test]
    fn both_formats_are_written_as_their_documents_say() {
        let all = [
            family("sold", Kind::Counter, Value::Number(3.0)),
            family(
                "took_seconds",
                Kind::Histogram,
                Value::Histogram(vec![0.5, 1.0], vec![1, 0, 2], 7.5),
            ),
        ];
        let label = r#"service="a\"b\\c\nd""#;
        let plain = format!(
            "# HELP sold_total What \"it\" is\\nand does\n# TYPE sold_total counter\n\
             sold_total{{{label}}} 3\n\
             # HELP took_seconds What \"it\" is\\nand does\n# TYPE took_seconds histogram\n\
             took_seconds_bucket{{{label},le=\"0.5\"}} 1\n\
             took_seconds_bucket{{{label},le=\"1\"}} 1\n\
             took_seconds_bucket{{{label},le=\"+Inf\"}} 3\n\
             took_seconds_sum{{{label}}} 7.5\ntook_seconds_count{{{label}}} 3\n"
        );
        assert_eq!(write(&all, Format::Plain), plain);
        let open = write(&all, Format::OpenMetrics);
        assert!(open.starts_with(
            "# HELP sold What \\\"it\\\" is\\nand does\n# TYPE sold counter\nsold_total{"
        ));
        assert!(
            open.contains(",le=\"1.0\"}") && open.ends_with("\n# EOF\n"),
            "{open}"
        );
    }

    #[test]
    fn a_scraper_gets_the_format_it_likes_best() {
        for (accept, expected) in [
            ("", Format::Plain),
            ("*/*", Format::Plain),
            ("text/plain", Format::Plain),
            (
                "application/openmetrics-text; version=1.0.0",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;q=0.2, text/plain;q=0.9",
                Format::Plain,
            ),
            ("application/openmetrics-text;q=0, */*", Format::Plain),
        ] {
            assert_eq!(Format::wanted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn numbers_are_written_so_that_they_are_read_back() {
        for value in [0.0, -1.5, 1e300, 5e-9, 123_456_789.0, 0.1] {
            assert_eq!(number(value).parse::<f64>(), Ok(value));
        }
        assert_eq!(number(f64::INFINITY), "+Inf");
    }
}
