//! Generated messages, judged by an implementation that shares no code with us: their wire bytes and
//! their JSON, both ways.

use std::fmt::Debug;

use bridge::__rt::message::Described;
use prost::Message;
use prost_reflect::DescriptorPool;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::contracts::{every, old};

use crate::python::packages;

#[path = "../python/reference.rs"]
mod python;

use python::{Line, Reference, seeds};

/// Messages of one run.
const COUNT: usize = 500;

/// What a generated message made of one of the reference.
fn answer_as<T>(line: Line) -> Line
where
    T: Message + Default + Described + PartialEq + Debug + Serialize + DeserializeOwned,
{
    let wire = line.wire();
    let sent = T::decode(wire.as_slice()).unwrap_or_else(|error| panic!("{error}: {line}"));
    line.compare_bytes(&sent.encode_to_vec());
    let shown = serde_json::to_string(&sent).unwrap_or_else(|error| panic!("{error}: {line}"));
    if !["names", "defaults", "numbers"]
        .iter()
        .any(|it| line.asked(it))
    {
        line.compare(&shown);
    }
    let read: T = serde_json::from_value(line.json().clone())
        .unwrap_or_else(|error| panic!("{error}: {line}"));
    line.compare_bytes(&read.encode_to_vec());
    assert!(format!("{read:?}").starts_with(T::TABLE.short_name()));
    line.answer(shown, &read.encode_to_vec())
}

fn answer(line: Line) -> Line {
    match line.name() {
        "every.v1.Every" => answer_as::<every::Every>(line),
        "every.v1.Item" => answer_as::<every::Item>(line),
        "old.v1.Old" => answer_as::<old::Old>(line),
        "old.v1.Line" => answer_as::<old::Line>(line),
        "old.v1.Loose" => answer_as::<old::Loose>(line),
        other => panic!("no type for {other}"),
    }
}

#[test]
fn generated_messages_have_the_json_and_the_bytes_of_the_reference() {
    let contracts = concat!(env!("CARGO_MANIFEST_DIR"), "/contracts");
    let files = protox::compile(["every.proto", "old.proto"], [contracts]);
    let files = files.expect("the contracts compile");
    let reference = Reference::start(&files.encode_to_vec());
    let descriptors = DescriptorPool::from_file_descriptor_set(files).expect("descriptors");
    // Schemas are judged where the tables are.
    let schemas = descriptors
        .all_messages()
        .map(|it| (it.full_name().to_owned(), true.into()));
    let schemas: Value = schemas.collect::<Map<_, _>>().into();
    for seed in seeds() {
        eprintln!("protojson: seed {seed}");
        let lines = reference.made(seed, COUNT, "well-known");
        let lines: Vec<_> = lines.into_iter().map(answer).collect();
        reference.judge(&schemas, &lines);
    }
}
