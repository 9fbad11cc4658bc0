//! `gen`, `check` and `accept`: generated code that is checked in, and the accepted contract.

use std::path::Path;
use std::process::ExitCode;

use bridge_codegen::lock::{Gate, Lock, ServiceMap};
use serde_json::json;

use crate::args::{Accept, Check, Common, Consumers, Gen, Output};
use crate::document::read_json;
use crate::failure::Failure;
use crate::project::Project;
use crate::{live, screen, verdicts};

/// Writes generated code into the package.
pub(crate) fn generate(common: &Common, wanted: &Gen) -> Result<ExitCode, Failure> {
    let project = Project::find(common)?;
    let folder = wanted.dir.as_ref().unwrap_or(&project.generated);
    let compiled = project.compilation()?.checked_in(folder).try_compile()?;
    match common.output {
        Output::Json => {
            let files: Vec<_> = compiled
                .generated
                .iter()
                .map(|it| it.display().to_string())
                .collect();
            screen::json(&json!({ "generated": files }))?;
        }
        Output::Table => {
            let count = compiled.generated.len();
            screen::say(&format!("{}: {count} files", folder.display()))?;
            screen::say(&included(&project, folder))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How the crate includes what was written: `mod gen;` is none, `gen` being a word of the language.
fn included(project: &Project, folder: &Path) -> String {
    let root = project.manifest.parent().unwrap_or(Path::new(""));
    let shown = |path: &Path| path.display().to_string().replace('\\', "/");
    let path = match (
        folder.strip_prefix(root.join("src")),
        folder.strip_prefix(root),
    ) {
        (Ok(below), _) => shown(below),
        (_, Ok(below)) if below.is_relative() => format!("../{}", shown(below)),
        _ => shown(folder),
    };
    format!("in src/lib.rs or src/main.rs: #[path = \"{path}/mod.rs\"] mod contracts;")
}

/// Compares contracts with generated code and with the lock.
pub(crate) fn check(common: &Common, wanted: &Check) -> Result<ExitCode, Failure> {
    let project = Project::find(common)?;
    let stale = stale(&project)?;
    let (_, gate) = open(&project, &wanted.consumers, wanted.openapi.as_deref())?;
    let is_fine = stale.is_empty()
        && !gate.report.is_breaking()
        && (!gate.is_first || wanted.allow_missing_lock)
        && !(wanted.strict && gate.report.verdict().is_some());
    match common.output {
        Output::Json => screen::json(&verdicts::machine(&gate, &stale))?,
        Output::Table => told(&project, &gate, &stale)?,
    }
    Ok(if is_fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(project: &Project, gate: &Gate, stale: &[String]) -> Result<(), Failure> {
    for file in stale {
        screen::say(&screen::visible(file))?;
    }
    let lock = project.lock.display();
    if gate.is_first {
        return screen::say(&format!(
            "{lock}: is not there, so nothing was compared: run `cargo bridge accept` and commit the \
             file, or take it back from the history; --allow-missing-lock while nothing is to be accepted"
        ));
    }
    for text in verdicts::not_compared(gate) {
        screen::say(&format!("{lock}: {text}"))?;
    }
    let text = verdicts::people(gate);
    if text.is_empty() {
        return screen::say(&format!("{lock}: nothing differs"));
    }
    let verdict = gate.report.verdict().map_or("patch", |it| it.as_str());
    screen::say(&format!(
        "{text}\n\n{lock}: the change is {verdict}; `cargo bridge accept` accepts it"
    ))
}

/// Records what is there as accepted.
pub(crate) fn accept(common: &Common, wanted: &Accept) -> Result<ExitCode, Failure> {
    let project = Project::find(common)?;
    let (present, gate) = open(&project, &wanted.consumers, wanted.openapi.as_deref())?;
    let accepted = Lock::read(&project.lock)?.unwrap_or_default();
    let text = present.or_as_in(&accepted).to_text();
    screen::put(&text, Some(&project.lock))?;
    let lock = project.lock.display();
    if common.output == Output::Json {
        screen::json(&verdicts::machine(&gate, &[]))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = verdicts::people(&gate);
    if !text.is_empty() {
        screen::say(&format!("{text}\n"))?;
    }
    screen::say(&match gate.report.verdict() {
        _ if gate.is_first => format!("{lock}: written; commit it"),
        Some(verdict) => format!(
            "{lock}: a {} change is accepted; commit it",
            verdict.as_str()
        ),
        None => format!("{lock}: nothing differs"),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Files of generated code that are not what the contracts give; none where none is checked in.
fn stale(project: &Project) -> Result<Vec<String>, Failure> {
    if !project.is_checked_in {
        return Ok(Vec::new());
    }
    let compilation = project.compilation()?.checked_in(&project.generated);
    let differing = compilation.check()?;
    Ok(differing.iter().map(ToString::to_string).collect())
}

/// What is there, and how it compares with what is accepted.
fn open(
    project: &Project,
    consumers: &Consumers,
    openapi: Option<&Path>,
) -> Result<(Lock, Gate), Failure> {
    let map = service_map(consumers)?;
    let loaded = project.load()?;
    let (mut present, places) = loaded.lock();
    present.events = Some(loaded.events(&project.events, &project.manifest)?);
    if let Some(path) = openapi {
        let document = read_json(path)?;
        let routes = bridge_codegen::lock::routes(&document)
            .map_err(|problem| Failure::usage(format!("{}: {problem}", path.display())))?;
        present.routes = Some(routes);
    }
    let gate = Gate::open(&project.lock, map.as_ref(), &present, &places)?;
    Ok((present, gate))
}

fn service_map(consumers: &Consumers) -> Result<Option<ServiceMap>, Failure> {
    let map = match (&consumers.map, consumers.live) {
        (Some(path), _) => ServiceMap::read(path),
        (None, true) => ServiceMap::parse(Path::new("bridge map"), &live::map(&["-o", "json"])?),
        (None, false) => return Ok(None),
    };
    map.map(Some)
        .map_err(|error| Failure::usage(error.to_string()))
}
