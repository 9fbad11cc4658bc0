//! Builds and audits what is proposed, and leaves out what does not pass.
//!
//! ```text
//!  observe ─▶ build ─▶ run ─▶ what is mounted
//!  patch ─▶ build ─▶ faults? leave those handlers out, again
//!                 └▶ run ─▶ audit ─▶ not clean? leave those out, again ─▶ clean
//! ```
//!
//! Refuses a fault that is nobody's: then the patch is not printed.
//!
//! Invariant: a round leaves at least one handler out or is the last, and there are [`ROUNDS_MAX`].

use std::collections::BTreeSet;
use std::process::Command;

use crate::args::Adopt;
use crate::asked;
use crate::describe::{self, Compared, Description};
use crate::failure::Failure;
use crate::screen;

use super::build::{Fault, Wanted, build};
use super::copy::Copy;
use super::join::{Left, Proposal, Route};
use super::mount::Place;
use super::patch::{Ground, Patch, Requirement};
use super::serve::Site;

/// Builds for one patch.
const ROUNDS_MAX: usize = 16;
/// Lines of a compiler's message that are shown.
const SHOWN_LINES_MAX: usize = 40;

/// What builds and runs the program.
pub(super) struct Runner<'a> {
    pub(super) copy: &'a Copy<'a>,
    pub(super) wanted: Wanted,
    pub(super) asked: &'a Adopt,
    /// `build`, so that it can be run; else `check`.
    pub(super) verb: &'static str,
    /// It can be run: there is a program, and no description instead.
    pub(super) can_run: bool,
}

impl Runner<'_> {
    fn build(&self) -> Result<Vec<Fault>, Failure> {
        build(self.copy, self.verb, &self.wanted)
    }

    fn description(&self) -> Result<Description, Failure> {
        if let Some(command) = &self.asked.describe {
            let run = self.copy.placed(asked::shell(command));
            return describe::by_command(run, command);
        }
        // Cargo starts it, so that it has the environment, the folder and the runner that it is
        // always started with.
        let mut words = ["run", "--quiet", asked::TELLING]
            .map(str::to_owned)
            .to_vec();
        words.extend(self.wanted.words());
        words.push("--".to_owned());
        words.extend(self.asked.arguments.iter().cloned());
        let run: Command = self.copy.cargo(&words);
        describe::by_cargo(run, &format!("cargo {}", words.join(" ")))
    }
}

/// The routes of a description.
pub(super) fn routes(description: &Description) -> Result<BTreeSet<Route>, Failure> {
    if let Some(reason) = &description.map.degraded {
        let text = format!("the router's routes cannot be read: {reason}");
        return Err(Failure::refused(text));
    }
    let routes = description.map.routes.iter();
    let routes = routes.flat_map(|it| {
        it.methods.iter().map(|verb| Route {
            path: it.path.clone(),
            verb: verb.clone(),
        })
    });
    Ok(routes.collect())
}

/// What the running program mounts, with nothing of it changed but that it says so. Sites that are
/// no routers to the compiler are taken out.
pub(super) fn observed(
    runner: &Runner<'_>,
    ground: &Ground<'_>,
    requirement: Requirement<'_>,
) -> Result<(BTreeSet<Route>, Vec<Site>), Failure> {
    let mut sites = ground.sites.to_vec();
    loop {
        let here = Ground {
            sites: &sites,
            ..*ground
        };
        let patch = here.observing(requirement).map_err(Failure::refused)?;
        runner.copy.set(&patch)?;
        screen::hint("adopt: building the application as it is, to ask it for its routes");
        let faults = runner.build()?;
        if faults.is_empty() {
            break;
        }
        let is_at_fault = |site: &Site| {
            let file = &ground.sources.files[site.file];
            let line = ground.sources.line(site.file, site.router.start);
            let last = ground.sources.line(site.file, site.router.end) + 1;
            let path = runner.copy.of_file(&file.path);
            path.is_some_and(|path| faults.iter().any(|it| it.is_in(&path, &(line..last))))
        };
        let right: Vec<Site> = sites
            .iter()
            .filter(|it| !is_at_fault(it))
            .cloned()
            .collect();
        if right.is_empty() || right.len() == sites.len() {
            return Err(Failure::refused(format!(
                "the application does not build, as it is but for `bridge::declare(…)` around its router:\n{}",
                shown(&faults[0])
            )));
        }
        sites = right;
    }
    let description = runner.description()?;
    Ok((routes(&description)?, sites))
}

fn shown(fault: &Fault) -> String {
    let lines: Vec<&str> = fault.rendered.lines().take(SHOWN_LINES_MAX).collect();
    lines.join("\n")
}

/// A patch that passed.
pub(super) struct Passed {
    pub(super) patch: Patch,
    pub(super) proposals: Vec<Proposal>,
    pub(super) left: Vec<Left>,
    pub(super) rounds: usize,
    pub(super) is_audited: bool,
}

/// Makes the patch; with a runner it is built and audited, and what does not pass is left out.
pub(super) fn passed(
    runner: Option<&Runner<'_>>,
    ground: &Ground<'_>,
    mut proposals: Vec<Proposal>,
    requirements: (Requirement<'_>, Requirement<'_>),
) -> Result<Passed, Failure> {
    let (in_copy, in_patch) = requirements;
    let mut left = Vec::new();
    let mut out = |proposals: &mut Vec<Proposal>, index: usize, reason: String| {
        let proposal = proposals.remove(index);
        left.push(left_out(ground, &proposal, reason));
    };
    let mut rounds = 0;
    loop {
        let (patch, lost) = ground
            .patch(&proposals, in_copy)
            .map_err(Failure::refused)?;
        for id in lost {
            if let Some(index) = proposals.iter().position(|it| it.function == id) {
                let text = "cannot be named from where the application is served";
                out(&mut proposals, index, text.to_owned());
            }
        }
        let Some(runner) = runner.filter(|_| !patch.is_empty()) else {
            break;
        };
        rounds += 1;
        if rounds > ROUNDS_MAX {
            return Err(Failure::refused(format!(
                "the patch does not pass after {ROUNDS_MAX} builds: this is a fault of `cargo bridge`"
            )));
        }
        runner.copy.set(&patch)?;
        screen::hint(&format!(
            "adopt: building the patch, {} handlers (round {rounds})",
            proposals.len()
        ));
        let faults = runner.build()?;
        let found = if faults.is_empty() {
            audited(runner, &proposals)?
        } else {
            at_fault(runner, ground, &patch, &proposals, &faults)?
        };
        if found.is_empty() {
            break;
        }
        for (index, reason) in found.into_iter().rev() {
            out(&mut proposals, index, reason);
        }
    }
    let (patch, _) = ground
        .patch(&proposals, in_patch)
        .map_err(Failure::refused)?;
    Ok(Passed {
        patch,
        proposals,
        left,
        rounds,
        is_audited: rounds > 0 && runner.is_some_and(|it| it.can_run),
    })
}

/// A handler that is left out after all.
pub(super) fn left_out(ground: &Ground<'_>, proposal: &Proposal, reason: String) -> Left {
    let function = &ground.sources.functions[proposal.function];
    Left {
        route: proposal.route.to_string(),
        place: Some(Place {
            file: function.file,
            at: function.attribute_at,
        }),
        reason,
    }
}

/// Which proposals the compiler refuses, in order.
fn at_fault(
    runner: &Runner<'_>,
    ground: &Ground<'_>,
    patch: &Patch,
    proposals: &[Proposal],
    faults: &[Fault],
) -> Result<Vec<(usize, String)>, Failure> {
    let mut found = Vec::new();
    for (index, proposal) in proposals.iter().enumerate() {
        let (file, lines) = ground.lines(patch, proposal.function);
        let file = runner.copy.of_file(&file).unwrap_or(file);
        let fault = faults.iter().find(|it| it.is_in(&file, &lines));
        if let Some(fault) = fault {
            found.push((index, format!("does not compile: {}", fault.text)));
        }
    }
    if found.is_empty() {
        for (index, proposal) in proposals.iter().enumerate() {
            let name = &ground.sources.functions[proposal.function].name;
            if let Some(fault) = faults.iter().find(|it| it.names(name)) {
                found.push((index, format!("does not compile: {}", fault.text)));
            }
        }
    }
    if found.is_empty() {
        return Err(Failure::refused(format!(
            "the patch does not compile, and no handler is at fault:\n{}",
            shown(&faults[0])
        )));
    }
    Ok(found)
}

/// Which proposals the audit of the running program does not find where they are declared.
fn audited(runner: &Runner<'_>, proposals: &[Proposal]) -> Result<Vec<(usize, String)>, Failure> {
    if !runner.can_run {
        return Ok(Vec::new());
    }
    screen::hint("adopt: auditing it");
    let description = runner.description()?;
    let audit = description.audit.unwrap_or_default();
    let holds = |all: &[Compared], route: &Route| {
        let mut all = all.iter();
        all.any(|it| it.method == route.verb && it.path == route.path)
    };
    let mut found = Vec::new();
    for (index, proposal) in proposals.iter().enumerate() {
        let route = &proposal.route;
        if holds(&audit.ambiguous, route) {
            found.push((
                index,
                "the audit cannot tell where it is mounted".to_owned(),
            ));
        } else if !holds(&audit.declared_and_mounted, route) {
            found.push((index, "the audit does not find it mounted".to_owned()));
        }
    }
    Ok(found)
}
