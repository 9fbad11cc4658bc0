//! `openapi`: contracts, a program's annotated handlers and another document, as one.
//!
//! Refuses what two of them say differently, with both places: one of them would be a lie.
//!
//! Invariant: every operation that is left out is named.

use std::process::ExitCode;

use bridge_codegen::Loaded;
use bridge_codegen::export::{self, About, place_in_file};
use serde_json::{Value, json};

use crate::args::{Common, Openapi};
use crate::describe::{self, Description};
use crate::document::read_json;
use crate::failure::Failure;
use crate::project::Project;
use crate::screen;

/// A document, and where its parts are defined.
struct Made {
    document: Value,
    site: Box<dyn Fn(&str) -> String>,
}

/// Writes OpenAPI of the contracts, of a program's handlers, and of another document, as far as they
/// are there.
pub(crate) fn openapi(common: &Common, wanted: &Openapi) -> Result<ExitCode, Failure> {
    let project = Project::find(common)?;
    let about = project.about(&wanted.document);
    let description = describe::wanted(&wanted.program)?;
    let handlers = description
        .map(|it| handlers(it, &about))
        .transpose()?
        .flatten();
    let is_there = project.contracts.exists();
    let contracts = is_there
        .then(|| contracts(project.load()?, &about))
        .transpose()?;
    let made = match (handlers, contracts) {
        (Some(handlers), Some(contracts)) => joined(contracts, handlers)?,
        (Some(made), None) | (None, Some(made)) => made,
        (None, None) => return Err(nothing(&project, wanted)),
    };
    let document = match wanted.merge.as_deref() {
        None => made.document,
        Some(path) => {
            let theirs = |pointer: &str| place_in_file(path, pointer);
            export::merge(&made.document, read_json(path)?, (&*made.site, &theirs))?
        }
    };
    screen::put(&export::json_text(&document), wanted.document.to.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Neither contracts nor annotated handlers.
fn nothing(project: &Project, wanted: &Openapi) -> Failure {
    let contracts = project.contracts.display();
    let program = &wanted.program;
    Failure::usage(
        match program.describe.is_some() || program.description.is_some() {
            false => format!(
                "{contracts}: no contracts here, and no program is named: --describe 'cargo run' asks one for \
             its annotated handlers"
            ),
            true => format!(
                "{contracts}: no contracts here, and the program declares no annotated handler: list them in \
             `bridge::declare(app, &bridge::handlers![…])`"
            ),
        },
    )
}

/// Both as one; the operations of either are where it says.
fn joined(ours: Made, theirs: Made) -> Result<Made, Failure> {
    let document = export::merge(
        &ours.document,
        theirs.document.clone(),
        (&*ours.site, &*theirs.site),
    )?;
    let site = move |pointer: &str| {
        let side = match theirs.document.pointer(pointer) {
            Some(_) => &theirs.site,
            None => &ours.site,
        };
        side(pointer)
    };
    let site = Box::new(site);
    Ok(Made { document, site })
}

/// The document of the contracts.
fn contracts(loaded: Loaded, about: &About) -> Result<Made, Failure> {
    let made = loaded.openapi(about)?;
    for rpc in &made.left_out {
        let text = match rpc.split_once(" as ") {
            Some((rpc, form)) => {
                format!("note: a document has no place for `{rpc}` as {form}: left out")
            }
            None => format!("note: `{rpc}` is a stream and has no plain HTTP form: left out"),
        };
        screen::hint(&text);
    }
    let document = made.document.clone();
    let site = Box::new(move |pointer: &str| site(&loaded, &made.document, pointer));
    Ok(Made { document, site })
}

/// Where a part of the contracts' document is declared.
fn site(loaded: &Loaded, document: &Value, pointer: &str) -> String {
    let name = pointer.rsplit('/').next().unwrap_or(pointer);
    let operation = document
        .pointer(pointer)
        .and_then(|it| it.get("operationId"));
    let rpc = operation
        .and_then(Value::as_str)
        .map(|id| match id.rsplit_once('_') {
            // Further forms of an rpc are numbered.
            Some((id, number)) if number.parse::<u32>().is_ok() => id,
            _ => id,
        });
    rpc.and_then(|id| loaded.rpc_place(id))
        .or_else(|| loaded.place(name))
        .unwrap_or_else(|| format!("the contracts' document, {pointer}"))
}

/// The document of a program's handlers, if it has any.
fn handlers(description: Description, about: &About) -> Result<Option<Made>, Failure> {
    let source = description.source;
    let Some(told) = description.openapi else {
        return match description.operations.len() {
            0 => Ok(None),
            count => Err(Failure::refused(format!(
                "`{source}` has {count} annotated handlers and tells no OpenAPI of them: build it \
                 with feature `openapi` of `bridge`, as `bridge = {{ …, features = [\"openapi\"] }}`"
            ))),
        };
    };
    if !told.refused.is_empty() {
        let faults = told.refused.iter().map(|it| format!("`{source}`: {it}"));
        return Err(Failure::refused(faults.collect::<Vec<_>>().join("\n")));
    }
    for operation in &told.left_out {
        screen::hint(&format!("note: {operation}: left out"));
    }
    let mut document = told.document;
    document["info"] = json!({ "title": about.title, "version": about.version });
    let sites = told.sites;
    let site = move |pointer: &str| {
        let known = sites.get(pointer).cloned();
        known.unwrap_or_else(|| format!("the document of `{source}`, {pointer}"))
    };
    let site = Box::new(site);
    Ok(Some(Made { document, site }))
}
