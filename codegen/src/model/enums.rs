//! Enums of compiled files.

use prost_types::EnumDescriptorProto;

use super::{Enum, EnumValue};
use crate::load::{SourceFile, tag};

/// Reads an enum that is declared `at` a place of `file`, inside the messages `outer`.
pub(super) fn read(
    file: &SourceFile,
    declared: &EnumDescriptorProto,
    at: &[i32],
    outer: &[String],
) -> Enum {
    let values = declared.value.iter().zip(0..).map(|(value, index)| {
        let at = [at, &[tag::ENUM_VALUE, index]].concat();
        let options = value.options.as_ref();
        EnumValue {
            name: value.name().to_owned(),
            number: value.number(),
            said: file.said(&at, options.is_some_and(|it| it.deprecated())),
        }
    });
    let options = declared.options.as_ref();
    Enum {
        name: declared.name().to_owned(),
        full_name: file.qualified(outer, declared.name()),
        package: file.package().to_owned(),
        outer: outer.to_vec(),
        closed: file.is_proto2(),
        values: values.collect(),
        reserved: declared
            .reserved_range
            .iter()
            .map(|range| range.start()..=range.end())
            .collect(),
        reserved_names: declared.reserved_name.clone(),
        said: file.said(at, options.is_some_and(|it| it.deprecated())),
    }
}
