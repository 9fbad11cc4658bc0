//! What one field adds to the functions of its message: a line each.

use super::oneofs;
use super::paths::{Scope, codec, scalar_codec};
use super::text::quoted;
use crate::model::{Enum, Field, Label, Message, Scalar, Type};
use crate::names;

/// A member of a generated struct.
pub(super) enum Part<'m> {
    Field(&'m Field),
    /// The group with this index.
    Oneof(usize),
}

/// The members of a message's struct: groups are where their first field is.
pub(super) fn in_order_of_declaration(message: &Message) -> Vec<Part<'_>> {
    let mut seen = vec![false; message.oneofs.len()];
    let mut parts = Vec::new();
    for field in &message.fields {
        match field.oneof {
            None => parts.push(Part::Field(field)),
            Some(index) if !std::mem::replace(&mut seen[index], true) => {
                parts.push(Part::Oneof(index));
            }
            Some(_) => {}
        }
    }
    parts
}

/// The statements that write a message, ascending by number as every writer does.
///
/// A group whose numbers have no other field's in between is one statement.
pub(super) fn encode_all(message: &Message) -> Vec<String> {
    let mut fields: Vec<_> = message.fields.iter().collect();
    fields.sort_by_key(|field| field.number);
    let mut lines = Vec::new();
    let mut rest = fields.as_slice();
    while let Some((field, after)) = rest.split_first() {
        let Some(group) = field.oneof else {
            lines.push(encode(field));
            rest = after;
            continue;
        };
        let run = rest.iter().take_while(|it| it.oneof == Some(group)).count();
        let member = names::snake(&message.oneofs[group].name);
        if run == message.members(group).count() {
            lines.push(format!("if let Some(it) = &self.{member} {{"));
            lines.push("    it.encode(buf);".to_owned());
            lines.push("}".to_owned());
        } else {
            for field in &rest[..run] {
                let path = oneofs::path(message, group);
                let variant = names::camel(&field.name);
                lines.push(format!(
                    "if let Some({path}::{variant}(it)) = &self.{member} {{"
                ));
                let (codec, tag) = (codec(&field.ty), field.number);
                lines.push(format!("    __codec::{codec}::encode({tag}, it, buf);"));
                lines.push("}".to_owned());
            }
        }
        rest = &rest[run..];
    }
    lines
}

fn encode(field: &Field) -> String {
    let (function, tag) = (function(field, ""), field.number);
    format!(
        "{function}({tag}, &self.{}, buf);",
        names::snake(&field.name)
    )
}

/// The expression for how many bytes a member takes.
pub(super) fn len(message: &Message, part: &Part<'_>) -> String {
    match part {
        Part::Field(field) => {
            let (function, tag) = (function(field, "_len"), field.number);
            format!("{function}({tag}, &self.{})", names::snake(&field.name))
        }
        Part::Oneof(index) => {
            let member = names::snake(&message.oneofs[*index].name);
            let path = oneofs::path(message, *index);
            format!("self.{member}.as_ref().map_or(0, {path}::encoded_len)")
        }
    }
}

/// The function of the field's kind that writes or measures it.
fn function(field: &Field, suffix: &str) -> String {
    let codec = codec(&field.ty);
    let function = match (field.label, suffix) {
        (Label::Implicit, _) => "implicit",
        (Label::Explicit, _) => "optional",
        (Label::Required { .. }, "_len") => return format!("__codec::{codec}::encoded_len"),
        (Label::Required { .. }, _) => return format!("__codec::{codec}::encode"),
        (Label::Repeated { packed: true }, _) => "packed",
        (Label::Repeated { packed: false }, _) => "repeated",
        (Label::Map(key), _) => {
            let function = if suffix.is_empty() {
                "encode_map"
            } else {
                "map_len"
            };
            return format!("__codec::{function}::<{}>", map_codecs(key, &field.ty));
        }
    };
    format!("__codec::{codec}::{function}{suffix}")
}

fn map_codecs(key: Scalar, value: &Type) -> String {
    let (key, value) = (scalar_codec(key), codec(value));
    let inferred = if matches!(value, "Msg" | "Enum") {
        "<_>"
    } else {
        ""
    };
    format!("__codec::{key}, __codec::{value}{inferred}")
}

/// The arm that reads a member.
pub(super) fn merge(message: &Message, part: &Part<'_>) -> String {
    let field = match part {
        Part::Field(field) => field,
        Part::Oneof(index) => {
            let numbers: Vec<_> = message
                .members(*index)
                .map(|it| it.number.to_string())
                .collect();
            let path = oneofs::path(message, *index);
            let member = names::snake(&message.oneofs[*index].name);
            return format!(
                "{} => {path}::merge(&mut self.{member}, tag, wire_type, buf, ctx),",
                numbers.join(" | ")
            );
        }
    };
    let codec = codec(&field.ty);
    let function = match field.label {
        Label::Implicit | Label::Required { .. } => format!("{codec}::merge"),
        Label::Explicit => format!("{codec}::merge_optional"),
        Label::Repeated { .. } => format!("{codec}::merge_repeated"),
        Label::Map(key) => format!("merge_map::<{}>", map_codecs(key, &field.ty)),
    };
    let (tag, name) = (field.number, names::snake(&field.name));
    format!("{tag} => __codec::{function}(wire_type, &mut self.{name}, buf, ctx),")
}

/// A function that answers the default which the contract states for a field.
pub(super) fn default_getter(scope: &Scope<'_>, field: &Field) -> Option<String> {
    let stated = field.default.as_deref()?;
    let name = names::snake(&field.name);
    let plain = name.trim_start_matches("r#");
    let (ty, body) = match &field.ty {
        Type::Message(_) => return None,
        Type::Enum(full_name) => {
            let found = scope.model().enums.get(full_name)?;
            let value = format!(
                "{}::{}",
                scope.enumeration(full_name),
                constant(found, stated)?
            );
            let ty = scope.enumeration(full_name);
            (ty, format!("self.{name}.unwrap_or({value})"))
        }
        Type::Scalar(Scalar::String) => {
            let text = quoted(stated);
            let body = format!("self.{name}.as_deref().unwrap_or({text})");
            ("&str".to_owned(), body)
        }
        Type::Scalar(Scalar::Bytes) => {
            let body = format!("self.{name}.as_deref().unwrap_or(b\"{}\")", bytes(stated));
            ("&[u8]".to_owned(), body)
        }
        Type::Scalar(scalar) => {
            let ty = scope.value(field);
            (
                ty,
                format!("self.{name}.unwrap_or({})", number(*scalar, stated)?),
            )
        }
    };
    Some(format!(
        "/// `{plain}`, or the default that the contract states for it.\n\
         pub fn {plain}_or_default(&self) -> {ty} {{\n    {body}\n}}"
    ))
}

/// The variant of a constant, which may be an alias of another one.
fn constant(found: &Enum, name: &str) -> Option<String> {
    let number = found.values.iter().find(|it| it.name == name)?.number;
    let first = found.values.iter().find(|it| it.number == number)?;
    Some(names::variant(&found.name, &first.name))
}

fn number(scalar: Scalar, stated: &str) -> Option<String> {
    let ty = match scalar {
        Scalar::Float => "f32",
        Scalar::Double => "f64",
        _ => return Some(stated.to_owned()),
    };
    Some(match stated {
        "inf" => format!("{ty}::INFINITY"),
        "-inf" => format!("{ty}::NEG_INFINITY"),
        "nan" | "-nan" => format!("{ty}::NAN"),
        _ => format!("{:?}", stated.parse::<f64>().ok()?),
    })
}

/// The inside of a byte string literal, from the escapes that descriptors use.
fn bytes(stated: &str) -> String {
    let mut out = String::new();
    let mut rest = stated.bytes().peekable();
    while let Some(byte) = rest.next() {
        let value = match (byte, rest.peek().copied()) {
            (b'\\', Some(digit @ b'0'..=b'7')) => {
                let mut value = 0_u32;
                let mut digit = Some(digit);
                for _ in 0..3 {
                    let Some(octal @ b'0'..=b'7') = digit else {
                        break;
                    };
                    value = value * 8 + u32::from(octal - b'0');
                    rest.next();
                    digit = rest.peek().copied();
                }
                u8::try_from(value & 0xff).unwrap_or_default()
            }
            (b'\\', Some(escape)) => {
                rest.next();
                match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                }
            }
            (byte, _) => byte,
        };
        out.extend(std::ascii::escape_default(value).map(char::from));
    }
    out
}
