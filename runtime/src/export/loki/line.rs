//! A line as the language sees it: labels, structured metadata, text. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::logql::{Pipeline, Stage};
use crate::telemetry::LogLine;

/// Fields of one line that become structured metadata.
const FIELDS_MAX: usize = 64;

/// Labels by name.
pub(super) type Labels = BTreeMap<String, String>;

/// A line with everything that a query may ask about.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Unix nanoseconds; made so that two lines seldom share them.
    pub(super) at: i64,
    pub(super) stream: Labels,
    pub(super) metadata: Labels,
    pub(super) text: String,
}

impl Line {
    pub(super) fn new(line: LogLine, service: &str) -> Self {
        let at = line.nanos();
        let entry = line.entry;
        let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut metadata = Labels::new();
        fields(&entry.fields_json, &mut metadata);
        if let Some(trace) = entry.trace {
            metadata.insert("trace_id".to_owned(), trace.to_string());
        }
        if let Some(op) = entry.op {
            metadata.insert("op_id".to_owned(), op.to_string());
        }
        Self {
            at,
            stream: Labels::from([
                label("service", service),
                label("instance", &entry.instance.to_string()),
                label("level", entry.level.word()),
                label("source", entry.origin.word()),
            ]),
            metadata,
            text: entry.message,
        }
    }

    /// The value of a label; empty when there is none.
    pub(super) fn label(&self, name: &str) -> &str {
        let name = known_as(name);
        let found = self.stream.get(name).or_else(|| self.metadata.get(name));
        found.map_or("", String::as_str)
    }

    /// The value of a label as a selector sees it: of structured metadata only the ids.
    fn selected(&self, name: &str) -> &str {
        if is_selectable(name) {
            self.label(name)
        } else {
            ""
        }
    }

    /// Whether the line is one that the pipeline lets through; takes out what it drops.
    pub(super) fn passes(&mut self, pipeline: &Pipeline) -> bool {
        let fits = pipeline
            .selector
            .iter()
            .all(|it| it.test.passes(self.selected(&it.label)));
        fits && pipeline.stages.iter().all(|stage| match stage {
            Stage::Line { any, absent } => any.iter().any(|it| it.is_in(&self.text)) != *absent,
            Stage::Label(it) => it.test.passes(self.label(&it.label)),
            Stage::Drop(names) => {
                for name in names {
                    self.stream.remove(name);
                    self.metadata.remove(name);
                }
                true
            }
        })
    }
}

/// Labels that have two names.
pub(super) fn known_as(name: &str) -> &str {
    match name {
        "service_name" => "service",
        "detected_level" => "level",
        other => other,
    }
}

/// Whether a selector may ask for a label; any other is as if no line had it.
pub(super) fn is_selectable(name: &str) -> bool {
    const NAMES: [&str; 6] = [
        "service", "instance", "level", "source", "trace_id", "op_id",
    ];
    NAMES.contains(&known_as(name))
}

/// The plain values of a JSON object, nested ones under the names of their parents.
fn fields(json: &str, into: &mut Labels) {
    if json == "{}" {
        return;
    }
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        add("", &value, into);
    }
}

fn add(name: &str, value: &Value, into: &mut Labels) {
    if into.len() >= FIELDS_MAX {
        return;
    }
    let plain = match value {
        Value::Object(members) => {
            for (key, value) in members {
                let gap = if name.is_empty() { "" } else { "_" };
                add(&[name, gap, key].concat(), value, into);
            }
            return;
        }
        Value::Null => return,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fits = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut key: String = name
        .chars()
        .map(|it| if fits(it) { it } else { '_' })
        .collect();
    if key.is_empty() || key.starts_with(|it: char| it.is_ascii_digit()) {
        key.insert(0, '_');
    }
    let taken = [
        "service", "instance", "level", "source", "trace_id", "op_id",
    ];
    if taken.contains(&key.as_str()) {
        key.push_str("_extracted");
    }
    into.entry(key).or_insert(plain);
}
