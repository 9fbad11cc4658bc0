//! `bridge logs`: list and follow.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use contract::clock::Clock;

use super::args::{LIMIT_DEFAULT, Logs, Output};
use super::follow::{Follow, Stopped};
use super::path::Path;
use super::screen::{answer, look, say, say_json};
use super::{AnyError, when};
use crate::operator::draw::{Look, visible};
use crate::operator::model::{LogLine, LogsPage};
use crate::operator::{Client, ClientError};

/// Lines of one page when all are wanted.
const PAGE: u32 = 1_000;
/// Pause between two looks for new lines.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How much later than others a line may arrive and still be printed, in milliseconds.
const LATE_MS: i64 = 10_000;
/// Pages read at one look; what is older is left out, and said to be.
const PAGES_MAX: usize = 20;

pub(super) async fn run(
    client: &Client,
    output: Output,
    wanted: Logs,
) -> Result<ExitCode, AnyError> {
    let clock = Clock::system();
    let path = Path::new("/api/v1/logs")
        .with("service", wanted.service.as_ref())
        .with("instance", wanted.instance.as_ref())
        .with("level", wanted.level.as_ref())
        .with("trace", wanted.trace.as_ref())
        .with("text", wanted.text.as_ref());
    let since = wanted.times.since.map(|it| it.unix_ms(&clock));
    let until = wanted.times.until.map(|it| it.unix_ms(&clock));
    let limit = wanted.pages.limit.unwrap_or(LIMIT_DEFAULT);
    if wanted.follow {
        follow(client, output, (&path, since, limit)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let path = path.with("since", since).with("until", until);
    if wanted.pages.all {
        all(client, output, (&path, wanted.pages.cursor)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let cursor = wanted.pages.cursor.as_ref();
    let path = path.with("limit", Some(limit)).with("cursor", cursor);
    let page: LogsPage = client.get(path.as_str()).await?;
    answer(output, &page, |it| table(it, look()))?;
    Ok(ExitCode::SUCCESS)
}

/// Lines in the order they were written.
fn table(page: &LogsPage, look: Look) -> String {
    let mut lines: Vec<_> = page.logs.iter().rev().map(|it| line(it, look)).collect();
    if lines.is_empty() {
        lines.push("no lines match".to_owned());
    }
    if let Some(next) = &page.next {
        lines.insert(0, format!("(older ones: --cursor {next}, or --all)"));
    }
    lines.join("\n")
}

/// Every page, newest first.
async fn all(
    client: &Client,
    output: Output,
    (path, mut cursor): (&Path, Option<String>),
) -> Result<(), AnyError> {
    let look = look();
    loop {
        let path = path.clone().with("limit", Some(PAGE));
        let path = path.with("cursor", cursor.as_ref());
        let page: LogsPage = client.get(path.as_str()).await?;
        page.logs
            .iter()
            .try_for_each(|it| print(it, output, look))?;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

fn print(log: &LogLine, output: Output, look: Look) -> Result<(), AnyError> {
    match output {
        Output::Json => say_json(log),
        Output::Table => Ok(say(&line(log, look))?),
    }
}

/// Prints the newest lines and then every new one until Ctrl-C.
async fn follow(
    client: &Client,
    output: Output,
    (path, since, limit): (&Path, Option<i64>, u32),
) -> Result<(), AnyError> {
    let mut follow = Follow::begin()?;
    let mut printed = Printed::default();
    let look = look();
    loop {
        let read = match printed.begun {
            false => newest(client, path, since, limit).await,
            true => new(client, path, &printed).await,
        };
        let (mut lines, more) = match read {
            Ok(read) => read,
            Err(error) => match follow.away(Some(error)).await? {
                Ok(()) => continue,
                Err(Stopped) => return Ok(()),
            },
        };
        follow.here();
        if more {
            eprintln!("more lines came than can be read in time; the oldest are left out");
        }
        lines.reverse();
        for log in &lines {
            print(log, output, look)?;
        }
        printed.note(lines);
        if follow.pause(LOOK_EVERY).await == Err(Stopped) {
            return Ok(());
        }
    }
}

async fn newest(
    client: &Client,
    path: &Path,
    since: Option<i64>,
    limit: u32,
) -> Result<(Vec<LogLine>, bool), ClientError> {
    let path = path.clone().with("since", since).with("limit", Some(limit));
    let page: LogsPage = client.get(path.as_str()).await?;
    Ok((page.logs, false))
}

/// Lines that were not printed yet, newest first, and whether there are too many.
async fn new(
    client: &Client,
    path: &Path,
    printed: &Printed,
) -> Result<(Vec<LogLine>, bool), ClientError> {
    let path = path.clone().with("since", Some(printed.since_ms()));
    let path = path.with("limit", Some(PAGE));
    let (mut lines, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..PAGES_MAX {
        let path = path.clone().with("cursor", cursor.as_ref());
        let page: LogsPage = client.get(path.as_str()).await?;
        lines.extend(page.logs.into_iter().filter(|it| !printed.has(it)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok((lines, cursor.is_some()))
}

/// Which of the latest lines were printed.
#[derive(Debug, Default)]
struct Printed {
    begun: bool,
    newest_ms: i64,
    /// By id, those that could be read again.
    lines: BTreeMap<String, i64>,
}

impl Printed {
    fn since_ms(&self) -> i64 {
        self.newest_ms.saturating_sub(LATE_MS).max(0)
    }

    fn has(&self, log: &LogLine) -> bool {
        self.lines.contains_key(&log.id)
    }

    fn note(&mut self, lines: Vec<LogLine>) {
        self.begun = true;
        for log in lines {
            self.newest_ms = self.newest_ms.max(log.at_unix_ms);
            self.lines.insert(log.id, log.at_unix_ms);
        }
        let since_ms = self.since_ms();
        self.lines.retain(|_, at_ms| *at_ms >= since_ms);
    }
}

/// One line of a log on one line of a terminal.
fn line(log: &LogLine, look: Look) -> String {
    let mut text = format!(
        "{}  {:<5}  {:<16}  {}",
        when::time_shown(log.at_unix_ms),
        log.level,
        visible(&log.service),
        visible(&log.message)
    );
    for (key, value) in log.fields.as_object().into_iter().flatten() {
        text.push_str(&format!(
            "  {}={}",
            visible(key),
            visible(&value.to_string())
        ));
    }
    let code = match &*log.level {
        "error" => "31",
        "warn" => "33",
        "debug" => "2",
        _ => return text,
    };
    match look.colour {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(id: &str, at_unix_ms: i64) -> LogLine {
        LogLine {
            id: id.to_owned(),
            at_unix_ms,
            ..LogLine::default()
        }
    }

    #[test]
    fn what_was_printed_is_remembered_as_long_as_it_can_come_again() {
        let mut printed = Printed::default();
        printed.note(vec![log("a", 1_000), log("b", 12_000)]);
        assert_eq!(printed.since_ms(), 2_000);
        assert!(printed.has(&log("b", 12_000)) && !printed.has(&log("c", 12_000)));
        assert_eq!(printed.lines.len(), 1, "a is too old to come again");
    }

    #[test]
    fn a_line_shows_its_fields_and_cannot_steer_the_terminal() {
        let mut one = log("a", 0);
        one.level = "warn".to_owned();
        one.message = "full\u{1b}[2J".to_owned();
        one.fields = serde_json::json!({ "disk": "sda" });
        let plain = line(&one, Look::default());
        assert!(plain.ends_with("full\\u{1b}[2J  disk=\"sda\""), "{plain}");
        let colour = line(
            &one,
            Look {
                width: None,
                colour: true,
            },
        );
        assert!(colour.starts_with("\u{1b}[33m") && colour.ends_with("\u{1b}[0m"));
    }
}
