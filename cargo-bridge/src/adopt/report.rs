//! What was found, as people and machines read it.
//!
//! Invariant: every mounted route is either declared or has a reason.

use serde_json::{Value, json};

use crate::screen;

use super::join::{Left, Route};
use super::source::{FunctionId, Sources};
use super::workspace::Workspace;

/// Further routes of one handler that are named.
const ALSO_MAX: usize = 3;

/// How sure the patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It compiles, and the audit of the running program is clean.
    Audited,
    /// It compiles; what is mounted was told by a description, or by the source alone.
    Compiled,
    /// Nothing was built.
    Nothing,
}

/// A handler that is annotated now.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) function: FunctionId,
    /// What its operation is called.
    pub(super) operation: String,
    pub(super) route: Route,
    pub(super) is_by_end: bool,
    pub(super) also: Vec<Route>,
    /// It was before.
    pub(super) is_old: bool,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) declared: Vec<Declared>,
    pub(super) left: Vec<Left>,
    pub(super) routes: usize,
    pub(super) is_live: bool,
    pub(super) proof: Proof,
    /// Builds that it took.
    pub(super) rounds: usize,
    /// There is nothing to change.
    pub(super) is_empty: bool,
    pub(super) notes: Vec<String>,
}

impl Report {
    /// Routes that are declared, of a hundred that are mounted.
    fn coverage(&self) -> usize {
        // A route that the program does not mount is no declared one.
        (self.declared.len() * 100)
            .checked_div(self.routes)
            .unwrap_or(100)
    }

    fn added(&self) -> usize {
        self.declared.iter().filter(|it| !it.is_old).count()
    }

    pub(super) fn is_clean(&self) -> bool {
        self.proof == Proof::Audited || self.is_empty
    }

    fn verdict(&self) -> &'static str {
        match self.proof {
            _ if self.is_empty => "nothing to propose",
            Proof::Audited => "compiles, audits clean",
            Proof::Compiled if self.is_live => "compiles; every declaration is a mounted route",
            Proof::Compiled => "compiles; not audited",
            Proof::Nothing => "neither compiled nor audited",
        }
    }

    /// The summary, for standard error.
    pub(super) fn show(&self, sources: &Sources, workspace: &Workspace) {
        for note in &self.notes {
            screen::hint(note);
        }
        if !self.left.is_empty() {
            let rows = self.left.iter().map(|it| {
                let at = it.place.map_or("-".to_owned(), |place| {
                    let file = workspace.shown(&sources.files[place.file].path);
                    format!("{file}:{}", sources.line(place.file, place.at))
                });
                [it.route.clone(), at, it.reason.clone()]
            });
            screen::hint(&screen::table(["LEFT ALONE", "AT", "REASON"], rows));
        }
        for it in self.declared.iter().filter(|it| it.is_by_end && !it.is_old) {
            let name = &sources.functions[it.function].name;
            screen::hint(&format!(
                "note: `{name}` is taken for {}, the only free route that ends as it does in the \
                 source: look at it",
                it.route
            ));
        }
        let several = self.declared.iter().filter(|it| !it.also.is_empty());
        for it in several {
            let named = it.also.iter().take(ALSO_MAX).map(ToString::to_string);
            let mut also: Vec<_> = named.collect();
            if it.also.len() > ALSO_MAX {
                also.push(format!("{} more", it.also.len() - ALSO_MAX));
            }
            let name = &sources.functions[it.function].name;
            screen::hint(&format!(
                "note: `{name}` is declared at {} and mounted at {} as well",
                it.route,
                also.join(", ")
            ));
        }
        let mounted = if self.is_live {
            "mounted"
        } else {
            "in the source"
        };
        screen::hint(&format!(
            "{} routes {mounted}: {} handlers annotated, {} before, {} left alone; {}% declared; {}",
            self.routes,
            self.added(),
            self.declared.len() - self.added(),
            self.left.len(),
            self.coverage(),
            self.verdict()
        ));
    }

    pub(super) fn machine(
        &self,
        sources: &Sources,
        workspace: &Workspace,
        patch: Option<&str>,
    ) -> Value {
        let place = |file: usize, at: usize| {
            let path = workspace.shown(&sources.files[file].path);
            format!("{path}:{}", sources.line(file, at))
        };
        let route = |it: &Route| json!({ "method": it.verb, "path": it.path });
        let declared = self.declared.iter().map(|it| {
            let function = &sources.functions[it.function];
            json!({
                "operation": it.operation, "method": it.route.verb, "path": it.route.path,
                "at": place(function.file, function.attribute_at), "annotated_before": it.is_old,
                "by_end_of_path": it.is_by_end,
                "also": it.also.iter().map(route).collect::<Vec<_>>(),
            })
        });
        let left = self.left.iter().map(|it| {
            json!({
                "route": it.route, "at": it.place.map(|it| place(it.file, it.at)),
                "reason": it.reason,
            })
        });
        // Of no patch nothing is said.
        let judged = |it: bool| (!self.is_empty).then_some(it);
        json!({
            "routes": self.routes, "live": self.is_live, "rounds": self.rounds,
            "declared": declared.collect::<Vec<_>>(), "left_alone": left.collect::<Vec<_>>(),
            "coverage_percent": self.coverage(),
            "compiles": judged(self.proof != Proof::Nothing),
            "audits_clean": judged(self.proof == Proof::Audited),
            "notes": self.notes, "patch": patch,
        })
    }
}
