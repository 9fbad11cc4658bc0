//! A oneof: an enum with a variant for each of its fields. Its `Debug` cuts what is long, as that of
//! messages does.

use super::docs;
use super::paths::{Scope, codec};
use super::text::Text;
use crate::model::{Message, Scalar, Type};
use crate::names;

/// The path of a group's type, as seen from its message.
pub(super) fn path(message: &Message, index: usize) -> String {
    let name = type_name(message, index);
    format!("{}::{name}", message.module)
}

/// The group's name, unless a type beside it is called the same.
fn type_name(message: &Message, index: usize) -> String {
    let name = names::camel(&message.oneofs[index].name);
    let others = message.messages.iter().chain(&message.enums);
    let mut others = others.filter_map(|it| it.rsplit('.').next());
    if others.any(|other| names::camel(other) == name) {
        format!("{name}OneOf")
    } else {
        name
    }
}

/// Writes the type of a group, in the module of its message.
pub(super) fn render(text: &mut Text, scope: &Scope<'_>, message: &Message, index: usize) {
    let name = type_name(message, index);
    let comments = docs::lines(&message.oneofs[index].said.comments);
    text.docs(comments.iter().map(String::as_str));
    let is_cut = message.members(index).any(|it| long(&it.ty).is_some());
    text.line(if is_cut {
        "#[derive(Clone, PartialEq)]"
    } else {
        "#[derive(Clone, Debug, PartialEq)]"
    });
    text.braces(format!("pub enum {name}"), |text| {
        for field in message.members(index) {
            let comments = docs::lines(&field.said.comments);
            text.docs(comments.iter().map(String::as_str));
            text.deprecated(field.said.deprecated);
            let variant = names::camel(&field.name);
            text.line(format!("{variant}({}),", scope.value(field)));
        }
    });
    text.line("");
    text.braces(format!("impl {name}"), |text| {
        functions(text, scope, message, index);
    });
    if is_cut {
        debug(text, message, index, &name);
    }
}

/// What shows a value that may be long; messages cut by themselves.
fn long(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Scalar(Scalar::String) => Some("debug_text"),
        Type::Scalar(Scalar::Bytes) => Some("debug_bytes"),
        _ => None,
    }
}

fn debug(text: &mut Text, message: &Message, index: usize, name: &str) {
    const FMT: &str = "fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result";
    text.line("");
    text.braces(format!("impl ::core::fmt::Debug for {name}"), |text| {
        text.braces(FMT, |text| {
            text.braces("match self", |text| {
                for field in message.members(index) {
                    let variant = names::camel(&field.name);
                    let shown = match long(&field.ty) {
                        Some(function) => format!("&::bridge::__rt::message::{function}(it)"),
                        None => "it".to_owned(),
                    };
                    text.line(format!(
                        "Self::{variant}(it) => f.debug_tuple({variant:?}).field({shown}).finish(),"
                    ));
                }
            });
        });
    });
}

fn functions(text: &mut Text, scope: &Scope<'_>, message: &Message, index: usize) {
    let uses = "use ::bridge::__rt::codec::{self as __codec, Codec as _};";
    let members: Vec<_> = message.members(index).collect();
    let open = "pub(super) fn encode(&self, buf: &mut impl ::bridge::__rt::codec::BufMut)";
    text.braces(open, |text| {
        text.line(uses);
        text.braces("match self", |text| {
            for field in &members {
                let (variant, tag) = (names::camel(&field.name), field.number);
                let codec = codec(&field.ty);
                text.line(format!(
                    "Self::{variant}(it) => __codec::{codec}::encode({tag}, it, buf),"
                ));
            }
        });
    });
    text.line("");
    text.braces("pub(super) fn encoded_len(&self) -> usize", |text| {
        text.line(uses);
        text.braces("match self", |text| {
            for field in &members {
                let (variant, tag) = (names::camel(&field.name), field.number);
                let codec = codec(&field.ty);
                text.line(format!(
                    "Self::{variant}(it) => __codec::{codec}::encoded_len({tag}, it),"
                ));
            }
        });
    });
    text.line("");
    text.block(
        "pub(super) fn merge(",
        ") -> ::bridge::__rt::codec::Merged {",
        |text| {
            text.line(format!("field: &mut {}<Self>,", scope.std("Option")));
            text.line("tag: u32,");
            text.line("wire_type: ::bridge::__rt::codec::WireType,");
            text.line("buf: &mut impl ::bridge::__rt::codec::Buf,");
            text.line("ctx: ::bridge::__rt::codec::DecodeContext,");
        },
    );
    text.indented("}", |text| {
        text.line(uses);
        text.block("let read = match tag {", "};", |text| {
            for field in &members {
                merge_arm(text, &names::camel(&field.name), field.number, &field.ty);
            }
            text.line("_ => return __codec::skip_field(wire_type, tag, buf, ctx),");
        });
        text.line("*field = Some(read);");
        text.line("Ok(())");
    });
}

/// A message that comes again is added to the one that is there; of anything else the last counts.
fn merge_arm(text: &mut Text, variant: &str, tag: u32, ty: &Type) {
    let codec = codec(ty);
    if !matches!(ty, Type::Message(_)) {
        let read = format!("__codec::{codec}::read(wire_type, buf, ctx)?");
        return text.line(format!("{tag} => Self::{variant}({read}),"));
    }
    text.braces(format!("{tag} =>"), |text| {
        text.block("let mut it = match field.take() {", "};", |text| {
            text.line(format!("Some(Self::{variant}(it)) => it,"));
            text.line("_ => ::core::default::Default::default(),");
        });
        text.line(format!(
            "__codec::{codec}::merge(wire_type, &mut it, buf, ctx)?;"
        ));
        text.line(format!("Self::{variant}(it)"));
    });
}
