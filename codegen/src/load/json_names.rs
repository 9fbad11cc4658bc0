//! Fields of one name in JSON: the compiler says that there are two, and not which.

use std::collections::BTreeMap;
use std::path::Path;

use prost_types::DescriptorProto;
use protox::file::File;

use super::source_file::{SourceFile, tag};
use crate::error::Fault;

/// How the compiler begins to say so.
const BEGINNING: &str = "a field with JSON name ";

/// Whether this is what the compiler has to say.
pub(super) fn is_meant(message: &str) -> bool {
    message.starts_with(BEGINNING)
}

/// Every field of a file at `path` that has the JSON name of one before it; none if it cannot be read.
pub(super) fn faults(path: &Path, source: &str) -> Vec<Fault> {
    let Ok(file) = File::from_source("", source) else {
        return Vec::new();
    };
    let file = SourceFile::new(
        file.file_descriptor_proto().clone(),
        Some(path.to_path_buf()),
        None,
    );
    let mut faults = Vec::new();
    for (message, index) in file.descriptor.message_type.iter().zip(0..) {
        of_message(&file, message, &[tag::MESSAGE, index], &mut faults);
    }
    faults
}

fn of_message(file: &SourceFile, message: &DescriptorProto, at: &[i32], faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<String, (&str, i32)> = BTreeMap::new();
    for (field, index) in message.field.iter().zip(0..) {
        let given = field.json_name.clone();
        let name = given.unwrap_or_else(|| contract::schema::camel_case(field.name()));
        let place = |index| file.place(&[at, &[tag::FIELD, index]].concat());
        if let Some((first, index_of_first)) = seen.get(&name) {
            let text = format!(
                "field `{}` and field `{first}` at {} are both `{name}` in JSON: give one another \
                 name, or another `json_name`",
                field.name(),
                place(*index_of_first)
            );
            faults.push(place(index).fault(text));
        } else {
            seen.insert(name, (field.name(), index));
        }
    }
    for (inner, index) in message.nested_type.iter().zip(0..) {
        let at = [at, &[tag::NESTED_MESSAGE, index]].concat();
        of_message(file, inner, &at, faults);
    }
}
