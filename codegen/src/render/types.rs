//! Paths to message types, as seen from a package's module.
//!
//! Follows the convention of the message generator: package `a.b` is module `a::b`, types inside
//! message `M` are in module `m`, and `google.protobuf` types come through the SDK.
//!
//! Invariant: the path of a type is the one that generated message fields use for it.

use prost_types::DescriptorProto;

use crate::load::Sources;
use crate::model::{MessageType, Model};
use crate::names;

/// Where the SDK re-exports the well-known types.
const WELL_KNOWN: &str = "::bridge::__rt::prost_types";

/// Well-known messages that are plain Rust types; the message generator treats them alike.
const PLAIN: [(&str, &str); 10] = [
    ("BoolValue", "bool"),
    ("BytesValue", "::bridge::__rt::prost::alloc::vec::Vec<u8>"),
    ("DoubleValue", "f64"),
    ("Empty", "()"),
    ("FloatValue", "f32"),
    ("Int32Value", "i32"),
    ("Int64Value", "i64"),
    (
        "StringValue",
        "::bridge::__rt::prost::alloc::string::String",
    ),
    ("UInt32Value", "u32"),
    ("UInt64Value", "u64"),
];

/// Resolves full names to Rust paths.
pub(super) struct Types<'m> {
    model: &'m Model,
}

impl<'m> Types<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self { model }
    }

    pub(super) fn model(&self) -> &'m Model {
        self.model
    }

    pub(super) fn get(&self, full_name: &str) -> &'m MessageType {
        &self.model.types[full_name]
    }

    /// The path of a message, seen from the module of package `from`.
    pub(super) fn message(&self, full_name: &str, from: &str) -> String {
        let found = self.get(full_name);
        if found.well_known {
            return well_known_path(found.package.as_str(), &found.path);
        }
        format!(
            "{}{}",
            self.module(&found.package, from),
            inside(&found.path)
        )
    }

    /// The module of package `to`, seen from that of `from`: empty, or ending in `::`.
    pub(super) fn module(&self, to: &str, from: &str) -> String {
        let (to, from) = (names::modules(to), names::modules(from));
        let shared = to
            .iter()
            .zip(&from)
            .take_while(|(to, from)| to == from)
            .count();
        let up = from[shared..].iter().map(|_| "super");
        up.chain(to[shared..].iter().map(String::as_str))
            .map(|part| format!("{part}::"))
            .collect()
    }
}

/// The path of a message or enum below its package's module.
fn inside(path: &[String]) -> String {
    let Some((name, outer)) = path.split_last() else {
        return String::new();
    };
    let outer: String = outer
        .iter()
        .map(|name| format!("{}::", names::snake(name)))
        .collect();
    format!("{outer}{}", names::camel(name))
}

fn well_known_path(package: &str, path: &[String]) -> String {
    if let ("google.protobuf", [name]) = (package, path)
        && let Some((_, plain)) = PLAIN.iter().find(|(plain, _)| plain == name)
    {
        return (*plain).to_owned();
    }
    let modules = package
        .trim_start_matches("google.protobuf")
        .trim_start_matches('.');
    let modules: String = names::modules(modules)
        .iter()
        .map(|module| format!("{module}::"))
        .collect();
    format!("{WELL_KNOWN}::{modules}{}", inside(path))
}

/// Every well-known type in use with its Rust path, for the message generator.
///
/// One entry for each type: a single entry for the package would lose the underscores of `__rt`.
/// The plain ones are built into the generator and must not be given again.
pub(super) fn well_known_paths(sources: &Sources) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for file in sources.files.iter().filter(|file| file.is_well_known()) {
        for message in &file.descriptor.message_type {
            add_message(&mut paths, file.package(), message, &[]);
        }
        for found in &file.descriptor.enum_type {
            add(&mut paths, file.package(), &[found.name().to_owned()]);
        }
    }
    paths
}

fn add_message(
    paths: &mut Vec<(String, String)>,
    package: &str,
    message: &DescriptorProto,
    outer: &[String],
) {
    let path = [outer, &[message.name().to_owned()]].concat();
    for nested in &message.nested_type {
        add_message(paths, package, nested, &path);
    }
    for nested in &message.enum_type {
        add(
            paths,
            package,
            &[&path[..], &[nested.name().to_owned()]].concat(),
        );
    }
    add(paths, package, &path);
}

fn add(paths: &mut Vec<(String, String)>, package: &str, path: &[String]) {
    let rust = well_known_path(package, path);
    if rust.starts_with(WELL_KNOWN) {
        paths.push((format!(".{package}.{}", path.join(".")), rust));
    }
}
