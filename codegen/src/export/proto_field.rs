//! The parts of a field's line in a `.proto`: its label, its type, its options.

use contract::schema::default_text;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::Label;

use super::proto_options::{not_an_integer, options, quoted};

pub(super) fn label(field: &FieldDescriptor, is_proto2: bool) -> &'static str {
    let proto = field.field_descriptor_proto();
    match proto.label() {
        Label::Repeated => "repeated ",
        Label::Required => "required ",
        Label::Optional if is_proto2 || proto.proto3_optional() => "optional ",
        Label::Optional => "",
    }
}

pub(super) fn field_options(
    options: &DynamicMessage,
    proto: &FieldDescriptorProto,
    default: &Value,
) -> String {
    let mut all = self::options(options, &[]);
    if let Some(stated) = &proto.default_value {
        let text = match default {
            Value::String(text) => quoted(text.as_bytes()),
            // A descriptor holds bytes with their escapes.
            Value::Bytes(_) => format!("\"{}\"", default_text(default, stated)),
            Value::F32(_) | Value::F64(_) => not_an_integer(default_text(default, stated)),
            _ => default_text(default, stated),
        };
        all.insert(0, format!("default = {text}"));
    }
    let usual = usual_json_name(proto.name());
    if proto.json_name.as_ref().is_some_and(|name| *name != usual) {
        all.push(format!(
            "json_name = {}",
            quoted(proto.json_name().as_bytes())
        ));
    }
    bracketed(all)
}

/// The name that a compiler fills in.
fn usual_json_name(name: &str) -> String {
    let mut out = String::new();
    let mut after_underscore = false;
    for c in name.chars() {
        if c == '_' {
            after_underscore = true;
        } else if std::mem::take(&mut after_underscore) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

pub(super) fn bracketed(options: Vec<String>) -> String {
    if options.is_empty() {
        String::new()
    } else {
        format!(" [{}]", options.join(", "))
    }
}

pub(super) fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!(".{}", message.full_name()),
        Kind::Enum(found) => format!(".{}", found.full_name()),
        scalar => format!("{scalar:?}"),
    }
}
