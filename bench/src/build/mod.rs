//! How long a hundred operations take to compile: ours, for themselves and joined to a runtime,
//! beside the same in plain axum, and contract first beside the same in tonic. Whole, the crate alone, and after one edit in one handler's body,
//! which is what somebody waits for all day.
//!
//! The development profile as cargo has it, and for the handlers once more with line tables as the
//! only debug information: most of what an edit costs beyond plain axum's is the linker going
//! through the debug information of more dependencies.
//!
//! `--quick` builds dependencies once for all runs, below this program's own target folder, and
//! leaves the cold builds out; without it every run has a folder of its own, built from nothing and
//! removed at the end.

mod cargo;
mod form;
mod program;
mod sample;

use std::path::{Path, PathBuf};

use serde_json::json;

use self::cargo::{Cargo, Taken};
use self::form::{Form, OPERATIONS_TOTAL, Profile, RUNS};
use self::sample::Sample;
use crate::Size;
use crate::failure::{Context, Failure, Result};
use crate::report::{Report, Spread, Target};

/// What is waited for after an edit, as a share of plain axum's.
const EDIT_AT_MOST: f64 = 1.20;

const NOTES: [&str; 2] = [
    "cold: with all dependencies; lines: with macros expanded and generated files included",
    "beyond plain axum an edit costs the linker the debug information of more dependencies, cargo \
     their graph, and rustc a hundred expansions; a check has only the last two, and little else",
];

#[derive(Clone, Copy)]
struct Effort {
    /// Edits, each followed by a build and by a check.
    edits: usize,
    /// Builds of the crate alone.
    alone: usize,
}

impl From<Size> for Effort {
    fn from(size: Size) -> Self {
        let (edits, alone) = match size {
            Size::Quick => (5, 1),
            Size::Normal => (7, 2),
            Size::Full => (15, 3),
        };
        Self { edits, alone }
    }
}

/// A form with a profile, and what building it took.
struct Built {
    profile: Profile,
    sample: Sample,
    cargo: Cargo,
    cold: Option<Taken>,
    alone: Vec<Taken>,
    build: Vec<Taken>,
    check: Vec<Taken>,
    lines: usize,
    binary_bytes: u64,
}

impl Built {
    fn start((form, profile): (Form, Profile), folder: &Path, target: &Path) -> Result<Self> {
        let sample = Sample::write(form, folder, &root()?)?;
        let cargo = Cargo::new(&sample.folder, target, profile);
        Ok(Self {
            profile,
            sample,
            cargo,
            cold: None,
            alone: Vec::new(),
            build: Vec::new(),
            check: Vec::new(),
            lines: 0,
            binary_bytes: 0,
        })
    }

    /// Builds everything once, so that what follows measures the sample.
    fn warm(&mut self) -> Result<Taken> {
        let name = self.sample.form.package();
        let taken = self.cargo.run(&["build"])?;
        self.binary_bytes = self.cargo.binary_bytes(name)?;
        self.cargo.run(&["check"])?;
        self.lines = self.cargo.expanded_lines(&self.sample.folder)?;
        Ok(taken)
    }

    fn alone(&mut self) -> Result<()> {
        self.clean()?;
        self.alone.push(self.cargo.run(&["build"])?);
        self.cargo.run(&["check"]).map(drop)
    }

    fn edit(&mut self, turn: usize) -> Result<()> {
        self.sample.edit(turn)?;
        self.build.push(self.cargo.run(&["build"])?);
        self.check.push(self.cargo.run(&["check"])?);
        Ok(())
    }

    /// Removes what was built of the sample itself.
    fn clean(&self) -> Result<()> {
        let package = self.sample.form.package();
        self.cargo.run(&["clean", "-p", package]).map(drop)
    }

    fn title(&self) -> String {
        format!("{}{}", self.sample.form.title(), self.profile.suffix())
    }

    fn row(&self) -> Vec<String> {
        let seconds = |it: Option<f64>| it.map_or("not measured".into(), |it| format!("{it:.1}"));
        vec![
            self.title(),
            seconds(self.cold.map(|it| it.wall_s)),
            seconds(self.cold.map(|it| it.cpu_s)),
            format!("{:.2}", wall(&self.alone)),
            format!("{:.2}", wall(&self.build)),
            format!("{:.2}", cpu(&self.build).median),
            format!("{:.2}", wall(&self.check)),
            (self.lines / OPERATIONS_TOTAL).to_string(),
            format!("{:.0}", mebibytes(self.binary_bytes)),
        ]
    }
}

fn wall(taken: &[Taken]) -> Spread {
    Spread::of(taken.iter().map(|it| it.wall_s))
}

fn cpu(taken: &[Taken]) -> Spread {
    Spread::of(taken.iter().map(|it| it.cpu_s))
}

#[allow(clippy::cast_precision_loss)] // of the size of a program
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The workspace, whose versions and sources the samples have.
fn root() -> Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .filter(|root| root.join("Cargo.lock").exists())
        .map(Path::to_owned)
        .ok_or_else(|| Failure::new("the workspace this was built from is gone"))
}

/// Where `--quick` keeps what it has built: beside this program.
fn kept() -> Result<PathBuf> {
    let program = std::env::current_exe().context("this program")?;
    let target = program.ancestors().nth(2);
    let target = target.ok_or_else(|| Failure::new("this program is in no target folder"))?;
    Ok(target.join("bench-build"))
}

pub(crate) fn measure(size: Size) -> Result<Report> {
    let effort = Effort::from(size);
    let folder = tempfile::tempdir().context("a folder for the samples")?;
    let mut all = Vec::new();
    for (number, run) in RUNS.into_iter().enumerate() {
        let folder = folder.path().join(number.to_string());
        let target = match size {
            Size::Quick => kept()?,
            _ => folder.join("target"),
        };
        all.push(Built::start(run, &folder, &target)?);
    }
    for built in &mut all {
        let cold = built.warm()?;
        built.cold = (size != Size::Quick).then_some(cold);
    }
    for _ in 0..effort.alone {
        for built in &mut all {
            built.alone()?;
        }
    }
    // The first edit after a build from nothing fills the incremental cache: nobody's number.
    for turn in 0..=effort.edits {
        for built in &mut all {
            built.edit(turn)?;
        }
    }
    for built in &mut all {
        built.build.remove(0);
        built.check.remove(0);
        // What is kept is for other samples, at other places.
        built.clean()?;
    }
    Ok(report(&all))
}

/// Ours and its peer, and what is promised of them.
fn pairs(all: &[Built]) -> Vec<Target> {
    let of = |form, profile| {
        all.iter()
            .find(|it| it.sample.form == form && it.profile == profile)
    };
    let mut targets = Vec::new();
    for (us, peer, profile) in [
        (Form::Bridge, Form::Axum, Profile::Default),
        (Form::BridgeJoined, Form::Axum, Profile::Default),
        (Form::Bridge, Form::Axum, Profile::LineTables),
        (Form::BridgeContracts, Form::Tonic, Profile::Default),
    ] {
        let (Some(us), Some(peer)) = (of(us, profile), of(peer, profile)) else {
            continue;
        };
        let titles = format!("{} / {}", us.title(), peer.sample.form.title());
        let target = |what, us, peer| Target {
            name: format!("{titles}, {what} after an edit, s"),
            us: wall(us).median,
            peer: wall(peer).median,
            at_most: EDIT_AT_MOST,
        };
        targets.push(target("build", &us.build, &peer.build));
        targets.push(target("check", &us.check, &peer.check));
    }
    targets
}

fn report(all: &[Built]) -> Report {
    let samples = all.iter().map(|it| {
        let both = |taken: &[Taken]| {
            taken
                .iter()
                .map(|it| json!([it.wall_s, it.cpu_s]))
                .collect::<Vec<_>>()
        };
        json!({
            "form": it.sample.form,
            "profile": it.profile,
            "alone": both(&it.alone),
            "build": both(&it.build),
            "check": both(&it.check),
        })
    });
    Report {
        name: "build: a hundred operations on ten resources, the development profile",
        headers: vec![
            "sample",
            "cold s",
            "cold CPU s",
            "crate alone s (min–max)",
            "after an edit s (min–max)",
            "its CPU s",
            "check after an edit s (min–max)",
            "lines per operation",
            "program MiB",
        ],
        rows: all.iter().map(Built::row).collect(),
        notes: NOTES.map(str::to_owned).into(),
        samples: json!(samples.collect::<Vec<_>>()),
        targets: pairs(all),
        ..Report::default()
    }
}
