//! `.proto` text of a `.schema.json` contract.
//!
//! The messages keep the names that the format gives them and have no package, because the names
//! of inner messages are part of the contract hash. So such a file is compiled on its own.
//!
//! Refuses field names that `.proto` cannot write. Invariant: a service by the text and a service
//! by the `.schema.json` file have the same hash and the same bytes.

use std::fmt::Write as _;

use contract::schema::{Cardinality, Field, Message, Schema, Type, camel_case};

use super::proto_options::quoted;
use super::text::marked;
use crate::error::Error;
use crate::load::SchemaFile;

/// The text of a file, with its rpc as the only one of `service`.
pub(crate) fn proto(file: &SchemaFile, service: &str, rpc: &str) -> Result<String, Error> {
    let mut text = format!(
        "// From {}.\n// Compile it on its own: its messages have no package, and another file \
         made like this one\n// has messages of the same names.\nsyntax = \"proto3\";\n",
        file.name
    );
    let mut faults = Vec::new();
    for (section, schema) in [
        ("input", &file.contract.input),
        ("output", &file.contract.output),
    ] {
        for message in in_order(schema) {
            let _ = write!(text, "\nmessage {} {{\n", message.name());
            for field in &message.fields {
                if is_identifier(&field.json_name) {
                    text.push_str(&line(field));
                } else {
                    let message = format!(
                        "field `{}` has a name that .proto cannot write: use letters, digits and \
                         `_`, a letter first",
                        field.json_name
                    );
                    faults.push(file.place(&format!("$.{section}")).fault(message));
                }
            }
            text.push_str("}\n");
        }
    }
    let _ = write!(
        text,
        "\nservice {service} {{\n  rpc {rpc}(.Input) returns (.Output);\n}}\n"
    );
    Error::unless_empty(faults)?;
    Ok(marked(&text))
}

/// The root first, then what is in it.
fn in_order(schema: &Schema) -> impl Iterator<Item = &Message> {
    let others = schema.messages.values();
    let others = others.filter(|it| it.full_name != schema.root);
    std::iter::once(schema.root()).chain(others)
}

fn line(field: &Field) -> String {
    let label = match field.cardinality {
        Cardinality::Repeated => "repeated ",
        _ => "",
    };
    let ty = match &field.ty {
        Type::Scalar(scalar) => scalar.keyword(),
        Type::Message(name) | Type::Enum(name) => name,
    };
    let name = &field.json_name;
    // The format's names are the JSON names as they are.
    let options = if camel_case(name) == *name {
        String::new()
    } else {
        format!(" [json_name = {}]", quoted(name.as_bytes()))
    };
    format!("  {label}{ty} {name} = {}{options};\n", field.number)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
