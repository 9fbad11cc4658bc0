//! Descriptor sets, as `protoc -o` and `buf build -o` write them.
//!
//! Refuses sets in text form, what is no set at all, and names that no `.proto` file could have: a
//! compiler has looked at those of a file, nobody has at those of a set, and they become names of
//! Rust and of files.

use std::fs;
use std::path::{Component, Path, PathBuf};

use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use protox::file::DescriptorSetFileResolver;
use protox::prost_reflect::prost::Message as _;

use crate::error::Fault;

/// A set that was read, and the files in it.
pub(super) struct DescriptorSet {
    pub(super) path: PathBuf,
    pub(super) names: Vec<String>,
    bytes: Vec<u8>,
}

impl DescriptorSet {
    /// What finds the set's files; options that are extensions are kept.
    pub(super) fn resolver(&self) -> DescriptorSetFileResolver {
        DescriptorSetFileResolver::decode(self.bytes.as_slice())
            .unwrap_or_else(|_| DescriptorSetFileResolver::new(FileDescriptorSet::default()))
    }
}

/// Reads a set.
pub(super) fn read(path: &Path) -> Result<DescriptorSet, Fault> {
    let bytes = fs::read(path)
        .map_err(|error| Fault::new(path, format!("cannot read ({error}): check the file")))?;
    let set = FileDescriptorSet::decode(bytes.as_slice()).ok();
    let readable = DescriptorSetFileResolver::decode(bytes.as_slice()).is_ok();
    let set = set.filter(|set| readable && !set.file.is_empty());
    let Some(set) = set else {
        let message = "not a descriptor set: make it with `buf build -o` or `protoc -o`, in \
                       binary form";
        return Err(Fault::new(path, message));
    };
    if let Some(problem) = set.file.iter().find_map(odd_name) {
        return Err(Fault::new(path, problem));
    }
    let names = set.file.iter().map(|file| file.name().to_owned());
    Ok(DescriptorSet {
        path: path.to_path_buf(),
        names: names.collect(),
        bytes,
    })
}

/// What is wrong with the first name of a file that no `.proto` could have.
fn odd_name(file: &FileDescriptorProto) -> Option<String> {
    let name = Path::new(file.name());
    let is_inside = name
        .components()
        .all(|it| matches!(it, Component::Normal(_)));
    let is_proto = name.extension().is_some_and(|it| it == "proto");
    if !is_inside || !is_proto || file.name().contains(|c: char| c.is_control() || c == '\\') {
        return Some(format!(
            "its file `{}` is not called as an import calls one: a path without `..`, to a name \
             that ends in .proto",
            file.name()
        ));
    }
    let package = file
        .package()
        .split('.')
        .filter(|_| !file.package().is_empty());
    let services = file.service.iter().flat_map(|service| {
        let methods = service.method.iter().map(|it| it.name());
        methods.chain([service.name()])
    });
    let extensions = file.extension.iter().map(|it| it.name());
    let odd = package
        .chain(services)
        .chain(extensions)
        .find(|it| !is_name(it));
    let odd = odd.or_else(|| file.enum_type.iter().find_map(odd_in_enum));
    let odd = odd.or_else(|| file.message_type.iter().find_map(odd_in_message))?;
    Some(format!(
        "`{odd}` in its file `{}` is no name: names are letters, digits and `_`, a letter first",
        file.name()
    ))
}

fn odd_in_enum(found: &EnumDescriptorProto) -> Option<&str> {
    let values = found.value.iter().map(|it| it.name());
    values.chain([found.name()]).find(|it| !is_name(it))
}

/// Nesting is bounded by what reading a set allows.
fn odd_in_message(message: &DescriptorProto) -> Option<&str> {
    let fields = message
        .field
        .iter()
        .chain(&message.extension)
        .map(|it| it.name());
    let oneofs = message.oneof_decl.iter().map(|it| it.name());
    let own = fields.chain(oneofs).chain([message.name()]);
    let odd = own.into_iter().find(|it| !is_name(it));
    let odd = odd.or_else(|| message.enum_type.iter().find_map(odd_in_enum));
    odd.or_else(|| message.nested_type.iter().find_map(odd_in_message))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
