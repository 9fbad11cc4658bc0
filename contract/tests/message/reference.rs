//! What the tables make of messages, judged by an implementation that shares no code with us.

use contract::message::{JsonOptions, bytes_to_json, json_schema, json_to_bytes};
use prost_reflect::prost::Message as _;
use prost_types::FileDescriptorSet;
use serde_json::{Map, Value, json};

use crate::world::{DESCRIPTORS, options, table};

#[path = "../../../tests/python/installed.rs"]
mod packages;
#[path = "../../../tests/python/reference.rs"]
mod python;

use python::{Line, Reference, difference, seeds};

/// Messages of one run.
const COUNT: usize = 1_000;

fn schemas() -> Value {
    let names = [
        "every.v1.Every",
        "every.v1.Item",
        "old.v1.Old",
        "old.v1.Line",
        "old.v1.Loose",
    ];
    let schemas = names.map(|name| {
        let mut generator = schemars::SchemaGenerator::default();
        let mut schema = json_schema(table(name), &mut generator);
        schema.insert("$defs".to_owned(), generator.take_definitions(true).into());
        (name.to_owned(), schema.to_value())
    });
    schemas.into_iter().collect::<Map<_, _>>().into()
}

/// Compares one message with ours, and adds ours to its line.
fn answer(line: Line) -> Line {
    let table = table(line.name());
    let printing = JsonOptions {
        original_names: line.asked("names"),
        print_defaults: line.asked("defaults"),
        enum_numbers: line.asked("numbers"),
        ..options()
    };
    let shown = bytes_to_json(table, &line.wire(), printing);
    let shown = shown.unwrap_or_else(|error| panic!("{error}: {line}"));
    line.compare(&shown);
    let bytes = json_to_bytes(table, line.json().to_string().as_bytes(), options());
    let bytes = bytes.unwrap_or_else(|error| panic!("{error}: {line}"));
    line.compare_bytes(&bytes);
    line.answer(shown, &bytes)
}

#[test]
fn our_json_and_our_bytes_are_those_of_the_reference() {
    let file = DESCRIPTORS.file_descriptor_protos().cloned().collect();
    let reference = Reference::start(&FileDescriptorSet { file }.encode_to_vec());
    for seed in seeds() {
        eprintln!("protojson: seed {seed}");
        let lines = reference.made(seed, COUNT, "any");
        let lines: Vec<_> = lines.into_iter().map(answer).collect();
        reference.judge(&schemas(), &lines);
    }
}

#[test]
fn comparing_sees_a_difference() {
    let ours = json!({ "a": [1, "x"] });
    let of = |theirs| difference(&ours, &theirs, "");
    assert_eq!(of(json!({ "a": [1.0, "x"] })), None);
    assert_eq!(
        of(json!({ "a": [1, "y"] })).as_deref(),
        Some(r#".a[1]: ours "x", theirs "y""#)
    );
    for other in [
        json!({}),
        json!({ "a": [1] }),
        json!({ "b": [1, "x"] }),
        json!([]),
    ] {
        assert!(of(other).is_some());
    }
}
