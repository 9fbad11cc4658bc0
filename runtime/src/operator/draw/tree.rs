//! A trace as a tree with bars on one time line.
//!
//! What failed is named first, above the tree; solid bars are the critical path. Logs and payloads
//! stand inside the operation they belong to.

use std::fmt::Write as _;

use super::words::{columns, count, elide, pad, span, visible};
use crate::operator::model::{LogLine, PayloadShown, TraceOp, TraceTree};

/// Columns of the time line, at least and at most.
const BAR_MIN: usize = 8;
const BAR_MAX: usize = 48;
/// Fewest columns for what was done, however narrow the terminal.
const NAME_MIN: usize = 16;
/// Most columns for the name of a service.
const SERVICE_MAX: usize = 20;
/// Columns for a duration and for a status.
const DURATION: usize = 9;
const STATUS: usize = 9;
/// Levels whose lines are drawn; of a deeper operation, the nearest ones.
const LEVELS_MAX: usize = 24;
/// Failed operations that are named above the tree.
const FAILED_MAX: usize = 5;
/// Letters of a payload that are shown.
const PAYLOAD_MAX: usize = 400;

/// How a trace is drawn; the default is for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; `None` cuts nothing.
    pub width: Option<usize>,
    /// Whether colours are understood.
    pub colour: bool,
}

/// A trace as a tree with bars on one time line.
pub fn tree(trace: &TraceTree) -> String {
    tree_as(trace, Look::default())
}

/// A trace as a tree for this terminal.
pub fn tree_as(trace: &TraceTree, look: Look) -> String {
    let goes_on = goes_on(&trace.ops);
    let sizes = Sizes::of(trace, &goes_on, look);
    let time = Time::of(trace);
    let mut text = summary(trace, &time, look);
    for (at, op) in trace.ops.iter().enumerate() {
        draw_op(&mut text, op, &goes_on[at], (&sizes, &time, look));
        let has_children = trace.ops.get(at + 1).is_some_and(|it| it.depth > op.depth);
        let margin = margin(&goes_on[at], op.depth, has_children);
        for line in beside(trace, op) {
            let line = fit(&format!("{margin}{line}"), look.width);
            text.push_str(&paint(&line, DIM, look));
            text.push('\n');
        }
    }
    let outside = trace
        .logs
        .iter()
        .filter(|it| !trace.ops.iter().any(|op| op.op_id == it.op_id));
    for log in outside {
        let line = fit(&log_line(log), look.width);
        text.push_str(&paint(&line, DIM, look));
        text.push('\n');
    }
    if trace.truncated {
        text.push_str("… and more operations than one answer carries\n");
    }
    if trace.logs_truncated {
        text.push_str("… and more logs than one answer carries; `bridge logs --trace` lists all\n");
    }
    text.trim_end().to_owned()
}

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const BOLD: &str = "1";
const DIM: &str = "2";

fn paint(text: &str, code: &str, look: Look) -> String {
    if look.colour {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

fn fit(text: &str, width: Option<usize>) -> String {
    width.map_or_else(|| text.to_owned(), |width| elide(text, width))
}

/// The time line of the whole trace.
struct Time {
    from_ms: i64,
    span_ms: i64,
}

impl Time {
    fn of(trace: &TraceTree) -> Self {
        let starts = trace.ops.iter().map(|it| it.started_at_unix_ms);
        let from_ms = starts.filter(|it| *it > 0).min().unwrap_or(0);
        let ends = trace.ops.iter();
        let ends = ends.map(|it| it.started_at_unix_ms + it.duration_ms.unwrap_or(0));
        let until_ms = ends.max().unwrap_or(from_ms);
        Self {
            from_ms,
            span_ms: (until_ms - from_ms).max(0),
        }
    }

    /// Columns before and of the bar of `op` on a line of `width`.
    fn bar(&self, op: &TraceOp, width: usize) -> (usize, usize) {
        let line = i64::try_from(width).unwrap_or(1);
        let span_ms = self.span_ms.max(1);
        let after_ms = (op.started_at_unix_ms - self.from_ms).clamp(0, span_ms);
        let before = (after_ms * line / span_ms).min(line - 1);
        // What still runs reaches to the end.
        let length_ms = op.duration_ms.unwrap_or(span_ms).clamp(0, span_ms);
        let length = (length_ms * line / span_ms).clamp(1, line - before);
        let columns = |it| usize::try_from(it).unwrap_or(0);
        (columns(before), columns(length))
    }
}

/// Columns of the table.
struct Sizes {
    name: usize,
    service: usize,
    bar: usize,
}

impl Sizes {
    fn of(trace: &TraceTree, goes_on: &[Vec<bool>], look: Look) -> Self {
        let ops = trace.ops.iter().zip(goes_on);
        let names = ops.map(|(op, goes_on)| columns(&name(op, goes_on)));
        let name = names.max().unwrap_or(0);
        let services = trace.ops.iter().map(|it| columns(&visible(&it.service)));
        let service = services.max().unwrap_or(0).min(SERVICE_MAX);
        let Some(width) = look.width else {
            return Self {
                name,
                service,
                bar: BAR_MAX / 2,
            };
        };
        let service = service.min(width / 6);
        // Two columns between each.
        let fixed = service + DURATION + STATUS + 8;
        let bar = (width / 7).clamp(BAR_MIN, BAR_MAX);
        let room = width.saturating_sub(fixed + bar).max(NAME_MIN);
        let spare = room.saturating_sub(name).min(BAR_MAX - bar) / 2;
        Self {
            name: name.min(room),
            service,
            bar: bar + spare,
        }
    }
}

fn summary(trace: &TraceTree, time: &Time, look: Look) -> String {
    let mut services: Vec<_> = trace.ops.iter().map(|it| &it.service).collect();
    services.sort();
    services.dedup();
    let failed: Vec<_> = trace.ops.iter().filter(|it| has_failed(it)).collect();
    let mut text = paint(&format!("trace {}", trace.trace_id), BOLD, look);
    let _ = writeln!(
        text,
        "  {} · {} · {} · {}",
        count(trace.ops.len(), "operation"),
        count(services.len(), "service"),
        span(time.span_ms as f64),
        match failed.len() {
            0 => "none failed".to_owned(),
            some => paint(&format!("{some} failed"), RED, look),
        }
    );
    // The deepest first: it is nearest to the cause.
    let mut worst = failed.clone();
    worst.sort_by_key(|it| std::cmp::Reverse(it.depth));
    for op in worst.iter().take(FAILED_MAX) {
        let (service, subject) = (visible(&op.service), visible(&op.subject));
        let line = format!(
            "✗ {service}  {subject}  {}  {}",
            op.status,
            visible(&op.message)
        );
        text.push_str(&paint(&fit(line.trim_end(), look.width), RED, look));
        text.push('\n');
    }
    if let Some(more @ 1..) = failed.len().checked_sub(FAILED_MAX) {
        let _ = writeln!(text, "… and {more} more that failed");
    }
    text
}

fn has_failed(op: &TraceOp) -> bool {
    !matches!(&*op.status, "SUCCESS" | "PENDING" | "")
}

fn draw_op(text: &mut String, op: &TraceOp, goes_on: &[bool], how: (&Sizes, &Time, Look)) {
    let (sizes, time, look) = how;
    let name = pad(&elide(&name(op, goes_on), sizes.name), sizes.name);
    let service = pad(&elide(&visible(&op.service), sizes.service), sizes.service);
    let (before, length) = time.bar(op, sizes.bar);
    let block = if op.critical { "█" } else { "▒" };
    let bar = pad(
        &format!("{}{}", " ".repeat(before), block.repeat(length)),
        sizes.bar,
    );
    let duration = op
        .duration_ms
        .map_or("running".to_owned(), |ms| format!("{ms} ms"));
    let colour = match &*op.status {
        "SUCCESS" => GREEN,
        "PENDING" => YELLOW,
        _ => RED,
    };
    let used = sizes.name + sizes.service + sizes.bar + DURATION + STATUS + 8;
    let mut status = pad(&op.status, STATUS);
    if !op.message.is_empty() {
        status.push_str(&visible(&op.message));
    }
    let status = match look.width {
        Some(width) => elide(
            status.trim_end(),
            (width + STATUS).saturating_sub(used).max(STATUS),
        ),
        None => status.trim_end().to_owned(),
    };
    let name = if op.critical {
        paint(&name, BOLD, look)
    } else {
        name
    };
    let (bar, status) = (paint(&bar, colour, look), paint(&status, colour, look));
    let _ = writeln!(
        text,
        "{name}  {service}  {bar}  {duration:>DURATION$}  {status}"
    );
}

/// What was sent, received and logged in an operation.
fn beside(trace: &TraceTree, op: &TraceOp) -> Vec<String> {
    let payloads = trace.payloads.iter().filter(|it| it.op_id == op.op_id);
    let logs = trace.logs.iter().filter(|it| it.op_id == op.op_id);
    payloads
        .map(payload_line)
        .chain(logs.map(log_line))
        .collect()
}

fn payload_line(it: &PayloadShown) -> String {
    let arrow = if it.direction == "in" { "→" } else { "←" };
    let shown = match &it.decoded {
        Some(value) => value.to_string(),
        None => it.raw.clone(),
    };
    let shown = elide(&visible(&shown), PAYLOAD_MAX);
    let kept = match usize::try_from(it.original_bytes) {
        Ok(original) if original > it.kept_bytes => format!("{} of ", it.kept_bytes),
        _ => String::new(),
    };
    let drift = if it.schema_drift {
        ", unknown contract"
    } else {
        ""
    };
    format!(
        "{arrow} {} {shown}  ({kept}{} bytes{drift})",
        it.direction, it.original_bytes
    )
}

fn log_line(log: &LogLine) -> String {
    let mut text = format!("· {:<5} {}", log.level, visible(&log.message));
    for (key, value) in log.fields.as_object().into_iter().flatten() {
        let _ = write!(text, " {}={}", visible(key), visible(&value.to_string()));
    }
    text
}

/// The lines left of an operation, and what was done.
fn name(op: &TraceOp, goes_on: &[bool]) -> String {
    let mut text = String::new();
    let hidden = op.depth.saturating_sub(LEVELS_MAX);
    if hidden > 0 {
        text.push_str("⋯ ");
    }
    for (level, goes_on) in goes_on.iter().enumerate().skip(hidden) {
        text.push_str(match (level + 1 == op.depth, *goes_on) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
    }
    text + &visible(&op.subject)
}

/// The lines left of what stands inside an operation.
fn margin(goes_on: &[bool], depth: usize, has_children: bool) -> String {
    let hidden = depth.saturating_sub(LEVELS_MAX);
    let mut text = String::from(if hidden > 0 { "⋯ " } else { "" });
    for goes_on in &goes_on[hidden..depth] {
        text.push_str(if *goes_on { "│  " } else { "   " });
    }
    text + if has_children { "│    " } else { "     " }
}

/// For every operation and every level above it, whether there is something of that level below.
fn goes_on(ops: &[TraceOp]) -> Vec<Vec<bool>> {
    let mut open: Vec<bool> = Vec::new();
    let mut all = Vec::with_capacity(ops.len());
    for op in ops.iter().rev() {
        open.resize(op.depth, false);
        all.push(open.clone());
        // What comes before at this level goes on to here.
        if let Some(own) = op.depth.checked_sub(1) {
            open[own] = true;
        }
    }
    all.reverse();
    all
}
