//! `asyncapi`, `export` and `convert`: contracts in the forms of other tools.
//!
//! Refuses to put an exported `.proto` in the place of a file that somebody wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bridge_codegen::Exported;
use bridge_codegen::export::{self, Event, JsonSchemas};

use crate::args::{Asyncapi, Common, Convert, Export, Form};
use crate::declared;
use crate::document::read_json;
use crate::failure::Failure;
use crate::project::Project;
use crate::screen;

/// Writes AsyncAPI of the package's events.
pub(crate) fn asyncapi(common: &Common, wanted: &Asyncapi) -> Result<ExitCode, Failure> {
    let project = Project::find(common)?;
    let events = if wanted.events.is_empty() {
        project.events.clone()
    } else {
        wanted
            .events
            .iter()
            .map(|it| event(it))
            .collect::<Result<_, _>>()?
    };
    if events.is_empty() {
        return Err(Failure::usage(format!(
            "no event is listed: add `\"order.placed\" = \"shop.orders.v1.OrderPlaced\"` below \
             `[package.metadata.bridge.events]` in {}, or give --event",
            project.manifest.display()
        )));
    }
    let about = project.about(&wanted.document);
    let document = project
        .load()?
        .asyncapi(&about, &events, &project.manifest)?;
    screen::put(&export::json_text(&document), wanted.document.to.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

fn event(text: &str) -> Result<Event, Failure> {
    let parts = text.split_once('=');
    let parts = parts.filter(|(address, message)| !address.is_empty() && !message.is_empty());
    let (address, message) = parts.ok_or_else(|| {
        Failure::usage(format!(
            "--event `{text}`: write ADDRESS=MESSAGE, such as order.placed=shop.v1.OrderPlaced"
        ))
    })?;
    Ok(Event {
        address: address.to_owned(),
        message: message.to_owned(),
    })
}

/// Writes contracts as files of another form.
pub(crate) fn files(common: &Common, wanted: &Export) -> Result<ExitCode, Failure> {
    match &wanted.form {
        Form::Proto { program, to } => {
            let files = match declared::contracts(common, program)? {
                Some(declared) => declared.protos()?,
                None => Project::find(common)?.load()?.protos()?,
            };
            if files.is_empty() {
                let text = "every contract has a .proto already: nothing to write";
                return Err(Failure::refused(text));
            }
            unless_somebodys(&files, to)?;
            for file in files {
                screen::put(&file.text, Some(&to.join(&file.path)))?;
                let path = to.join(&file.path);
                let note = if file.note.is_empty() {
                    "written"
                } else {
                    &file.note
                };
                screen::say(&format!("{}: {note}", path.display()))?;
            }
        }
        Form::SchemaJson { rpc, program, to } => {
            let file = match declared::contracts(common, program)? {
                Some(declared) => declared.loaded.schema_json(rpc)?,
                None => Project::find(common)?.load()?.schema_json(rpc)?,
            };
            screen::put(&file.text, to.as_deref())?;
            if !file.note.is_empty() {
                screen::hint(&format!("note: {}", file.note));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to write over what is no earlier export, before anything is written.
fn unless_somebodys(files: &[Exported], to: &Path) -> Result<(), Failure> {
    let is_somebodys = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => !std::str::from_utf8(&bytes).is_ok_and(export::is_exported),
        // What cannot be read is told when it cannot be written.
        Err(_) => false,
    };
    let paths = files.iter().map(|it| to.join(&it.path));
    let taken: Vec<_> = paths
        .filter(is_somebodys)
        .map(|path| {
            format!(
                "{}: is there and no export, so it is not replaced: move it, or give --to another \
                 folder",
                path.display()
            )
        })
        .collect();
    if taken.is_empty() {
        Ok(())
    } else {
        Err(Failure::refused(taken.join("\n")))
    }
}

/// Writes a `.schema.json` from two JSON Schemas.
pub(crate) fn convert(wanted: &Convert) -> Result<ExitCode, Failure> {
    let (input, reply) = (read_json(&wanted.input)?, read_json(&wanted.reply)?);
    let converted = export::convert(JsonSchemas {
        input: (&wanted.input, &input),
        output: (&wanted.reply, &reply),
    })?;
    screen::put(&converted.text, wanted.to.as_deref())?;
    for left_out in &converted.left_out {
        screen::hint(&format!("note: {left_out}"));
    }
    Ok(ExitCode::SUCCESS)
}
