//! What differs between what is accepted and what is there, and how bad that is.
//!
//! Invariant: a change that breaks anything is [`Verdict::Major`], and says what to do instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::error::one_line;

/// How much a change is, in the words of semantic versioning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// Nobody can notice.
    Patch,
    /// Something is new; what there was goes on as before.
    Minor,
    /// Somebody who did nothing wrong breaks.
    Major,
}

/// What a change breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Breaks {
    /// Protobuf bytes are read wrongly or refused.
    Wire,
    /// JSON is read wrongly or refused.
    Json,
    /// HTTP requests are refused, find nothing, or find something else.
    Http,
    /// Code against the generated types does not compile once they are generated anew.
    Code,
    /// What callers were promised about repeating a call.
    Promise,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// How much it is.
    pub verdict: Verdict,
    /// What it breaks; empty unless the verdict is major.
    pub breaks: BTreeSet<Breaks>,
    /// What is different: one line, lowercase, no full stop.
    pub what: String,
    /// What to do about it; empty when there is nothing to do.
    pub todo: String,
    /// `file:line:column` of the declaration, or of the nearest one that is still there.
    pub place: Option<String>,
    /// The accepted rpcs, HTTP forms and routes as `METHOD /path`, and events that it concerns: forms
    /// of what breaks JSON, and rpcs unless it breaks nothing but JSON.
    pub concerns: BTreeSet<String>,
}

/// An rpc whose identity is another one now.
///
/// Calls are routed by it: callers that were built before reach only instances that were built
/// before, until they are built and deployed anew themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rerouted {
    /// `package.Service/Method`.
    pub rpc: String,
    /// The accepted hash.
    pub accepted: String,
    /// The hash of what is there now.
    pub present: String,
}

/// Every difference, worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The differences, worst first, then by text.
    pub changes: Vec<Change>,
    /// Rpcs that need callers and instances of the same build, by name.
    pub rerouted: Vec<Rerouted>,
}

impl Report {
    /// The worst verdict; `None` when nothing differs.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.changes.iter().map(|change| change.verdict).max()
    }

    /// Whether something breaks.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.verdict() == Some(Verdict::Major)
    }
}

/// Where declarations are: `file:line:column` by full name.
#[derive(Clone, Debug, Default)]
pub struct Places(pub(crate) BTreeMap<String, String>);

impl Places {
    /// Where the thing is, or the nearest declaration around it that is still there.
    pub(crate) fn near(&self, name: &str) -> Option<String> {
        let mut name = name;
        loop {
            if let Some(place) = self.0.get(name) {
                return Some(place.clone());
            }
            name = &name[..name.rfind(['.', '/'])?];
        }
    }
}

impl Change {
    pub(super) fn new(verdict: Verdict, what: impl Into<String>) -> Self {
        Self {
            verdict,
            breaks: BTreeSet::new(),
            what: what.into(),
            todo: String::new(),
            place: None,
            concerns: BTreeSet::new(),
        }
    }

    pub(super) fn major(breaks: &[Breaks], what: impl Into<String>) -> Self {
        Self {
            breaks: breaks.iter().copied().collect(),
            ..Self::new(Verdict::Major, what)
        }
    }

    pub(super) fn todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = todo.into();
        self
    }
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Breaks {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Json => "json",
            Self::Http => "http",
            Self::Code => "code",
            Self::Promise => "promise",
        }
    }
}

impl fmt::Display for Change {
    /// The one line for people: `place: verdict: what (breaks …): todo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{}: ", one_line(place))?;
        }
        write!(f, "{}: {}", self.verdict, one_line(&self.what))?;
        if !self.breaks.is_empty() {
            let words: Vec<_> = self.breaks.iter().map(|it| it.as_str()).collect();
            write!(f, " (breaks {})", words.join(", "))?;
        }
        if !self.todo.is_empty() {
            write!(f, ": {}", one_line(&self.todo))?;
        }
        Ok(())
    }
}
