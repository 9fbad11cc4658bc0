//! Tables of the well-known messages: those of `google.protobuf` that JSON writes in a way of
//! their own.
//!
//! Invariant: numbers and names are those of the files that every protobuf installation ships.

use prost_types as types;

use super::table::{Described, FieldTable, Form, Kind, Label, MessageTable, Scalar};

const fn field(number: u32, name: &'static str, json: &'static str, kind: Kind) -> FieldTable {
    FieldTable {
        number,
        name,
        json,
        doc: "",
        label: Label::Implicit,
        kind,
        oneof: None,
    }
}

const fn labelled(label: Label, field: FieldTable) -> FieldTable {
    FieldTable { label, ..field }
}

/// A member of `Value`'s oneof.
const fn member(number: u32, name: &'static str, json: &'static str, kind: Kind) -> FieldTable {
    FieldTable {
        oneof: Some(0),
        ..labelled(Label::Explicit, field(number, name, json, kind))
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal, $form:ident, [$($field:expr),* $(,)?];)+) => {
        $($(#[$doc])*
        pub static $table: MessageTable = MessageTable {
            name: concat!("google.protobuf.", $name),
            doc: "",
            form: Form::$form,
            requires: false,
            fields: &[$($field),*],
        };)+

        /// The table of a well-known message, by its full name without a leading dot.
        #[must_use]
        pub fn find(full_name: &str) -> Option<&'static MessageTable> {
            let short = full_name.strip_prefix("google.protobuf.")?;
            match short {
                $($name => Some(&$table),)+
                _ => None,
            }
        }
    };
}

const fn value_of(scalar: Scalar) -> FieldTable {
    field(1, "value", "value", Kind::Scalar(scalar))
}

const LIST: Label = Label::Repeated { packed: false };

tables! {
    /// `google.protobuf.Timestamp`
    TIMESTAMP = "Timestamp", Timestamp, [
        field(1, "seconds", "seconds", Kind::Scalar(Scalar::Int64)),
        field(2, "nanos", "nanos", Kind::Scalar(Scalar::Int32)),
    ];
    /// `google.protobuf.Duration`
    DURATION = "Duration", Duration, [
        field(1, "seconds", "seconds", Kind::Scalar(Scalar::Int64)),
        field(2, "nanos", "nanos", Kind::Scalar(Scalar::Int32)),
    ];
    /// `google.protobuf.FieldMask`
    FIELD_MASK = "FieldMask", FieldMask, [
        labelled(LIST, field(1, "paths", "paths", Kind::Scalar(Scalar::String))),
    ];
    /// `google.protobuf.Struct`
    STRUCT = "Struct", Only, [
        labelled(Label::Map(Scalar::String), field(1, "fields", "fields", Kind::Message(&VALUE))),
    ];
    /// `google.protobuf.Value`
    VALUE = "Value", Value, [
        member(1, "null_value", "nullValue", Kind::NullValue),
        member(2, "number_value", "numberValue", Kind::Scalar(Scalar::Double)),
        member(3, "string_value", "stringValue", Kind::Scalar(Scalar::String)),
        member(4, "bool_value", "boolValue", Kind::Scalar(Scalar::Bool)),
        member(5, "struct_value", "structValue", Kind::Message(&STRUCT)),
        member(6, "list_value", "listValue", Kind::Message(&LIST_VALUE)),
    ];
    /// `google.protobuf.ListValue`
    LIST_VALUE = "ListValue", Only, [
        labelled(LIST, field(1, "values", "values", Kind::Message(&VALUE))),
    ];
    /// `google.protobuf.Any`
    ANY = "Any", Any, [
        field(1, "type_url", "typeUrl", Kind::Scalar(Scalar::String)),
        field(2, "value", "value", Kind::Scalar(Scalar::Bytes)),
    ];
    /// `google.protobuf.Empty`
    EMPTY = "Empty", Fields, [];
    /// `google.protobuf.DoubleValue`
    DOUBLE_VALUE = "DoubleValue", Only, [value_of(Scalar::Double)];
    /// `google.protobuf.FloatValue`
    FLOAT_VALUE = "FloatValue", Only, [value_of(Scalar::Float)];
    /// `google.protobuf.Int64Value`
    INT64_VALUE = "Int64Value", Only, [value_of(Scalar::Int64)];
    /// `google.protobuf.UInt64Value`
    UINT64_VALUE = "UInt64Value", Only, [value_of(Scalar::Uint64)];
    /// `google.protobuf.Int32Value`
    INT32_VALUE = "Int32Value", Only, [value_of(Scalar::Int32)];
    /// `google.protobuf.UInt32Value`
    UINT32_VALUE = "UInt32Value", Only, [value_of(Scalar::Uint32)];
    /// `google.protobuf.BoolValue`
    BOOL_VALUE = "BoolValue", Only, [value_of(Scalar::Bool)];
    /// `google.protobuf.StringValue`
    STRING_VALUE = "StringValue", Only, [value_of(Scalar::String)];
    /// `google.protobuf.BytesValue`
    BYTES_VALUE = "BytesValue", Only, [value_of(Scalar::Bytes)];
}

macro_rules! described {
    ($($ty:ty = $table:ident),+ $(,)?) => {
        $(impl Described for $ty {
            const TABLE: &'static MessageTable = &$table;
        })+
    };
}

// The plain types are how prost shows the wrappers.
described! {
    types::Timestamp = TIMESTAMP, types::Duration = DURATION, types::FieldMask = FIELD_MASK,
    types::Struct = STRUCT, types::Value = VALUE, types::ListValue = LIST_VALUE,
    types::Any = ANY, () = EMPTY, f64 = DOUBLE_VALUE, f32 = FLOAT_VALUE, i64 = INT64_VALUE,
    u64 = UINT64_VALUE, i32 = INT32_VALUE, u32 = UINT32_VALUE, bool = BOOL_VALUE,
    String = STRING_VALUE, Vec<u8> = BYTES_VALUE, bytes::Bytes = BYTES_VALUE,
}
