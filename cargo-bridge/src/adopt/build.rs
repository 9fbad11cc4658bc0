//! Cargo builds the copy; what the compiler says is told apart by handler.
//!
//! Invariant: a message is a handler's fault only if it points into it, or names it.

use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::failure::Failure;

use super::copy::Copy;

/// Messages of a build that are kept.
const MESSAGES_MAX: usize = 1_000;

/// What is built.
pub(super) struct Wanted {
    pub(super) packages: Vec<String>,
    pub(super) program: Option<String>,
    pub(super) features: Option<String>,
}

impl Wanted {
    /// `-p shop --bin shop --features x`
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut say = |key: &str, value: &str| words.extend([key.to_owned(), value.to_owned()]);
        self.packages.iter().for_each(|it| say("-p", it));
        if let Some(program) = &self.program {
            say("--bin", program);
        }
        if let Some(features) = &self.features {
            say("--features", features);
        }
        words
    }
}

/// What the compiler refused.
#[derive(Debug)]
pub(super) struct Fault {
    /// Its first line.
    pub(super) text: String,
    /// As the compiler prints it.
    pub(super) rendered: String,
    /// Files and lines it points to, in the copy.
    places: Vec<(PathBuf, Range<usize>)>,
}

#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    spans: Vec<Span>,
}

#[derive(Clone, Deserialize)]
struct Span {
    file_name: PathBuf,
    line_start: usize,
    line_end: usize,
    expansion: Option<Box<Expansion>>,
}

#[derive(Clone, Deserialize)]
struct Expansion {
    span: Span,
}

/// Builds or checks; the faults, none where it compiles.
pub(super) fn build(copy: &Copy<'_>, verb: &str, wanted: &Wanted) -> Result<Vec<Fault>, Failure> {
    let mut words = vec![verb.to_owned(), "--message-format=json".to_owned()];
    words.extend(wanted.words());
    let mut child = copy
        .cargo(&words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::usage(format!("cargo cannot be started: {error}")))?;
    let mut faults = Vec::new();
    for line in child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
    {
        let line = line
            .ok()
            .and_then(|it| serde_json::from_str::<Line>(&it).ok());
        let message = line.filter(|it| it.reason == "compiler-message");
        let message = message.and_then(|it| it.message);
        let Some(message) = message.filter(|it| it.level.starts_with("error")) else {
            continue;
        };
        // The last line of a failed build repeats what was said.
        if !message.spans.is_empty() && faults.len() < MESSAGES_MAX {
            faults.push(Fault::of(copy, message));
        }
    }
    let status = child.wait();
    match status {
        Ok(status) if status.success() => Ok(Vec::new()),
        Ok(status) if faults.is_empty() => Err(Failure::refused(format!(
            "`cargo {verb}` of the copy failed ({status}): see above"
        ))),
        Ok(_) => Ok(faults),
        Err(error) => Err(Failure::refused(format!(
            "cargo cannot be waited for: {error}"
        ))),
    }
}

impl Fault {
    fn of(copy: &Copy<'_>, message: Message) -> Self {
        let mut places = Vec::new();
        let below = message.children.iter().flat_map(|it| &it.spans);
        for span in message.spans.iter().chain(below) {
            let mut span = Some(span);
            while let Some(here) = span {
                let file = copy.root.join(&here.file_name);
                places.push((file, here.line_start..here.line_end + 1));
                span = here.expansion.as_ref().map(|it| &it.span);
            }
        }
        Self {
            rendered: message.rendered.unwrap_or_else(|| message.message.clone()),
            text: message.message,
            places,
        }
    }

    /// Whether it points into these lines.
    pub(super) fn is_in(&self, file: &Path, lines: &Range<usize>) -> bool {
        let mut places = self.places.iter();
        places.any(|(path, at)| path == file && at.start < lines.end && lines.start < at.end)
    }

    /// Whether it says this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.text.contains(&format!("`{name}`"))
    }
}
