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
#[non_exhaustive]
pub struct Gate {
    /// The differences.
    pub report: Report,
    /// Who calls each accepted rpc or route that the map knows; empty without a map.
    pub consumers: BTreeMap<String, Vec<Consumer>>,
    /// Whether nothing was accepted so far.
    pub is_first: bool,
    /// Whether a map was there to find consumers in.
    pub has_map: bool,
    /// Accepted rpcs that the map cannot tell from others, which have their name and hash, by name.
    pub(crate) alike: BTreeMap<String, BTreeSet<String>>,
    /// Whether the lock is of an earlier version, or has routes of one, and says less than was
    /// compared otherwise; accepting brings it up to date.
    pub is_outdated: bool,
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
            alike: map.map(|_| alike(&accepted)).unwrap_or_default(),
            is_outdated: is_outdated(&accepted, present),
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

    /// Rpcs that the map cannot tell from those that a change concerns, and that it does not concern.
    #[must_use]
    pub fn alike_to<'g>(&'g self, change: &Change) -> BTreeSet<&'g str> {
        let lists = change.concerns.iter().filter_map(|it| self.alike.get(it));
        let others = lists.flatten().filter(|it| !change.concerns.contains(*it));
        others.map(String::as_str).collect()
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

/// The rpcs whose methods have the name and the hash of others, with those others.
fn alike(accepted: &Lock) -> BTreeMap<String, BTreeSet<String>> {
    let mut of_method: BTreeMap<_, BTreeSet<&String>> = BTreeMap::new();
    for (name, rpc) in &accepted.rpcs {
        let method = name.rsplit_once('/').map_or(name.as_str(), |(_, it)| it);
        let all = of_method.entry((method, &rpc.hash)).or_default();
        all.insert(name);
    }
    let several = of_method.into_values().filter(|it| it.len() > 1);
    let others = several.flat_map(|all| {
        let others = |name: &String| {
            all.iter()
                .filter(|it| **it != name)
                .copied()
                .cloned()
                .collect()
        };
        all.iter()
            .map(|name| ((*name).clone(), others(name)))
            .collect::<Vec<_>>()
    });
    others.collect()
}

/// Whether the lock leaves out what locks have now.
fn is_outdated(accepted: &Lock, present: &Lock) -> bool {
    let mut routes = accepted.routes.iter().flat_map(BTreeMap::values);
    let is_missing = present.routes.is_some() && routes.any(|it| it.access.is_none());
    accepted.is_first_format || is_missing
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
