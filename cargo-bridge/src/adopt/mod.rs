//! `adopt`: annotations for an axum application that exists, as a patch that compiles.
//!
//! ```text
//!  cargo metadata ─▶ source ─▶ routers ─┐
//!  copy, observed ─▶ build ─▶ run ──────┴▶ join ─▶ patch ─▶ build and audit in the copy ─▶ diff
//! ```
//!
//! What is mounted is what the running program says; the source says which handler answers. Refuses
//! to guess: what is not certain is left alone, with its place and the reason.
//!
//! Invariant: without `--write` no file of the workspace changes; with it, only a patch that passed.

mod workspace;
mod syntax;
mod head;
mod source;
mod names;
mod mount;
mod handlers;
mod scan;
mod serve;
mod application;
mod join;
mod edit;
mod manifest;
mod dependency;
mod annotation;
mod listing;
mod patch;
mod copy;
mod build;
mod report;
mod verify;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::args::{Adopt, Common, Output};
use crate::describe;
use crate::failure::Failure;
use crate::screen;

use self::build::Wanted;
use self::copy::Copy;
use self::dependency::Bridge;
use self::join::{Join, Left, Route};
use self::mount::{Hidden, Mount};
use self::patch::{Ground, Patch};
use self::report::{Declared, Proof, Report};
use self::serve::Site;
use self::source::Sources;
use self::verify::{Passed, Runner};
use self::workspace::{Package, Workspace, here_if_all, named_from};

/// Proposes annotations and prints them as a patch, or makes them.
pub(crate) fn run(common: &Common, asked: &Adopt) -> Result<ExitCode, Failure> {
    let workspace = Workspace::read(common)?;
    let chosen = workspace.chosen(common, asked)?;
    let package = &workspace.packages[chosen];
    let program = package.program(asked.bin.as_deref())?;
    dependency::is_axum_right(&workspace)?;
    let bridge = Bridge::of(asked, &workspace)?;
    let sources = read(&workspace, chosen, program.map(|it| it.name.as_str()))?;
    let written = listing::written(&sources);
    let mut scan = scan::Scan::new(&sources);
    let found = serve::sites(&sources);
    scan.run(found.iter().map(|it| (it.file, it.router.clone())));
    let mut notes = sources.unread.clone();
    let (sites, composed) = application::served(&workspace, &sources, &scan, found, &mut notes)?;
    let ground = Ground {
        workspace: &workspace,
        sources: &sources,
        written: &written,
        sites: &sites,
    };
    let copy = match asked.no_verify {
        true => None,
        false => {
            screen::hint("adopt: copying the workspace");
            Some(Copy::of(&workspace)?)
        }
    };
    let runner = copy.as_ref().map(|copy| Runner {
        copy,
        wanted: Wanted {
            packages: vec![package.name.clone()],
            program: program.map(|it| it.name.clone()),
            features: asked.features.clone(),
        },
        asked,
        verb: match &asked.description {
            None if program.is_some() => "build",
            _ => "check",
        },
        can_run: program.is_some() && asked.description.is_none(),
    });
    let parts = Parts {
        asked,
        bridge,
        ground,
        composed,
        pieces: scan.all(),
        hidden: scan.hidden(),
    };
    let (report, patch) = parts.proposed(runner, notes)?;
    finish(common, asked, &parts.ground, &report, &patch)
}

/// Mounted routes, and where the application with them is served.
type Live = (BTreeSet<Route>, Vec<Site>);

/// What a proposal is made of.
struct Parts<'a> {
    asked: &'a Adopt,
    bridge: Bridge,
    ground: Ground<'a>,
    /// Routes of the application as it is served.
    composed: Vec<Mount>,
    pieces: Vec<Mount>,
    hidden: Vec<Hidden>,
}

impl Parts<'_> {
    fn proposed(
        &self,
        mut runner: Option<Runner<'_>>,
        mut notes: Vec<String>,
    ) -> Result<(Report, Patch), Failure> {
        let in_copy = |_: &Path| self.bridge.anywhere();
        let in_patch = |folder: &Path| self.bridge.from(folder);
        let live = self.live(runner.as_ref(), &in_copy, &mut notes)?;
        let is_live = live.is_some();
        if let Some(running) = runner.as_mut().filter(|_| !is_live) {
            running.can_run = false;
        }
        let (live, sites) = live.unzip();
        let sites = sites.unwrap_or_else(|| self.ground.sites.to_vec());
        let ground = Ground {
            sites: &sites,
            ..self.ground
        };
        let join = join::join(&self.composed, &self.pieces, &self.hidden, live);
        let (proposals, refused) = sorted(&ground, &join);
        let requirements: (patch::Requirement<'_>, patch::Requirement<'_>) = (&in_copy, &in_patch);
        let passed = verify::passed(runner.as_ref(), &ground, proposals, requirements)?;
        let report = self.report(&join, &passed, refused, notes);
        let proof = match &runner {
            None => Proof::Nothing,
            Some(_) if passed.is_audited => Proof::Audited,
            Some(_) => Proof::Compiled,
        };
        let report = Report {
            proof,
            is_live,
            ..report
        };
        Ok((report, passed.patch))
    }

    /// What is mounted, as a description says or the program when it is run, and the sites that are
    /// routers to the compiler.
    fn live(
        &self,
        runner: Option<&Runner<'_>>,
        requirement: patch::Requirement<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Option<Live>, Failure> {
        if let Some(file) = &self.asked.description {
            let description = describe::read(file, &file.display().to_string())?;
            let sites = self.ground.sites.to_vec();
            return Ok(Some((verify::routes(&description)?, sites)));
        }
        let Some(runner) = runner.filter(|it| it.can_run) else {
            return Ok(None);
        };
        match verify::observed(runner, &self.ground, requirement) {
            Err(failure) if failure.is_about_running() => {
                notes.push(format!(
                    "warning: {failure}\nwarning: the paths below are those of the source, and whether \
                     they are mounted is not known: say how to start the program with --describe \
                     'COMMAND', or its arguments after `--`"
                ));
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    fn report(
        &self,
        join: &Join,
        passed: &Passed,
        refused: Vec<Left>,
        notes: Vec<String>,
    ) -> Report {
        let sources = self.ground.sources;
        let handlers = passed.proposals.iter().map(|it| it.function);
        let mut operations = annotation::operations(sources, handlers);
        let declared = passed.proposals.iter().map(|it| Declared {
            function: it.function,
            operation: operations.remove(&it.function).unwrap_or_default(),
            route: it.route.clone(),
            is_by_end: it.is_by_end,
            also: it.also.clone(),
            is_old: annotation::is_annotated(sources, it.function),
        });
        let mut left: Vec<Left> = join
            .left
            .iter()
            .chain(&refused)
            .chain(&passed.left)
            .cloned()
            .collect();
        left.sort_by(|a, b| (a.place, &a.route).cmp(&(b.place, &b.route)));
        Report {
            declared: declared.collect(),
            left,
            routes: join.routes.len(),
            is_live: false,
            proof: Proof::Nothing,
            rounds: passed.rounds,
            is_empty: passed.patch.is_empty(),
            notes,
        }
    }
}

/// What can be annotated as far as the source says, and what cannot.
fn sorted(ground: &Ground<'_>, join: &Join) -> (Vec<join::Proposal>, Vec<Left>) {
    let (mut proposals, mut refused) = (Vec::new(), Vec::new());
    for proposal in &join.proposals {
        match ground.refusal(proposal.function) {
            Some(reason) => refused.push(verify::left_out(ground, proposal, reason)),
            None => proposals.push(proposal.clone()),
        }
    }
    (proposals, refused)
}

/// The source of the program, and of every library of the workspace that it is made of.
fn read(workspace: &Workspace, chosen: usize, program: Option<&str>) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    let mut waiting = vec![chosen];
    let mut known = BTreeSet::from([chosen]);
    while let Some(index) = waiting.pop() {
        let package: &Package = &workspace.packages[index];
        if let Some(library) = package.library() {
            sources.add(&library.crate_name(), &library.src_path, index, true)?;
        }
        for name in package.local_names() {
            if let Some(next) = workspace.library(&name).filter(|it| known.insert(*it)) {
                waiting.push(next);
            }
        }
    }
    let package = &workspace.packages[chosen];
    let program = package
        .targets
        .iter()
        .find(|it| Some(it.name.as_str()) == program && it.is_program());
    if let Some(program) = program {
        sources.add(&program.crate_name(), &program.src_path, chosen, false)?;
    }
    Ok(sources)
}

fn finish(
    common: &Common,
    asked: &Adopt,
    ground: &Ground<'_>,
    report: &Report,
    patch: &Patch,
) -> Result<ExitCode, Failure> {
    let (sources, workspace) = (ground.sources, ground.workspace);
    report.show(sources, workspace);
    let is_json = common.output == Output::Json;
    let here = here_if_all(patch.edits.keys()).filter(|_| !is_json);
    let folder = here.as_ref().unwrap_or(&workspace.root);
    let mut text = String::new();
    let mut files = Vec::new();
    for (path, edits) in &patch.edits {
        let before = fs::read_to_string(path)
            .map_err(|error| Failure::refused(format!("{}: {error}", path.display())))?;
        text.push_str(&edit::diff(&named_from(folder, path), &before, edits));
        files.push((path, edit::applied(&before, edits)));
    }
    let is_passed = report.is_clean() || asked.no_verify || asked.description.is_some();
    if is_json {
        screen::json(&report.machine(sources, workspace, Some(&text)))?;
    } else if !asked.write && !text.is_empty() {
        screen::say(&text)?;
        if here.is_none() {
            let root = folder.display();
            screen::hint(&format!(
                "adopt: the patch is of {root}: `git apply` it there"
            ));
        }
    }
    if asked.write {
        if !is_passed {
            return Err(Failure::refused(
                "nothing is written, since it could not be audited: start the program with \
                 --describe, give what it wrote with --description, or insist with --no-verify",
            ));
        }
        for (path, text) in files {
            screen::put(&text, Some(path))?;
            screen::hint(&format!("written: {}", workspace.shown(path)));
        }
    }
    Ok(if is_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
