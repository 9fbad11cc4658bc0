//! `bridge trace`: list, show and follow.

use std::process::ExitCode;
use std::time::Duration;

use contract::clock::Clock;

use super::args::{LIMIT_DEFAULT, Output, Pages, Times, Trace, TraceFilters};
use super::follow::{Follow, Stopped};
use super::path::{Path, segment};
use super::screen::{answer, look, say, say_json};
use super::{AnyError, tables, when};
use crate::operator::draw::{self, Look, visible};
use crate::operator::model::{EndedOp, TailLine, TraceTree, TracesPage};
use crate::operator::{Client, ClientError, Lines};

/// Traces of one page when all are wanted.
const PAGE: u32 = 500;
/// A runtime that says nothing for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(20);

pub(super) async fn run(
    client: &Client,
    output: Output,
    command: Trace,
) -> Result<ExitCode, AnyError> {
    match command {
        Trace::List {
            filters,
            times,
            pages,
        } => list(client, output, (&filters, &times, &pages)).await?,
        Trace::Show { id, logs, payloads } => {
            let path = Path::new(&format!("/api/v1/traces/{}", segment(&id)))
                .with("logs", logs.then_some(true))
                .with("payloads", payloads.then_some(true));
            let tree: TraceTree = client.get(path.as_str()).await?;
            answer(output, &tree, |it| draw::tree_as(it, look()))?;
        }
        Trace::Tail { filters, roots } => {
            let path = filtered(Path::new("/api/v1/tail"), &filters);
            let path = path.with("roots", roots.then_some(true));
            tail(client, output, &path).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn filtered(path: Path, filters: &TraceFilters) -> Path {
    path.with("service", filters.service.as_ref())
        .with_all("channel", &filters.channel)
        .with_all("status", &filters.status)
        .with("failed", filters.failed.then_some(true))
        .with(
            "min_duration",
            filters.min_duration.map(|it| it.as_millis()),
        )
        .with("text", filters.text.as_ref())
}

async fn list(
    client: &Client,
    output: Output,
    (filters, times, pages): (&TraceFilters, &Times, &Pages),
) -> Result<(), AnyError> {
    let clock = Clock::system();
    let path = filtered(Path::new("/api/v1/traces"), filters)
        .with("since", times.since.map(|it| it.unix_ms(&clock)))
        .with("until", times.until.map(|it| it.unix_ms(&clock)));
    if !pages.all {
        let limit = pages.limit.unwrap_or(LIMIT_DEFAULT);
        let path = path
            .with("limit", Some(limit))
            .with("cursor", pages.cursor.as_ref());
        let page: TracesPage = client.get(path.as_str()).await?;
        return answer(output, &page, tables::traces);
    }
    let path = path.with("limit", Some(PAGE));
    let mut cursor = pages.cursor.clone();
    loop {
        let path = path.clone().with("cursor", cursor.as_ref());
        let page: TracesPage = client.get(path.as_str()).await?;
        match output {
            Output::Json => page.traces.iter().try_for_each(say_json)?,
            Output::Table if page.traces.is_empty() && cursor.is_some() => {}
            Output::Table => say(&tables::traces(&TracesPage {
                next: None,
                ..page.clone()
            }))?,
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// Prints what ends until Ctrl-C.
async fn tail(client: &Client, output: Output, path: &Path) -> Result<(), AnyError> {
    let mut follow = Follow::begin()?;
    loop {
        let why = match follow.or_stop(client.lines(path.as_str())).await {
            Err(Stopped) => return Ok(()),
            Ok(Ok(lines)) => match print(&mut follow, output, lines).await? {
                Err(Stopped) => return Ok(()),
                Ok(why) => why,
            },
            Ok(Err(error)) => Some(error),
        };
        if follow.away(why).await? == Err(Stopped) {
            return Ok(());
        }
    }
}

/// Prints line after line until the runtime breaks off; says why if it did.
async fn print(
    follow: &mut Follow,
    output: Output,
    mut lines: Lines,
) -> Result<Result<Option<ClientError>, Stopped>, AnyError> {
    let look = look();
    loop {
        let next = match follow.within(SILENCE, lines.next::<TailLine>()).await {
            Err(Stopped) => return Ok(Err(Stopped)),
            Ok(Some(Ok(Some(line)))) => line,
            Ok(Some(Err(error))) => return Ok(Ok(Some(error))),
            // Ended, or silent.
            Ok(Some(Ok(None)) | None) => return Ok(Ok(None)),
        };
        follow.here();
        match (&next, output) {
            (TailLine::Quiet, _) => {}
            (_, Output::Json) => say_json(&next)?,
            (TailLine::Op(op), Output::Table) => say(&line(op, look))?,
            (TailLine::Missed { count }, Output::Table) => {
                eprintln!("{count} operations came too fast and are left out");
            }
        }
    }
}

/// One operation on one line.
fn line(op: &EndedOp, look: Look) -> String {
    let who = match &*op.peer {
        "" => op.service.clone(),
        peer => format!("{} → {peer}", op.service),
    };
    let ended_ms = op.started_at_unix_ms.saturating_add(op.duration_ms);
    let text = format!(
        "{}  {:<9}  {:>8} ms  {:<24}  {}  {}{}",
        when::time_shown(ended_ms),
        op.status,
        op.duration_ms,
        visible(&who),
        visible(&op.subject),
        op.trace_id,
        match &*op.message {
            "" => String::new(),
            message => format!("  {}", visible(message)),
        }
    );
    match (look.colour, &*op.status) {
        (true, "SUCCESS") | (false, _) => text,
        (true, _) => format!("\x1b[31m{text}\x1b[0m"),
    }
}
