//! One message, enum or service as a descriptor: a table read back into what a compiler of `.proto`
//! files would have made of the same declaration.
//!
//! Decides nothing: names, numbers and comments are the table's. Invariant: the table that a
//! [`Pool`](super::Pool) makes of a descriptor is the table that it was made of.

use prost_types::field_descriptor_proto::{Label as Count, Type};
use prost_types::source_code_info::Location;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    MessageOptions, MethodDescriptorProto, OneofDescriptorProto, ServiceDescriptorProto,
};

use super::table::{EnumTable, FieldTable, Kind, Label, MessageTable, Scalar};

/// Steps of the path to a declaration: field numbers of the descriptors.
const OF_MESSAGE: i32 = 4;
const OF_ENUM: i32 = 5;
const OF_FIELD: i32 = 2;
const OF_ONEOF: i32 = 8;
const OF_VALUE: i32 = 2;

/// A message, and what its table does not say of it.
#[derive(Debug)]
pub(super) struct DeclaredMessage {
    pub(super) table: &'static MessageTable,
    /// Name and comment of each oneof.
    pub(super) oneofs: &'static [(&'static str, &'static str)],
}

/// An enum, and what its table does not say of it.
#[derive(Debug)]
pub(super) struct DeclaredEnum {
    pub(super) table: &'static EnumTable,
    /// The comment of each value.
    pub(super) docs: &'static [&'static str],
}

/// An rpc of a service.
#[derive(Debug)]
pub(super) struct DeclaredRpc {
    pub(super) name: String,
    pub(super) input: &'static MessageTable,
    pub(super) output: &'static MessageTable,
    pub(super) streaming: bool,
}

/// The comments of a file, each under the path of what it belongs to.
#[derive(Default)]
pub(super) struct Comments(pub(super) Vec<Location>);

impl Comments {
    fn add(&mut self, path: &[i32], doc: &str) {
        if doc.is_empty() {
            return;
        }
        let line = |it: &str| match it {
            "" => "\n".to_owned(),
            it => format!(" {it}\n"),
        };
        self.0.push(Location {
            path: path.to_vec(),
            span: vec![0, 0, 0],
            leading_comments: Some(doc.lines().map(line).collect()),
            ..Location::default()
        });
    }
}

/// The descriptor of a message that is the `index`th of its file.
pub(super) fn message(
    declared: &DeclaredMessage,
    index: i32,
    comments: &mut Comments,
) -> DescriptorProto {
    let table = declared.table;
    let at = [OF_MESSAGE, index];
    comments.add(&at, table.doc);
    let mut made = DescriptorProto {
        name: Some(table.short_name().to_owned()),
        ..DescriptorProto::default()
    };
    for ((name, doc), index) in declared.oneofs.iter().zip(0..) {
        made.oneof_decl.push(oneof((*name).to_owned()));
        comments.add(&[&at[..], &[OF_ONEOF, index]].concat(), doc);
    }
    for (declared, index) in table.fields.iter().zip(0..) {
        comments.add(&[&at[..], &[OF_FIELD, index]].concat(), declared.doc);
        let mut field = field(declared);
        if let Label::Map(key) = declared.label {
            let entry = entry(declared, key);
            field.r#type = Some(Type::Message.into());
            field.type_name = Some(format!(".{}.{}", table.name, entry.name()));
            made.nested_type.push(entry);
        }
        if is_optional(declared) {
            // What tells apart unset and default is a oneof with one member.
            field.proto3_optional = Some(true);
            field.oneof_index = i32::try_from(made.oneof_decl.len()).ok();
            made.oneof_decl.push(oneof(format!("_{}", declared.name)));
        }
        made.field.push(field);
    }
    made
}

fn oneof(name: String) -> OneofDescriptorProto {
    OneofDescriptorProto {
        name: Some(name),
        ..OneofDescriptorProto::default()
    }
}

/// Whether it is written `optional`: messages know by themselves that they are there.
fn is_optional(field: &FieldTable) -> bool {
    field.label == Label::Explicit && field.oneof.is_none() && field.kind.message().is_none()
}

fn field(declared: &FieldTable) -> FieldDescriptorProto {
    let count = match declared.label {
        Label::Repeated { .. } | Label::Map(_) => Count::Repeated,
        Label::Required => Count::Required,
        Label::Implicit | Label::Explicit => Count::Optional,
    };
    let (ty, name) = type_of(declared.kind);
    FieldDescriptorProto {
        name: Some(declared.name.to_owned()),
        number: i32::try_from(declared.number).ok(),
        label: Some(count.into()),
        r#type: Some(ty.into()),
        type_name: name,
        json_name: Some(declared.json.to_owned()),
        oneof_index: declared.oneof.map(i32::from),
        ..FieldDescriptorProto::default()
    }
}

/// The message of key and value that a map is a list of.
fn entry(map: &FieldTable, key: Scalar) -> DescriptorProto {
    let part = |number, name: &'static str, kind| {
        field(&FieldTable {
            number,
            name,
            json: name,
            doc: "",
            label: Label::Implicit,
            kind,
            oneof: None,
        })
    };
    let words = map.name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    DescriptorProto {
        name: Some(words.collect::<String>() + "Entry"),
        field: vec![
            part(1, "key", Kind::Scalar(key)),
            part(2, "value", map.kind),
        ],
        options: Some(MessageOptions {
            map_entry: Some(true),
            ..MessageOptions::default()
        }),
        ..DescriptorProto::default()
    }
}

fn type_of(kind: Kind) -> (Type, Option<String>) {
    let named = |name: &str| Some(format!(".{name}"));
    match kind {
        Kind::Scalar(scalar) => (scalar_type(scalar), None),
        Kind::Enum(table) => (Type::Enum, named(table.name)),
        Kind::NullValue => (Type::Enum, named("google.protobuf.NullValue")),
        Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => {
            (Type::Message, kind.message().and_then(|it| named(it.name)))
        }
    }
}

fn scalar_type(scalar: Scalar) -> Type {
    match scalar {
        Scalar::Double => Type::Double,
        Scalar::Float => Type::Float,
        Scalar::Int32 => Type::Int32,
        Scalar::Int64 => Type::Int64,
        Scalar::Uint32 => Type::Uint32,
        Scalar::Uint64 => Type::Uint64,
        Scalar::Sint32 => Type::Sint32,
        Scalar::Sint64 => Type::Sint64,
        Scalar::Fixed32 => Type::Fixed32,
        Scalar::Fixed64 => Type::Fixed64,
        Scalar::Sfixed32 => Type::Sfixed32,
        Scalar::Sfixed64 => Type::Sfixed64,
        Scalar::Bool => Type::Bool,
        Scalar::String => Type::String,
        Scalar::Bytes => Type::Bytes,
    }
}

/// The descriptor of an enum that is the `index`th of its file.
pub(super) fn enumeration(
    declared: &DeclaredEnum,
    index: i32,
    comments: &mut Comments,
) -> EnumDescriptorProto {
    let table = declared.table;
    let at = [OF_ENUM, index];
    comments.add(&at, table.doc);
    for (doc, index) in declared.docs.iter().zip(0..) {
        comments.add(&[&at[..], &[OF_VALUE, index]].concat(), doc);
    }
    let value = |(name, number): &(&str, i32)| EnumValueDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(*number),
        ..EnumValueDescriptorProto::default()
    };
    EnumDescriptorProto {
        name: Some(short(table.name).to_owned()),
        value: table.values.iter().map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

/// The descriptor of a service.
pub(super) fn service(full_name: &str, rpcs: &[DeclaredRpc]) -> ServiceDescriptorProto {
    let method = |rpc: &DeclaredRpc| MethodDescriptorProto {
        name: Some(rpc.name.clone()),
        input_type: Some(format!(".{}", rpc.input.name)),
        output_type: Some(format!(".{}", rpc.output.name)),
        server_streaming: rpc.streaming.then_some(true),
        ..MethodDescriptorProto::default()
    };
    ServiceDescriptorProto {
        name: Some(short(full_name).to_owned()),
        method: rpcs.iter().map(method).collect(),
        ..ServiceDescriptorProto::default()
    }
}

/// The last segment of a full name.
fn short(full_name: &str) -> &str {
    full_name
        .rsplit_once('.')
        .map_or(full_name, |(_, short)| short)
}
