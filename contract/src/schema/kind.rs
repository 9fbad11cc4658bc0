//! What a field of a compiled file holds, with its scalars under our names: the one list of them.

use prost_reflect::{EnumDescriptor, Kind, MessageDescriptor};

use crate::scalar::Scalar;

/// What one value of a field is.
#[derive(Clone, Copy, Debug)]
pub enum ValueKind<'k> {
    /// A scalar.
    Scalar(Scalar),
    /// A message.
    Message(&'k MessageDescriptor),
    /// An enum.
    Enum(&'k EnumDescriptor),
}

impl<'k> From<&'k Kind> for ValueKind<'k> {
    fn from(kind: &'k Kind) -> Self {
        Self::Scalar(match kind {
            Kind::Message(message) => return Self::Message(message),
            Kind::Enum(found) => return Self::Enum(found),
            Kind::Double => Scalar::Double,
            Kind::Float => Scalar::Float,
            Kind::Int32 => Scalar::Int32,
            Kind::Int64 => Scalar::Int64,
            Kind::Uint32 => Scalar::Uint32,
            Kind::Uint64 => Scalar::Uint64,
            Kind::Sint32 => Scalar::Sint32,
            Kind::Sint64 => Scalar::Sint64,
            Kind::Fixed32 => Scalar::Fixed32,
            Kind::Fixed64 => Scalar::Fixed64,
            Kind::Sfixed32 => Scalar::Sfixed32,
            Kind::Sfixed64 => Scalar::Sfixed64,
            Kind::Bool => Scalar::Bool,
            Kind::String => Scalar::String,
            Kind::Bytes => Scalar::Bytes,
        })
    }
}
