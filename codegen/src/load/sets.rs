//! Descriptor sets, as `protoc -o` and `buf build -o` write them.
//!
//! Refuses sets in text form, what is no set at all, and what no compiler would have let through,
//! see [`super::set_check`].

use std::fs;
use std::path::{Path, PathBuf};

use prost_types::FileDescriptorSet;
use protox::file::DescriptorSetFileResolver;
use protox::prost_reflect::prost::Message as _;

use super::set_check;
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
    if let Some(problem) = set.file.iter().find_map(set_check::fault) {
        return Err(Fault::new(path, problem));
    }
    let names = set.file.iter().map(|file| file.name().to_owned());
    Ok(DescriptorSet {
        path: path.to_path_buf(),
        names: names.collect(),
        bytes,
    })
}
