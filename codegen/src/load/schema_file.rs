//! One `.schema.json` file: its two messages and the places of its keys.
//!
//! Refuses JSON Schema, which looks alike and means something else: it has no field numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use contract::schema::{InputOutput, parse_schema_json};
use serde_json::Value;

use super::find::SCHEMA_JSON;
use super::json_places::places;
use super::lines::{line_and_column, text_of, without_mark};
use crate::error::Fault;
use crate::place::Place;

/// Keys that a document of JSON Schema has on top and ours has not.
const JSON_SCHEMA_KEYS: [&str; 9] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "definitions",
    "properties",
    "allOf",
    "anyOf",
    "oneOf",
];

/// A file that was read.
pub(crate) struct SchemaFile {
    /// Its path below the contracts folder, with forward slashes.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Its path as the name of a package: `payments/charge.schema.json` is `payments.charge`.
    pub(crate) package: String,
    pub(crate) contract: InputOutput,
    shown: Rc<str>,
    places: BTreeMap<String, (u32, u32)>,
}

impl SchemaFile {
    /// The place of a key, or of the nearest key around it.
    pub(crate) fn place(&self, path: &str) -> Place {
        Place::new(self.shown.clone(), position(&self.places, path))
    }

    /// The path of the one key below `path`.
    pub(crate) fn only_child(&self, path: &str) -> Option<String> {
        let below = format!("{path}.");
        let mut keys = self.places.keys();
        keys.find(|it| it.starts_with(&below)).cloned()
    }
}

/// Reads a file; `own` is the contracts folder.
pub(super) fn read(own: &Path, path: &Path) -> Result<SchemaFile, Vec<Fault>> {
    let bytes = fs::read(path).map_err(|error| {
        let message = format!("cannot read ({error}): check the file");
        vec![Fault::new(path, message)]
    })?;
    let text = text_of(&bytes);
    if text.len() < without_mark(&bytes).len() {
        let fault = Fault::new(path, "is not valid utf-8 from here on: save it as UTF-8");
        return Err(vec![Fault {
            position: Some(line_and_column(text, text.len())),
            ..fault
        }]);
    }
    let document: Value =
        serde_json::from_str(text).map_err(|error| vec![no_json(path, &error)])?;
    let (places, again) = places(text);
    let shown_at = |offset: usize| line_and_column(text, offset);
    let places: BTreeMap<String, (u32, u32)> = places
        .into_iter()
        .map(|(key, offset)| (key, shown_at(offset)))
        .collect();
    if !again.is_empty() {
        let fault = |(key, offset): (String, usize)| Fault {
            position: Some(shown_at(offset)),
            ..Fault::new(
                path,
                format!("{key}: is there twice: give one another name"),
            )
        };
        return Err(again.into_iter().map(fault).collect());
    }
    if let Some(key) = json_schema_key(&document) {
        return Err(vec![Fault {
            position: position(&places, &format!("$.{key}")),
            ..Fault::new(path, json_schema_text(key))
        }]);
    }
    let shown = path.display().to_string();
    let contract = parse_schema_json(&shown, text).map_err(|faults| {
        let fault = |it: &contract::schema::Fault| Fault {
            position: position(&places, &it.path),
            ..Fault::new(path, format!("{}: {}", it.path, it.problem))
        };
        faults.iter().map(fault).collect::<Vec<_>>()
    })?;
    let name = below(own, path);
    Ok(SchemaFile {
        package: name.trim_end_matches(SCHEMA_JSON).replace('/', "."),
        name,
        path: path.to_path_buf(),
        contract,
        shown: shown.into(),
        places,
    })
}

fn no_json(path: &Path, error: &serde_json::Error) -> Fault {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    Fault {
        position: Some((number(error.line()), number(error.column().max(1)))),
        ..Fault::new(path, format!("not valid json: {text}"))
    }
}

/// The key that gives a document of JSON Schema away.
fn json_schema_key(document: &Value) -> Option<&'static str> {
    let document = document.as_object()?;
    if document.contains_key("input") || document.contains_key("output") {
        return None;
    }
    let mut keys = JSON_SCHEMA_KEYS.into_iter();
    keys.find(|key| document.contains_key(*key))
        .or_else(|| document.contains_key("type").then_some("type"))
}

fn json_schema_text(key: &str) -> String {
    format!(
        "`{key}` is JSON Schema, but a `.schema.json` file is the contract's own format: `input` \
         and `output` with one message each, whose fields have a `fieldNumber`. A JSON Schema in \
         which every property has an `x-field-number` is converted by `cargo bridge convert`; \
         without numbers nothing can be said about the wire"
    )
}

fn position(places: &BTreeMap<String, (u32, u32)>, path: &str) -> Option<(u32, u32)> {
    let mut path = path;
    loop {
        if let Some(position) = places.get(path) {
            return Some(*position);
        }
        path = path.rsplit_once('.')?.0;
    }
}

fn below(own: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(own).unwrap_or(path);
    let parts = relative.iter().map(|it| it.to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}
