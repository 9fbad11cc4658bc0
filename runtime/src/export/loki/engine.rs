//! Queries over the stored lines: page after page, filtered here, counted within bounds.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use contract::ids::{InstanceId, ServiceId, TraceId};

use super::asked::Span;
use super::line::{Labels, Line, is_selectable, known_as};
use super::logql::{Counting, Function, Grouping, Matcher, Pipeline, Test};
use crate::db::DbError;
use crate::registry::Registry;
use crate::telemetry::{LOGS_MAX, Level, LogCursor, LogFilter, Telemetry};

/// Lines that one query looks at. What it asks for has to be among them.
pub(super) const SCANNED_MAX: usize = 200_000;
/// Lines that are looked at for a list of streams.
const STREAMS_SCANNED_MAX: usize = 20_000;
/// Series of an answer.
const SERIES_MAX: usize = 500;
/// Lines that are read at a time.
const PAGE: u32 = 1_000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// The question cannot be answered; the text says why.
    #[error("{0}")]
    Wrong(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

/// Asks the logs. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    pub(super) telemetry: Telemetry,
    pub(super) registry: Registry,
}

/// Lines, in the order that was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Lines that were looked at.
    pub(super) scanned: usize,
    /// Whether there may be more that were not looked at.
    pub(super) partial: bool,
}

/// A series of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) labels: Labels,
    /// Nanoseconds and value.
    pub(super) points: Vec<(i64, f64)>,
}

/// What one scan goes through.
struct Scan<'p> {
    pipeline: &'p Pipeline,
    span: Span,
    filter: LogFilter,
    scanned_max: usize,
    scanned: usize,
    cursor: Option<LogCursor>,
    done: bool,
    names: HashMap<ServiceId, String>,
}

impl Engine {
    /// The newest lines, or the oldest when `forward`.
    pub(super) async fn lines(
        &self,
        pipeline: &Pipeline,
        span: Span,
        limit: usize,
        forward: bool,
    ) -> Result<Lines, AskError> {
        let Some(mut scan) = self.scan(pipeline, span, SCANNED_MAX) else {
            return Ok(Lines::default());
        };
        let mut kept: VecDeque<Line> = VecDeque::new();
        while !scan.done && (forward || kept.len() < limit) {
            for line in self.next(&mut scan).await? {
                if kept.len() == limit {
                    if !forward {
                        break;
                    }
                    kept.pop_front();
                }
                kept.push_back(line);
            }
        }
        let mut lines: Vec<Line> = kept.into();
        if forward {
            lines.reverse();
        }
        let enough = !forward && lines.len() == limit;
        Ok(Lines {
            lines,
            scanned: scan.scanned,
            partial: !enough && scan.scanned >= scan.scanned_max,
        })
    }

    /// How much there was at each step from the start to the end, both included.
    pub(super) async fn numbers(
        &self,
        counting: &Counting,
        span: Span,
        step: i64,
    ) -> Result<(Vec<Series>, usize), AskError> {
        let steps: Vec<i64> = span.steps(step).collect();
        let last = steps.last().copied().unwrap_or(span.start);
        // A window is open at its beginning and closed at its end.
        let read = Span {
            start: span.start.saturating_sub(counting.range).saturating_add(1),
            end: last.saturating_add(1),
        };
        let Some(mut scan) = self.scan(&counting.pipeline, read, SCANNED_MAX) else {
            return Ok((Vec::new(), 0));
        };
        let mut groups: BTreeMap<Labels, Vec<(i64, u64)>> = BTreeMap::new();
        while !scan.done {
            for line in self.next(&mut scan).await? {
                let bytes = line.text.len() as u64;
                let group = groups.entry(group(&line, counting.sum.as_ref()));
                group.or_default().push((line.at, bytes));
            }
            if groups.len() > SERIES_MAX {
                let text = format!(
                    "maximum of series ({SERIES_MAX}) reached for a single query; add up by fewer labels"
                );
                return Err(AskError::Wrong(text));
            }
        }
        if scan.scanned >= scan.scanned_max {
            let text = format!(
                "more than {SCANNED_MAX} lines would have to be counted; ask for a shorter time or select fewer streams"
            );
            return Err(AskError::Wrong(text));
        }
        let series = groups.into_iter().map(|(labels, mut lines)| {
            lines.sort_unstable();
            Series {
                labels,
                points: points(counting, &lines, &steps),
            }
        });
        let series = series.filter(|it| !it.points.is_empty());
        Ok((series.collect(), scan.scanned))
    }

    /// The streams that the newest lines of a span belong to.
    pub(super) async fn streams(
        &self,
        selectors: &[Pipeline],
        span: Span,
    ) -> Result<BTreeSet<Labels>, AskError> {
        let mut found = BTreeSet::new();
        for pipeline in selectors {
            let scan = self.scan(pipeline, span, STREAMS_SCANNED_MAX / selectors.len());
            let Some(mut scan) = scan else { continue };
            while !scan.done && found.len() < SERIES_MAX {
                found.extend(self.next(&mut scan).await?.into_iter().map(|it| it.stream));
            }
        }
        Ok(found)
    }

    /// Names of services, with a key or foreign.
    pub(super) fn services(&self) -> Vec<String> {
        let services = self.registry.map().services.into_iter();
        services.map(|it| it.name).collect()
    }

    /// `None` when nothing can match.
    fn scan<'p>(&self, pipeline: &'p Pipeline, span: Span, scanned_max: usize) -> Option<Scan<'p>> {
        if span.end <= span.start {
            return None;
        }
        let mut filter = LogFilter {
            from_ms: Some(span.start / 1_000_000),
            to_ms: Some((span.end - 1) / 1_000_000),
            ..LogFilter::default()
        };
        for matcher in &pipeline.selector {
            self.narrow(matcher, &mut filter)?;
        }
        Some(Scan {
            pipeline,
            span,
            filter,
            scanned_max,
            scanned: 0,
            cursor: None,
            done: false,
            names: HashMap::new(),
        })
    }

    /// What the store can look for itself; everything is looked at again here. `None` when nothing
    /// has such a label.
    fn narrow(&self, matcher: &Matcher, filter: &mut LogFilter) -> Option<()> {
        match (known_as(&matcher.label), &matcher.test) {
            ("service", Test::Is(name)) => {
                filter.service = Some(self.registry.service_named(name)?);
            }
            ("instance", Test::Is(id)) => filter.instance = Some(id.parse::<InstanceId>().ok()?),
            ("trace_id", Test::Is(id)) if !id.is_empty() => filter.trace = Some(trace_id(id)?),
            ("level", test) => {
                let passing = Level::ALL.into_iter().filter(|it| test.passes(it.word()));
                filter.min_level = Some(passing.min()?);
            }
            (label, test) if !is_selectable(label) && !test.passes("") => return None,
            _ => {}
        }
        Some(())
    }

    /// The lines of the next page that pass, newest first.
    async fn next(&self, scan: &mut Scan<'_>) -> Result<Vec<Line>, AskError> {
        let room = scan.scanned_max.saturating_sub(scan.scanned);
        let limit = PAGE.min(LOGS_MAX).min(u32::try_from(room).unwrap_or(PAGE));
        let logs = self.telemetry.logs();
        let page = logs.query(&scan.filter, limit.max(1), scan.cursor).await?;
        scan.scanned += page.lines.len();
        scan.cursor = page.next;
        scan.done = page.next.is_none() || scan.scanned >= scan.scanned_max;
        let mut passing = Vec::with_capacity(page.lines.len());
        for line in page.lines {
            let service = line.entry.service;
            let name = scan.names.entry(service).or_insert_with(|| {
                let name = self.registry.service_name(service);
                name.unwrap_or_else(|| service.to_string())
            });
            let mut line = Line::new(line, name);
            let inside = (scan.span.start..scan.span.end).contains(&line.at);
            if inside && line.passes(scan.pipeline) {
                passing.push(line);
            }
        }
        Ok(passing)
    }
}

/// A trace id as UUID or as the 32 hex digits of the W3C.
fn trace_id(text: &str) -> Option<TraceId> {
    text.parse().ok().or_else(|| {
        let uuid = uuid::Uuid::try_parse(text).ok()?;
        (text.len() == 32).then(|| TraceId::from_uuid(uuid))
    })
}

/// The labels that a line is counted under.
fn group(line: &Line, sum: Option<&Grouping>) -> Labels {
    match sum {
        None => line.stream.clone(),
        Some(Grouping::By(names)) => {
            let label = |name: &String| (name.clone(), line.label(name).to_owned());
            names
                .iter()
                .map(label)
                .filter(|it| !it.1.is_empty())
                .collect()
        }
        Some(Grouping::Without(names)) => {
            let mut labels = line.stream.clone();
            labels.retain(|name, _| !names.iter().any(|it| known_as(it) == name));
            labels
        }
    }
}

/// The value at each step where there was anything in the range before it.
fn points(counting: &Counting, lines: &[(i64, u64)], steps: &[i64]) -> Vec<(i64, f64)> {
    let (mut from, mut to, mut bytes) = (0, 0, 0_u64);
    let mut points = Vec::new();
    for at in steps {
        while lines.get(to).is_some_and(|it| it.0 <= *at) {
            bytes += lines[to].1;
            to += 1;
        }
        while from < to && lines[from].0 <= at.saturating_sub(counting.range) {
            bytes -= lines[from].1;
            from += 1;
        }
        if from == to {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let (count, bytes, seconds) = (
            (to - from) as f64,
            bytes as f64,
            counting.range as f64 / 1e9,
        );
        let value = match counting.function {
            Function::CountOverTime => count,
            Function::Rate => count / seconds,
            Function::BytesOverTime => bytes,
            Function::BytesRate => bytes / seconds,
        };
        points.push((*at, value));
    }
    points
}
