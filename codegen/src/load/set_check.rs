//! What a compiler looks at in a file and nobody has looked at in a descriptor set.
//!
//! Names become names of Rust and of files, defaults become values, entries of maps are taken apart,
//! ranges are compared: a set in which one of them is odd is refused, with what is odd.
//!
//! Invariant: what passes has no name that a `.proto` file could not have.

use std::path::{Component, Path};

use prost_types::field_descriptor_proto::Type;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

/// One more than the highest number of a field.
const NUMBERS_END: i32 = 1 << 29;

/// What is wrong with a file of a set, if something is.
pub(super) fn fault(file: &FileDescriptorProto) -> Option<String> {
    odd_path(file)
        .or_else(|| odd_name(file))
        .or_else(|| file.extension.iter().find_map(odd_default))
        .or_else(|| file.message_type.iter().find_map(odd_contents))
}

fn odd_path(file: &FileDescriptorProto) -> Option<String> {
    let name = Path::new(file.name());
    let is_inside = name
        .components()
        .all(|it| matches!(it, Component::Normal(_)));
    let is_proto = name.extension().is_some_and(|it| it == "proto");
    let is_odd = |c: char| c.is_control() || c == '\\';
    if is_inside && is_proto && !file.name().contains(is_odd) {
        return None;
    }
    Some(format!(
        "its file `{}` is not called as an import calls one: a path without `..`, to a name that \
         ends in .proto",
        file.name()
    ))
}

fn odd_name(file: &FileDescriptorProto) -> Option<String> {
    let package = file
        .package()
        .split('.')
        .filter(|_| !file.package().is_empty());
    let services = file.service.iter().flat_map(|service| {
        let methods = service.method.iter().map(|it| it.name());
        methods.chain([service.name()])
    });
    let extensions = file.extension.iter().map(|it| it.name());
    let mut names = package.chain(services).chain(extensions);
    let odd = names.find(|it| !is_name(it));
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

/// What of a message or of those in it has names and no meaning.
fn odd_contents(message: &DescriptorProto) -> Option<String> {
    let mut fields = message.field.iter().chain(&message.extension);
    let odd = fields.find_map(odd_default);
    let odd = odd.or_else(|| odd_range(message));
    let odd = odd.or_else(|| message.nested_type.iter().find_map(odd_entry));
    odd.or_else(|| message.nested_type.iter().find_map(odd_contents))
}

/// Numbers kept free that are no numbers of fields. The end is not one of them.
fn odd_range(message: &DescriptorProto) -> Option<String> {
    let mut ranges = message
        .reserved_range
        .iter()
        .map(|it| (it.start(), it.end()));
    let (start, end) =
        ranges.find(|(start, end)| *start < 1 || end <= start || *end > NUMBERS_END)?;
    Some(format!(
        "`{}` reserves the numbers from {start} to before {end}: fields have 1 to {}, and a range ends \
         behind its begin",
        message.name(),
        NUMBERS_END - 1
    ))
}

/// A message that stands for the entries of a map, and has no key and value to be one.
fn odd_entry(message: &DescriptorProto) -> Option<String> {
    let is_entry = message.options.as_ref().is_some_and(|it| it.map_entry());
    let kinds = match message.field.as_slice() {
        [key, value] if (key.number(), value.number()) == (1, 2) => [key.r#type(), value.r#type()],
        _ => [Type::Group; 2],
    };
    let no_key = [
        Type::Group,
        Type::Message,
        Type::Enum,
        Type::Bytes,
        Type::Float,
        Type::Double,
    ];
    let is_whole = !no_key.contains(&kinds[0]) && kinds[1] != Type::Group;
    (is_entry && !is_whole).then(|| {
        format!(
            "the entries `{}` of a map have no key and value",
            message.name()
        )
    })
}

fn odd_default(field: &FieldDescriptorProto) -> Option<String> {
    let default = field.default_value();
    let is_odd = field.r#type() == Type::Bytes && !is_escaped(default);
    is_odd.then(|| {
        format!(
            "the default `{default}` of `{}` is not escaped as compilers do it",
            field.name()
        )
    })
}

/// Whether each `\` starts an escape, octal ones with three digits that are a byte.
fn is_escaped(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('\\') {
        let octal = after
            .get(..3)
            .filter(|it| it.bytes().all(|it| (b'0'..=b'7').contains(&it)));
        let length = match (after.chars().next(), octal) {
            (Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '?' | '\'' | '"' | '\\'), _) => 1,
            (_, Some(digits)) if u8::from_str_radix(digits, 8).is_ok() => 3,
            _ => return false,
        };
        rest = &after[length..];
    }
    true
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
