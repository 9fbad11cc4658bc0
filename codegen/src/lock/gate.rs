//! The comparison of a contract with its lock, and what a build says about it.
//!
//! A build warns of what is compatible and not accepted, and fails on what breaks. It never writes
//! the lock: accepting is a decision, `cargo bridge accept`.
//!
//! Invariant: every line names the declaration, the verdict, and who breaks where that is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::change::{Change, Places, Report, Verdict};
use super::consumers::{Consumer, ServiceMap};
use super::diff::compare;
use super::model::Lock;
use crate::error::{Error, one_line};

/// Names that are printed with one change; the rest is counted.
const NAMES_MAX: usize = 8;

/// What a comparison found, and who is concerned.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// The differences.
    pub report: Report,
    /// Who calls each accepted rpc or route that the map knows; empty without a map.
    pub consumers: BTreeMap<String, Vec<Consumer>>,
    /// Whether nothing was accepted so far.
    pub is_first: bool,
    /// Whether a map was there to find consumers in.
    pub has_map: bool,
    /// What is accepted and was not compared, because nobody described what there is now:
    /// `routes`, `events`.
    pub not_compared: Vec<&'static str>,
}

impl Gate {
    /// Compares what is present with the lock at `lock`.
    ///
    /// # Errors
    ///
    /// When the lock or the map cannot be read.
    pub fn open(
        lock: &Path,
        map: Option<&ServiceMap>,
        present: &Lock,
        places: &Places,
    ) -> Result<Self, Error> {
        let accepted = Lock::read(lock)?;
        let is_first = accepted.is_none();
        let accepted = accepted.unwrap_or_default();
        if is_first {
            return Ok(Self {
                is_first,
                ..Self::default()
            });
        }
        Ok(Self {
            report: compare(&accepted, present, places),
            consumers: map.map(|map| map.consumers(&accepted)).unwrap_or_default(),
            is_first,
            has_map: map.is_some(),
            not_compared: not_compared(&accepted, present),
        })
    }

    /// Compares in a build, where a map that is not there is no fault: it names nobody.
    pub(crate) fn of_build(
        lock: &Path,
        map: Option<&Path>,
        (present, places): &(Lock, Places),
    ) -> Result<Self, Error> {
        let map = map.filter(|path| path.exists());
        let map = map.map(ServiceMap::read).transpose()?;
        Self::open(lock, map.as_ref(), present, places)
    }

    /// Those who call what a change concerns, each once.
    #[must_use]
    pub fn concerned(&self, change: &Change) -> Vec<&Consumer> {
        let lists = change
            .concerns
            .iter()
            .filter_map(|it| self.consumers.get(it));
        let mut seen = BTreeSet::new();
        let all = lists.flatten();
        all.filter(|it| seen.insert((&it.name, &it.target)))
            .collect()
    }

    /// What of a change the map does not know, so that it cannot say who calls it.
    #[must_use]
    pub fn unknown<'g>(&self, change: &'g Change) -> Vec<&'g str> {
        let concerns = change.concerns.iter().map(String::as_str);
        let unknown = concerns.filter(|it| !self.consumers.contains_key(*it));
        unknown.collect()
    }

    /// Those who call an rpc whose identity changed.
    #[must_use]
    pub fn callers(&self, rpc: &str) -> &[Consumer] {
        self.consumers.get(rpc).map_or(&[], Vec::as_slice)
    }

    /// What a build prints: an error for each change that breaks, a warning for the others.
    pub(crate) fn directives(&self, lock: &Path) -> Vec<String> {
        let lock = lock.display();
        if self.is_first {
            return vec![format!(
                "cargo::warning={lock}: nothing is accepted yet: run `cargo bridge accept`"
            )];
        }
        let mut lines: Vec<_> = self
            .report
            .changes
            .iter()
            .map(|it| self.directive(it))
            .collect();
        for it in &self.report.rerouted {
            let callers = names(self.callers(&it.rpc).iter());
            let who = if callers.is_empty() {
                "its callers".to_owned()
            } else {
                callers
            };
            lines.push(format!(
                "cargo::warning=rpc `{}` has a new identity: {who} reach only instances of the \
                 build before, so keep one of those until they are deployed anew",
                one_line(&it.rpc)
            ));
        }
        if lines.is_empty() {
            return lines;
        }
        let more = match self.not_compared[..] {
            [] => String::new(),
            _ => {
                let kinds = self.not_compared.join(" and ");
                format!("; a build compares no {kinds}: `cargo bridge check` does")
            }
        };
        lines.push(format!(
            "cargo::warning={lock}: run `cargo bridge accept` to accept what changed{more}"
        ));
        lines
    }

    fn directive(&self, change: &Change) -> String {
        let level = match change.verdict {
            Verdict::Major => "error",
            Verdict::Minor | Verdict::Patch => "warning",
        };
        let broken = match change.verdict {
            Verdict::Major => names(self.concerned(change).into_iter()),
            Verdict::Minor | Verdict::Patch => String::new(),
        };
        let who = if broken.is_empty() {
            String::new()
        } else {
            format!("; breaks {broken}")
        };
        format!("cargo::{level}={change}{who}")
    }
}

/// What only one side was described in.
fn not_compared(accepted: &Lock, present: &Lock) -> Vec<&'static str> {
    let is_there = |count: Option<usize>| count.is_some_and(|it| it > 0);
    let routes = accepted.routes.as_ref().map(BTreeMap::len);
    let events = accepted.events.as_ref().map(BTreeMap::len);
    let kinds = [
        ("routes", is_there(routes) && present.routes.is_none()),
        ("events", is_there(events) && present.events.is_none()),
    ];
    let missing = kinds.into_iter().filter(|(_, is_missing)| *is_missing);
    missing.map(|(kind, _)| kind).collect()
}

/// The consumers' names for a line of text.
fn names<'c>(consumers: impl Iterator<Item = &'c Consumer>) -> String {
    let all: BTreeSet<&str> = consumers.map(Consumer::shown).collect();
    let shown: Vec<_> = all
        .iter()
        .take(NAMES_MAX)
        .map(|it| format!("`{}`", one_line(it)))
        .collect();
    match all.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
