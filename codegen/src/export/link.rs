//! Contracts that a program declares in Rust, completed by the contracts that they refer to.
//!
//! A program knows its types, not the files of those that were generated for it. Here they are
//! found: each file of the set gets the imports that its types need, and the set the files.
//!
//! Refuses a type that is declared nowhere. Invariant: what the program declared stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost_reflect::{DescriptorPool, FileDescriptor};
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::prost::Message as _;

use crate::error::{Error, Fault};
use crate::load::WELL_KNOWN_FILES;

/// A set that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The encoded `google.protobuf.FileDescriptorSet`.
    pub set: Vec<u8>,
    /// The names of the files that the program declared.
    pub declared: Vec<String>,
}

/// Completes an encoded set by contracts beside it; `source` is where it comes from, for faults.
///
/// # Errors
///
/// Every type that is declared neither in the set nor in the contracts.
pub(crate) fn link(
    set: &[u8],
    source: &Path,
    beside: Option<&DescriptorPool>,
) -> Result<Linked, Error> {
    let mut set = FileDescriptorSet::decode(set)
        .map_err(|_| Fault::new(source, "its descriptors are no descriptor set"))?;
    let own: BTreeSet<String> = set.file.iter().flat_map(declared_in).collect();
    let declared: Vec<_> = set.file.iter().map(|it| it.name().to_owned()).collect();
    let mut faults = Vec::new();
    let mut others = BTreeMap::new();
    for file in &mut set.file {
        let missing: BTreeSet<_> = referred(file)
            .filter(|it| !own.contains(*it) && !it.starts_with("google.protobuf."))
            .map(str::to_owned)
            .collect();
        for name in missing {
            let found = beside.and_then(|it| file_of(it, &name));
            let Some(found) = found else {
                let text = format!(
                    "`{}` refers to `{name}`, which is in no contract here: say where its file is, \
                     with --contracts or --include",
                    file.package()
                );
                faults.push(Fault::new(source, text));
                continue;
            };
            if !file.dependency.iter().any(|it| it == found.name()) {
                file.dependency.push(found.name().to_owned());
            }
            collect(&found, &declared, &mut others);
        }
    }
    Error::unless_empty(faults)?;
    set.file.extend(others.into_values());
    Ok(Linked {
        set: set.encode_to_vec(),
        declared,
    })
}

/// The file of a message or an enum.
fn file_of(pool: &DescriptorPool, full_name: &str) -> Option<FileDescriptor> {
    let message = pool.get_message_by_name(full_name);
    let file = message.map(|it| it.parent_file());
    file.or_else(|| Some(pool.get_enum_by_name(full_name)?.parent_file()))
}

/// A file and what it imports, but for what the program declares and what everybody has.
fn collect(
    file: &FileDescriptor,
    declared: &[String],
    others: &mut BTreeMap<String, FileDescriptorProto>,
) {
    let name = file.name();
    let is_there = declared.iter().any(|it| it == name) || others.contains_key(name);
    if is_there || WELL_KNOWN_FILES.contains(&name) {
        return;
    }
    others.insert(name.to_owned(), file.file_descriptor_proto().clone());
    for import in file.dependencies() {
        collect(&import, declared, others);
    }
}

/// The full names of the messages and enums of a file. Those that a program declares are not inside
/// of each other.
fn declared_in(file: &FileDescriptorProto) -> impl Iterator<Item = String> {
    let messages = file.message_type.iter().map(DescriptorProto::name);
    let enums = file.enum_type.iter().map(|it| it.name());
    let package = file.package();
    messages
        .chain(enums)
        .map(move |name| format!("{package}.{name}"))
}

/// The full names that fields, entries of maps and rpcs refer to, without leading dots.
fn referred(file: &FileDescriptorProto) -> impl Iterator<Item = &str> {
    let values = file.message_type.iter().flat_map(|message| {
        let entries = message.nested_type.iter().flat_map(|it| &it.field);
        // An entry is inside of its message, and nobody else's.
        let own = message
            .field
            .iter()
            .filter(|field| !is_entry(message, field.type_name()));
        own.chain(entries).map(|field| field.type_name())
    });
    let methods = file.service.iter().flat_map(|it| &it.method);
    let messages = methods.flat_map(|it| [it.input_type(), it.output_type()]);
    let all = values.chain(messages).filter(|name| !name.is_empty());
    all.map(|name| name.trim_start_matches('.'))
}

fn is_entry(message: &DescriptorProto, type_name: &str) -> bool {
    let short = type_name.rsplit('.').next().unwrap_or_default();
    let mut nested = message.nested_type.iter();
    nested
        .any(|it| it.name() == short && type_name.ends_with(&format!("{}.{short}", message.name())))
}
