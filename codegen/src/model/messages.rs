//! Messages of compiled files.
//!
//! Groups are left out and reported: they have no form in a contract, and a decoder passes over
//! what it does not know.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use contract::schema::{ValueKind, camel_case, default_text};

use super::{Field, Label, Message, Model, Oneof, Origin, Type, enums, options};
use crate::load::{SourceFile, tag};
use crate::names;

/// Reads a message and what is inside it into the model.
///
/// `at` is its place in `file`, `outer` the names around it.
pub(super) fn read(
    model: &mut Model,
    file: &SourceFile,
    declared: &MessageDescriptor,
    at: &[i32],
    outer: &[String],
) {
    let proto = declared.descriptor_proto();
    let mut inside = outer.to_vec();
    inside.push(declared.name().to_owned());
    let mut messages = Vec::new();
    for child in declared.child_messages() {
        if child.is_map_entry() {
            continue;
        }
        let at = [at, &[tag::NESTED_MESSAGE, last(child.path())]].concat();
        read(model, file, &child, &at, &inside);
        messages.push(child.full_name().to_owned());
    }
    let mut nested_enums = Vec::new();
    for (child, index) in proto.enum_type.iter().zip(0..) {
        let at = [at, &[tag::NESTED_ENUM, index]].concat();
        let read = enums::read(file, child, &at, &inside);
        nested_enums.push(read.full_name.clone());
        model.enums.insert(read.full_name.clone(), read);
    }
    let options = proto.options.as_ref();
    let (oneofs, groups) = oneofs(file, declared, at);
    let message = Message {
        name: declared.name().to_owned(),
        full_name: declared.full_name().to_owned(),
        package: file.package().to_owned(),
        outer: outer.to_vec(),
        origin: origin(file, declared),
        module: names::snake(declared.name()),
        fields: fields(model, file, declared, at, &groups),
        oneofs,
        messages,
        enums: nested_enums,
        reserved: declared
            .reserved_ranges()
            .map(|range| range.start..=range.end.saturating_sub(1))
            .collect(),
        reserved_names: declared.reserved_names().map(str::to_owned).collect(),
        requires: false,
        said: file.said(at, options.is_some_and(|it| it.deprecated())),
    };
    model.messages.insert(message.full_name.clone(), message);
}

fn origin(file: &SourceFile, declared: &MessageDescriptor) -> Origin {
    if file.is_well_known() {
        return Origin::WellKnown;
    }
    match declared.parent_file().syntax() {
        prost_reflect::Syntax::Proto2 => Origin::Proto2,
        prost_reflect::Syntax::Proto3 => Origin::Proto3,
    }
}

/// The declared groups, and for each group of the descriptor its place among them.
fn oneofs(
    file: &SourceFile,
    declared: &MessageDescriptor,
    at: &[i32],
) -> (Vec<Oneof>, Vec<Option<usize>>) {
    let mut oneofs = Vec::new();
    let mut places = vec![None; declared.descriptor_proto().oneof_decl.len()];
    let mut groups: Vec<_> = declared.oneofs().collect();
    groups.sort_by_key(|group| last(group.path()));
    for group in groups.iter().filter(|group| !group.is_synthetic()) {
        let index = last(group.path());
        if let Ok(index) = usize::try_from(index) {
            places[index] = Some(oneofs.len());
        }
        oneofs.push(Oneof {
            name: group.name().to_owned(),
            said: file.said(&[at, &[tag::ONEOF, index]].concat(), false),
        });
    }
    (oneofs, places)
}

fn fields(
    model: &mut Model,
    file: &SourceFile,
    declared: &MessageDescriptor,
    at: &[i32],
    groups: &[Option<usize>],
) -> Vec<Field> {
    let mut declared: Vec<_> = declared.fields().collect();
    declared.sort_by_key(|field| last(field.path()));
    let mut fields = Vec::with_capacity(declared.len());
    for field in &declared {
        let at = [at, &[tag::FIELD, last(field.path())]].concat();
        if field.is_group() {
            let text = format!(
                "field `{}` is a group, which a contract cannot carry: use a message field",
                field.full_name()
            );
            model.unsupported.push(file.place(&at).fault(text));
            continue;
        }
        let proto = field.field_descriptor_proto();
        let group = proto.oneof_index.and_then(|it| usize::try_from(it).ok());
        let options = proto.options.as_ref();
        fields.push(Field {
            name: field.name().to_owned(),
            json: json_name(field),
            number: field.number(),
            label: label(field),
            ty: value_type(&value_kind(field)),
            oneof: group.and_then(|group| groups.get(group).copied().flatten()),
            default: proto
                .default_value
                .as_deref()
                .map(|stated| default_text(&field.default_value(), stated)),
            boxed: false,
            said: file.said(&at, options.is_some_and(|it| it.deprecated())),
        });
    }
    fields
}

/// The compiler fills in the usual name; what a person wrote instead of it stays.
fn json_name(field: &FieldDescriptor) -> String {
    match field.json_name() {
        "" => camel_case(field.name()),
        name => name.to_owned(),
    }
}

fn label(field: &FieldDescriptor) -> Label {
    use prost_reflect::Cardinality;

    if let (Kind::Message(entry), true) = (field.kind(), field.is_map()) {
        return match ValueKind::from(&entry.map_entry_key_field().kind()) {
            ValueKind::Scalar(key) => Label::Map(key),
            ValueKind::Message(_) | ValueKind::Enum(_) => {
                unreachable!("a compiled map field has a scalar key")
            }
        };
    }
    match field.cardinality() {
        Cardinality::Repeated => Label::Repeated {
            packed: is_packed(field),
        },
        Cardinality::Required => Label::Required { keyword: true },
        Cardinality::Optional if is_required_message(field) => Label::Required { keyword: false },
        Cardinality::Optional if field.supports_presence() => Label::Explicit,
        Cardinality::Optional => Label::Implicit,
    }
}

/// What the option says, else what the syntax does.
fn is_packed(field: &FieldDescriptor) -> bool {
    let options = field.field_descriptor_proto().options.as_ref();
    let packable = !matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Message(_));
    let usual = field.parent_file().syntax() == prost_reflect::Syntax::Proto3;
    packable && options.and_then(|it| it.packed).unwrap_or(usual)
}

/// Whether an option asks for a message that has no default to stand for it.
fn is_required_message(field: &FieldDescriptor) -> bool {
    field.kind().as_message().is_some()
        && field.containing_oneof().is_none()
        && options::is_required(field)
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
        ValueKind::Message(message) => Type::Message(message.full_name().to_owned()),
        ValueKind::Enum(found) => Type::Enum(found.full_name().to_owned()),
        ValueKind::Scalar(scalar) => Type::Scalar(scalar),
    }
}

/// The place of a declaration among its siblings.
fn last(path: &[i32]) -> i32 {
    path.last().copied().unwrap_or_default()
}
