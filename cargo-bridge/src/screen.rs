//! What reaches the terminal: tables, colours where a person looks, JSON, files.
//!
//! Invariant: text from contracts and programs cannot steer the terminal.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use bridge_codegen::lock::Verdict;
use comfy_table::{ContentArrangement, Table, presets};
use owo_colors::OwoColorize as _;
use serde::Serialize;

use crate::failure::Failure;

/// Prints a text and a newline.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(writeln!(out, "{}", text.trim_end_matches('\n')))
}

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::refused(format!("cannot be written as json: {error}")))?;
    say(&text)
}

/// Writes to a file, folders made, or prints.
pub(crate) fn put(text: &str, to: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = to else {
        return say(text);
    };
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::usage(format!("{}: cannot write ({error})", path.display())))
}

/// A hint on standard error, where it does not get into what is piped on.
pub(crate) fn hint(text: &str) {
    eprintln!("{}", visible(text));
}

fn written(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Gone),
        Err(error) => Err(Failure::refused(format!("cannot print: {error}"))),
    }
}

/// An error as the last line of a command.
pub(crate) fn error(failure: &Failure) -> String {
    let text = visible(&failure.to_string());
    if io::stderr().is_terminal() && wants_colours() {
        format!("{} {text}", "error:".red().bold())
    } else {
        format!("error: {text}")
    }
}

/// A verdict, in colour where a person looks.
pub(crate) fn verdict(verdict: Verdict) -> String {
    let word = verdict.as_str();
    if !(io::stdout().is_terminal() && wants_colours()) {
        return word.to_owned();
    }
    match verdict {
        Verdict::Major => word.red().bold().to_string(),
        Verdict::Minor => word.yellow().to_string(),
        _ => word.green().to_string(),
    }
}

fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A table without lines. Only a terminal has a width; elsewhere a row is a line.
pub(crate) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head);
    table.set_content_arrangement(ContentArrangement::Disabled);
    for row in rows {
        table.add_row(row.map(|cell| visible(&cell)));
    }
    table.trim_fmt()
}

/// The text without what a terminal would obey; newlines stay.
pub(crate) fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => c,
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}
