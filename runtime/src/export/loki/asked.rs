//! The parameters of a request: times, limits, direction. Pure.
//!
//! Times are unix nanoseconds, seconds with or without a fraction, or RFC 3339.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::parse::duration;

/// Lines of an answer when no limit is asked for, and at most.
const LINES_DEFAULT: usize = 100;
pub(super) const LINES_MAX: usize = 5_000;
/// What is asked for when no start is given, in nanoseconds.
const SPAN: i64 = 3_600 * 1_000_000_000;
/// Points of a series at most.
const POINTS_MAX: i64 = 11_000;
/// Points of a series when no step is given.
const POINTS_DEFAULT: i64 = 250;
const SECOND: i64 = 1_000_000_000;
/// Latest time that can be asked for, in unix nanoseconds: the year 2255.
const TIME_MAX: i64 = 9_000_000_000_000_000_000;

/// Names and values of a request, in its order.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

/// From when to when, in nanoseconds; the end is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    /// The times from the start to the end, both included, a `step` apart: never more than an
    /// answer may have points.
    pub(super) fn steps(self, step: i64) -> impl Iterator<Item = i64> {
        let next = move |at: &i64| at.checked_add(step);
        let steps = std::iter::successors(Some(self.start), next);
        let most = usize::try_from(POINTS_MAX + 1).unwrap_or(usize::MAX);
        steps.take_while(move |at| *at <= self.end).take(most)
    }
}

impl Parameters {
    /// From a query string and a form; both together are what was asked.
    pub(super) fn new(query: &[u8], form: &[u8]) -> Self {
        let both = form_urlencoded::parse(query).chain(form_urlencoded::parse(form));
        let owned = both.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self(owned.collect())
    }

    /// The first value of a name; `None` when it has none or an empty one.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|it| it.0 == name);
        found.map(|it| it.1.as_str()).filter(|it| !it.is_empty())
    }

    /// Every value of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |it| it.0 == name);
        named.map(|it| it.1.as_str())
    }

    pub(super) fn query(&self) -> Result<&str, String> {
        let missing = || "parameter `query` is missing, such as query={service=\"orders\"}";
        self.get("query").ok_or_else(|| missing().to_owned())
    }

    /// The span that is asked for; the last hour when nothing is said.
    pub(super) fn span(&self, now: i64) -> Result<Span, String> {
        let end = self.time("end")?.unwrap_or(now);
        let since = match self.get("since") {
            Some(text) => {
                let wrong = || format!("parameter `since`: `{text}` is no span such as 1h");
                duration(text).ok_or_else(wrong)?
            }
            None => SPAN,
        };
        let start = self.time("start")?.unwrap_or(end.saturating_sub(since));
        if start > end {
            return Err("parameter `end` is before `start`".to_owned());
        }
        Ok(Span { start, end })
    }

    /// A time by its name.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            format!(
                "parameter `{name}`: `{text}` is no time; use unix nanoseconds, seconds or RFC 3339, up to the year 2255"
            )
        };
        let read = time(text).filter(|it| (0..=TIME_MAX).contains(it));
        read.map(Some).ok_or_else(wrong)
    }

    pub(super) fn limit(&self) -> Result<usize, String> {
        let Some(text) = self.get("limit") else {
            return Ok(LINES_DEFAULT);
        };
        let wrong = || format!("parameter `limit`: `{text}` is no number above 0");
        let limit: usize = text.parse().map_err(|_| wrong())?;
        match limit {
            0 => Err(wrong()),
            more if more > LINES_MAX => Err(format!(
                "max entries limit per query exceeded, limit > max_entries_limit ({more} > {LINES_MAX})"
            )),
            fits => Ok(fits),
        }
    }

    /// Whether the oldest lines are wanted.
    pub(super) fn is_forward(&self) -> Result<bool, String> {
        match self
            .get("direction")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            None | Some("backward") => Ok(false),
            Some("forward") => Ok(true),
            Some(other) => Err(format!(
                "parameter `direction`: `{other}` is neither forward nor backward"
            )),
        }
    }

    /// The step between points, in nanoseconds.
    pub(super) fn step(&self, span: Span) -> Result<i64, String> {
        let long = span.end.saturating_sub(span.start);
        let step = match self.get("step") {
            Some(text) => {
                let seconds = text.parse::<f64>().ok().and_then(nanos);
                let wrong = || format!("parameter `step`: `{text}` is no span such as 30s");
                seconds
                    .or_else(|| duration(text))
                    .filter(|it| *it > 0)
                    .ok_or_else(wrong)?
            }
            None => (long / POINTS_DEFAULT / SECOND).max(1) * SECOND,
        };
        if long / step > POINTS_MAX {
            return Err(format!(
                "exceeded maximum resolution of {POINTS_MAX} points per timeseries; try increasing the value of the step parameter"
            ));
        }
        Ok(step)
    }
}

fn time(text: &str) -> Option<i64> {
    if text.contains('T') {
        let read = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        return i64::try_from(read.unix_timestamp_nanos()).ok();
    }
    match text.parse::<i64>() {
        // As many digits as seconds have until the year 2286.
        Ok(whole) if text.len() <= 10 => whole.checked_mul(SECOND),
        Ok(whole) => Some(whole),
        Err(_) => text.parse::<f64>().ok().and_then(nanos),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn nanos(seconds: f64) -> Option<i64> {
    let nanos = seconds * 1e9;
    (0.0..9e18).contains(&nanos).then_some(nanos as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Parameters {
        Parameters::new(query.as_bytes(), b"")
    }

    #[test]
    fn times_are_nanoseconds_seconds_or_rfc_3339() {
        let expected = 1_700_000_000 * SECOND;
        for text in [
            "1700000000",
            "1700000000000000000",
            "1700000000.0",
            "2023-11-14T22:13:20Z",
            "2023-11-15T00:13:20.000%2B02:00",
        ] {
            let read = asked(&format!("start={text}")).time("start");
            assert_eq!(read, Ok(Some(expected)), "{text}");
        }
        for bad in [
            "x",
            "-5",
            "1e40",
            "2023-11-14T",
            "NaN",
            "99999999999999999999",
            "9000000000000000001",
            "9223372036854775807",
            "2262-04-11T23:47:16Z",
        ] {
            let error = asked(&format!("start={bad}")).time("start").expect_err(bad);
            assert!(error.contains("`start`"), "{error}");
        }
    }

    #[test]
    fn steps_end_with_their_span_and_with_time_itself() {
        let of = |start, end, step| Span { start, end }.steps(step).collect::<Vec<_>>();
        assert_eq!(of(1, 7, 3), [1, 4, 7]);
        assert_eq!(of(5, 5, 1), [5]);
        assert_eq!(of(i64::MAX - 1, i64::MAX, 1), [i64::MAX - 1, i64::MAX]);
        assert_eq!(of(i64::MAX, i64::MAX, i64::MAX), [i64::MAX]);
        assert_eq!(of(0, i64::MAX, 1).len(), 11_001);
    }

    #[test]
    fn spans_limits_and_steps_have_defaults_and_bounds() {
        let now = 7_200 * SECOND;
        let hour = Span {
            start: 3_600 * SECOND,
            end: now,
        };
        assert_eq!(asked("").span(now), Ok(hour));
        assert_eq!(asked("since=2h").span(now).map(|it| it.start), Ok(0));
        asked("start=5&end=4")
            .span(now)
            .expect_err("the wrong way round");
        assert_eq!(asked("").limit(), Ok(LINES_DEFAULT));
        assert_eq!(asked("limit=5000").limit(), Ok(LINES_MAX));
        for bad in ["limit=0", "limit=5001", "limit=x"] {
            asked(bad).limit().expect_err(bad);
        }
        assert_eq!(asked("").step(hour), Ok(14 * SECOND));
        assert_eq!(asked("step=0.5").step(hour), Ok(SECOND / 2));
        assert_eq!(asked("step=1m").step(hour), Ok(60 * SECOND));
        for bad in ["step=0", "step=x", "step=1ms", "step=-1"] {
            asked(bad).step(hour).expect_err(bad);
        }
        asked("direction=sideways")
            .is_forward()
            .expect_err("unknown");
    }
}
