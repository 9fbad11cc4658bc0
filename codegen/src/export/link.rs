//! Contracts that a program declares in Rust, completed by the contracts that they refer to.
//!
//! A program knows its types, not the files of those that were generated for it. Here they are
//! found: each file of the set gets the imports that its types need, and the set the files.
//!
//! A contract of the name of a declared file is an earlier export of it, and left out.
//!
//! Refuses a type that is declared nowhere, and a declared file of the name of one that somebody
//! wrote. Invariant: what the program declared stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost_reflect::{DescriptorPool, FileDescriptor};
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::prost_reflect::prost::Message as _;

use super::text::MARK;
use crate::error::{Error, Fault};
use crate::load::WELL_KNOWN_FILES;

/// Where the comments above `syntax` stand.
const SYNTAX_PATH: [i32; 1] = [12];

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
/// Every type that is declared neither in the set nor in the contracts, and every contract that is
/// no export and has the name of a declared file.
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
        if beside.is_some_and(|it| is_somebodys(it, file.name())) {
            let text = format!(
                "`{}`, which the program declares, would be the file `{}`, and that is there and \
                 no export: give the file another name, or what is declared another `package`",
                file.package(),
                file.name()
            );
            faults.push(Fault::new(source, text));
            continue;
        }
        let missing: BTreeSet<_> = referred(file)
            .filter(|it| !own.contains(*it) && !it.starts_with("google.protobuf."))
            .map(str::to_owned)
            .collect();
        for name in missing {
            match found(beside, &name, &declared) {
                Ok(found) => {
                    if !file.dependency.iter().any(|it| it == found.name()) {
                        file.dependency.push(found.name().to_owned());
                    }
                    collect(&found, &declared, &mut others);
                }
                Err(text) => {
                    let text = format!("`{}` refers to `{name}`, {text}", file.package());
                    faults.push(Fault::new(source, text));
                }
            }
        }
    }
    Error::unless_empty(faults)?;
    set.file.extend(others.into_values());
    Ok(Linked {
        set: set.encode_to_vec(),
        declared,
    })
}

/// Whether the contracts have a file of this name that was not exported.
fn is_somebodys(pool: &DescriptorPool, name: &str) -> bool {
    let Some(file) = pool.get_file_by_name(name) else {
        return false;
    };
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.into_iter().flat_map(|it| &it.location);
    let mut comments = locations
        .filter(|it| it.path == SYNTAX_PATH)
        .flat_map(|it| {
            it.leading_detached_comments
                .iter()
                .chain(&it.leading_comments)
        });
    let first = comments.next().and_then(|it| it.lines().next());
    first != MARK.strip_prefix("//")
}

/// The file that a type is in; the error is the rest of a sentence about the type.
fn found(
    beside: Option<&DescriptorPool>,
    name: &str,
    declared: &[String],
) -> Result<FileDescriptor, String> {
    let found = beside.and_then(|it| file_of(it, name)).ok_or(
        "which is in no contract here: say where its file is, with --contracts or --include",
    )?;
    if declared.iter().any(|it| it == found.name()) {
        return Err(format!(
            "which is in nothing but `{}`, an earlier export that this one replaces: declare it in \
             the program",
            found.name()
        ));
    }
    Ok(found)
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
/// of each other, but for the entries of maps.
fn declared_in(file: &FileDescriptorProto) -> impl Iterator<Item = String> {
    let package = file.package();
    let messages = file.message_type.iter().flat_map(move |message| {
        let name = format!("{package}.{}", message.name());
        let entries = message.nested_type.iter();
        let mut names: Vec<_> = entries.map(|it| format!("{name}.{}", it.name())).collect();
        names.push(name);
        names
    });
    let enums = file.enum_type.iter();
    messages.chain(enums.map(move |it| format!("{package}.{}", it.name())))
}

/// The full names that fields, entries of maps and rpcs refer to, without leading dots.
fn referred(file: &FileDescriptorProto) -> impl Iterator<Item = &str> {
    let entries = file.message_type.iter().flat_map(|it| &it.nested_type);
    let messages = file.message_type.iter().chain(entries);
    let fields = messages.flat_map(|it| &it.field).map(|it| it.type_name());
    let methods = file.service.iter().flat_map(|it| &it.method);
    let rpcs = methods.flat_map(|it| [it.input_type(), it.output_type()]);
    let all = fields.chain(rpcs).filter(|name| !name.is_empty());
    all.map(|name| name.trim_start_matches('.'))
}
