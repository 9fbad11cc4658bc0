//! Compiled `.proto` messages as schemas.
//!
//! Reads descriptors only; whoever compiled the file reports syntax and name errors. Refuses
//! groups, which have no place in the contract hash.
//!
//! Invariant: the result is closed; a cycle in the types ends because a type is entered once.

use std::collections::BTreeMap;

use prost_reflect::{
    Cardinality as Label, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Syntax, Value,
};

use super::kind::ValueKind;
use super::message_json::camel_case;
use super::model::{
    Cardinality, DefaultValue, Edition, Enum, Field, Message, OneofGroup, Schema, Type,
};

/// Why a message has no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The field is a proto2 group.
    #[error("field `{field}` is a group, which a contract cannot carry: use a message field")]
    Group {
        /// Full name of the field, without a leading dot.
        field: String,
    },
}

/// The schema of one compiled message.
///
/// Map entries become map fields; extensions are left out.
///
/// # Errors
///
/// [`Error::Group`] when the message or one it refers to has a group field.
pub fn from_descriptor(root: &MessageDescriptor) -> Result<Schema, Error> {
    let mut reader = Reader::default();
    reader.want(&Kind::Message(root.clone()));
    while let Some(message) = reader.pending.pop() {
        reader.read(&message)?;
    }
    Ok(Schema {
        root: dotted(root.full_name()),
        messages: reader.messages,
        enums: reader.enums,
    })
}

#[derive(Default)]
struct Reader {
    messages: BTreeMap<String, Message>,
    enums: BTreeMap<String, Enum>,
    pending: Vec<MessageDescriptor>,
}

impl Reader {
    /// Puts a type on the list unless it is known already.
    fn want(&mut self, kind: &Kind) {
        match kind {
            Kind::Message(message) if !self.messages.contains_key(&dotted(message.full_name())) => {
                self.pending.push(message.clone());
            }
            Kind::Enum(found) => {
                self.enums
                    .entry(dotted(found.full_name()))
                    .or_insert_with(|| read_enum(found));
            }
            _ => {}
        }
    }

    fn read(&mut self, message: &MessageDescriptor) -> Result<(), Error> {
        let full_name = dotted(message.full_name());
        if self.messages.contains_key(&full_name) {
            return Ok(());
        }
        let mut declared: Vec<_> = message.fields().collect();
        declared.sort_by_key(|field| field.path().last().copied());
        let fields = declared.iter().map(read_field).collect::<Result<_, _>>()?;
        for field in &declared {
            self.want(&value_kind(field));
        }
        let mut nested = Vec::new();
        for child in message
            .child_messages()
            .filter(|child| !child.is_map_entry())
        {
            nested.push(dotted(child.full_name()));
            self.want(&Kind::Message(child));
        }
        for child in message.child_enums() {
            nested.push(dotted(child.full_name()));
            self.want(&Kind::Enum(child));
        }
        let options = message.descriptor_proto().options.as_ref();
        let shape = Message {
            full_name: full_name.clone(),
            edition: match message.parent_file().syntax() {
                Syntax::Proto2 => Edition::Proto2,
                Syntax::Proto3 => Edition::Proto3,
            },
            deprecated: options.is_some_and(|options| options.deprecated()),
            fields,
            oneofs: read_oneofs(message),
            extensions: message
                .extension_ranges()
                .map(|r| r.start..=r.end - 1)
                .collect(),
            reserved: message
                .reserved_ranges()
                .map(|r| r.start..=r.end - 1)
                .collect(),
            reserved_names: message.reserved_names().map(str::to_owned).collect(),
            nested,
        };
        self.messages.insert(full_name, shape);
        Ok(())
    }
}

fn read_field(field: &FieldDescriptor) -> Result<Field, Error> {
    if field.is_group() {
        return Err(Error::Group {
            field: field.full_name().to_owned(),
        });
    }
    let proto = field.field_descriptor_proto();
    let options = proto.options.as_ref();
    Ok(Field {
        json_name: camel_case(field.name()),
        number: field.number(),
        cardinality: cardinality(field),
        ty: value_type(&value_kind(field)),
        proto3_optional: proto.proto3_optional(),
        deprecated: options.is_some_and(|options| options.deprecated()),
        packed: options.and_then(|options| options.packed),
        default: proto.default_value.as_ref().map(|_| read_default(field)),
    })
}

fn cardinality(field: &FieldDescriptor) -> Cardinality {
    match (field.kind(), field.cardinality()) {
        (Kind::Message(entry), _) if field.is_map() => {
            match ValueKind::from(&entry.map_entry_key_field().kind()) {
                ValueKind::Scalar(key) => Cardinality::Map(key),
                ValueKind::Message(_) | ValueKind::Enum(_) => {
                    unreachable!("a compiled map field has a scalar key")
                }
            }
        }
        (_, Label::Repeated) => Cardinality::Repeated,
        (_, Label::Required) => Cardinality::Required,
        (_, Label::Optional) => Cardinality::Optional,
    }
}

/// The kind of one value: for a map, of the map's values.
fn value_kind(field: &FieldDescriptor) -> Kind {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => entry.map_entry_value_field().kind(),
        kind => kind,
    }
}

fn value_type(kind: &Kind) -> Type {
    match ValueKind::from(kind) {
        ValueKind::Message(message) => Type::Message(dotted(message.full_name())),
        ValueKind::Enum(found) => Type::Enum(dotted(found.full_name())),
        ValueKind::Scalar(scalar) => Type::Scalar(scalar),
    }
}

fn read_default(field: &FieldDescriptor) -> DefaultValue {
    match field.default_value() {
        Value::Bool(value) => DefaultValue::Literal(value.to_string()),
        Value::I32(value) => DefaultValue::Literal(value.to_string()),
        Value::I64(value) => DefaultValue::Literal(value.to_string()),
        Value::U32(value) => DefaultValue::Literal(value.to_string()),
        Value::U64(value) => DefaultValue::Literal(value.to_string()),
        Value::F32(value) if value.is_finite() => DefaultValue::Literal(value.to_string()),
        Value::F64(value) if value.is_finite() => DefaultValue::Literal(value.to_string()),
        value => {
            let stated = field.field_descriptor_proto().default_value();
            DefaultValue::Text(default_text(&value, stated))
        }
    }
}

/// The default that a descriptor states, in the one way that compilers write it: a set may say the
/// same number, or the same bytes, in another.
#[must_use]
pub fn default_text(value: &Value, stated: &str) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string().to_ascii_lowercase(),
        Value::F64(value) => value.to_string().to_ascii_lowercase(),
        Value::Bytes(value) => value.iter().map(|it| escaped(*it)).collect(),
        // Text, and the names of constants.
        _ => stated.to_owned(),
    }
}

/// A byte as descriptors escape it.
fn escaped(byte: u8) -> String {
    match byte {
        b'\n' => "\\n".to_owned(),
        b'\r' => "\\r".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'"' | b'\'' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03o}"),
    }
}

fn read_oneofs(message: &MessageDescriptor) -> Vec<OneofGroup> {
    message
        .oneofs()
        .map(|group| OneofGroup {
            json_name: oneof_name(group.name()),
            members: group.fields().map(|field| field.number()).collect(),
            synthetic: group.is_synthetic(),
        })
        .collect()
}

/// A synthetic group is called `_` and the field; the rest of both kinds is camelCase.
fn oneof_name(name: &str) -> String {
    match name.strip_prefix('_') {
        Some(field) => format!("_{}", camel_case(field)),
        None => camel_case(name),
    }
}

fn read_enum(found: &EnumDescriptor) -> Enum {
    let mut values: Vec<_> = found.values().collect();
    values.sort_by_key(|value| value.path().last().copied());
    Enum {
        full_name: dotted(found.full_name()),
        values: values
            .iter()
            .map(|value| (value.name().to_owned(), value.number()))
            .collect(),
    }
}

fn dotted(full_name: &str) -> String {
    format!(".{full_name}")
}
