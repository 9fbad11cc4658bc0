//! Holds the wire contract still: every field, enum value, rpc and reserved number of `proto/` is
//! one line of `wire.listing`. Refuses a silent change: SDKs in other languages already speak it.
//! Invariant: the listing is derived from the protos alone, sorted by name, then number.

// A test that cannot go on says where; clippy knows test functions only, not what they call.
#![allow(clippy::unwrap_used)]

use prost_reflect::prost_types::{DescriptorProto, EnumDescriptorProto};
use prost_reflect::{
    Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ServiceDescriptor,
};
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "servicebridge.v1";

#[test]
fn wire_contract_matches_its_listing() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire.listing");
    let derived = listing(&pool());
    if std::env::var_os("BRIDGE_TEST_WRITE_LISTING").is_some() {
        fs::write(&path, &derived).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let gone: Vec<&str> = lines_only_in(&committed, &derived);
    let new: Vec<&str> = lines_only_in(&derived, &committed);
    assert!(
        committed == derived,
        "the wire contract changed\n  gone: {gone:#?}\n  new: {new:#?}\n\
         when that is meant, run this test with BRIDGE_TEST_WRITE_LISTING=1 and review the listing"
    );
}

#[test]
fn every_reserved_number_is_free_of_fields() {
    for message in pool().all_messages() {
        for field in message.fields() {
            let number = field.number();
            assert!(
                !message
                    .reserved_ranges()
                    .any(|range| range.contains(&number)),
                "{} uses reserved number {number}",
                field.full_name()
            );
        }
    }
}

fn pool() -> DescriptorPool {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let mut files: Vec<PathBuf> = fs::read_dir(proto.join("servicebridge/v1"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let set = protox::compile(files, [proto]).unwrap();
    DescriptorPool::from_file_descriptor_set(set).unwrap()
}

fn listing(pool: &DescriptorPool) -> String {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    for message in pool.all_messages().filter(|m| m.package_name() == PACKAGE) {
        if !message.is_map_entry() {
            blocks.push((
                format!("message {}", message.name()),
                message_lines(&message),
            ));
        }
    }
    for item in pool.all_enums().filter(|e| e.package_name() == PACKAGE) {
        blocks.push((format!("enum {}", item.name()), enum_lines(&item)));
    }
    for service in pool.services().filter(|s| s.package_name() == PACKAGE) {
        blocks.push((
            format!("service {}", service.name()),
            service_lines(&service),
        ));
    }
    blocks.sort();
    let mut text = String::new();
    for (heading, lines) in blocks {
        text.push_str(&heading);
        text.push('\n');
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn message_lines(message: &MessageDescriptor) -> Vec<String> {
    let name = message.name();
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    let mut lines: Vec<String> = fields
        .iter()
        .map(|field| {
            let (number, kind) = (field.number(), type_name(field));
            format!("{name}.{} {number} {kind} {}", field.name(), label(field))
        })
        .collect();
    let raw: &DescriptorProto = message.descriptor_proto();
    for range in &raw.reserved_range {
        for number in range.start()..range.end() {
            lines.push(format!("{name} reserved {number}"));
        }
    }
    lines.extend(
        raw.reserved_name
            .iter()
            .map(|word| format!("{name} reserved \"{word}\"")),
    );
    lines
}

fn enum_lines(item: &EnumDescriptor) -> Vec<String> {
    let name = item.name();
    let mut lines: Vec<String> = item
        .values()
        .map(|value| format!("{name}.{} {}", value.name(), value.number()))
        .collect();
    let raw: &EnumDescriptorProto = item.enum_descriptor_proto();
    // The end of a reserved range is inclusive in enums, unlike in messages.
    for range in &raw.reserved_range {
        for number in range.start()..=range.end() {
            lines.push(format!("{name} reserved {number}"));
        }
    }
    lines.extend(
        raw.reserved_name
            .iter()
            .map(|word| format!("{name} reserved \"{word}\"")),
    );
    lines
}

fn service_lines(service: &ServiceDescriptor) -> Vec<String> {
    let side = |streaming: bool| if streaming { "stream " } else { "" };
    service
        .methods()
        .map(|method| {
            format!(
                "{}.{} {}{} -> {}{}",
                service.name(),
                method.name(),
                side(method.is_client_streaming()),
                short(method.input().full_name()),
                side(method.is_server_streaming()),
                short(method.output().full_name()),
            )
        })
        .collect()
}

fn type_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => format!(
            "map<{},{}>",
            type_name(&entry.map_entry_key_field()),
            type_name(&entry.map_entry_value_field())
        ),
        Kind::Message(message) => short(message.full_name()),
        Kind::Enum(item) => short(item.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn label(field: &FieldDescriptor) -> String {
    match field.containing_oneof() {
        _ if field.is_map() => "map".to_owned(),
        Some(oneof) if !oneof.is_synthetic() => format!("oneof:{}", oneof.name()),
        Some(_) => "optional".to_owned(),
        None if field.cardinality() == Cardinality::Repeated => "repeated".to_owned(),
        None => "single".to_owned(),
    }
}

fn short(full_name: &str) -> String {
    full_name
        .strip_prefix("servicebridge.v1.")
        .unwrap_or(full_name)
        .to_owned()
}

fn lines_only_in<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    one.lines()
        .filter(|line| !other.lines().any(|known| known == *line))
        .collect()
}
