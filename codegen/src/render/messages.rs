//! A message: its struct, how it is encoded, its table, and what is inside it.

use super::fields::{self, Part};
use super::paths::{Scope, table_name};
use super::text::{Text, quoted};
use super::{docs, enums, oneofs};
use crate::model::{Label, Message, Model};
use crate::names;

/// Writes a message and the module of the types inside it.
pub(super) fn render(text: &mut Text, scope: &Scope<'_>, message: &Message) {
    let model = scope.model();
    structure(text, scope, message);
    text.line("");
    encoding(text, message);
    defaults(text, scope, message);
    text.line("");
    table(text, scope, message);
    if !message.has_module() {
        return;
    }
    text.line("");
    text.docs([format!(" Types inside [`{}`].", names::camel(&message.name)).as_str()]);
    if message.outer.is_empty() {
        text.quiet();
    }
    text.braces(format!("pub mod {}", message.module), |text| {
        inside(text, model, &scope.inside(message), message);
    });
}

fn inside(text: &mut Text, model: &Model, scope: &Scope<'_>, message: &Message) {
    let mut first = true;
    let mut gap = |text: &mut Text| {
        if !std::mem::take(&mut first) {
            text.line("");
        }
    };
    for index in 0..message.oneofs.len() {
        gap(text);
        oneofs::render(text, scope, message, index);
    }
    for nested in message
        .messages
        .iter()
        .filter_map(|it| model.messages.get(it))
    {
        gap(text);
        render(text, scope, nested);
    }
    for nested in message.enums.iter().filter_map(|it| model.enums.get(it)) {
        gap(text);
        enums::render(text, nested);
    }
}

fn structure(text: &mut Text, scope: &Scope<'_>, message: &Message) {
    let comments = docs::lines(&message.said.comments);
    text.docs(comments.iter().map(String::as_str));
    if message.outer.is_empty() {
        text.quiet();
    }
    text.line("#[derive(Clone, Default, PartialEq)]");
    let name = names::camel(&message.name);
    let parts = fields::in_order_of_declaration(message);
    if parts.is_empty() {
        text.line(format!("pub struct {name} {{}}"));
        return;
    }
    text.braces(format!("pub struct {name}"), |text| {
        for part in parts {
            member(text, scope, message, &part);
        }
    });
}

fn member(text: &mut Text, scope: &Scope<'_>, message: &Message, part: &Part<'_>) {
    let (said, name, ty) = match part {
        Part::Field(field) => (&field.said, &field.name, scope.field(field)),
        Part::Oneof(index) => {
            let group = &message.oneofs[*index];
            let path = oneofs::path(message, *index);
            let ty = format!("{}<{path}>", scope.std("Option"));
            (&group.said, &group.name, ty)
        }
    };
    let comments = docs::lines(&said.comments);
    text.docs(comments.iter().map(String::as_str));
    text.deprecated(said.deprecated);
    text.line(format!("pub {}: {ty},", names::snake(name)));
}

fn encoding(text: &mut Text, message: &Message) {
    let name = names::camel(&message.name);
    let parts = fields::in_order_of_declaration(message);
    let uses = "use ::bridge::__rt::codec::{self as __codec, Codec as _};";
    if message.outer.is_empty() {
        text.line("#[allow(clippy::all, clippy::pedantic, deprecated, unused_imports)]");
    }
    text.braces(
        format!("impl ::bridge::__rt::prost::Message for {name}"),
        |text| {
            let buf = if parts.is_empty() { "_" } else { "buf" };
            let open =
                format!("fn encode_raw(&self, {buf}: &mut impl ::bridge::__rt::codec::BufMut)");
            if parts.is_empty() {
                text.line(format!("{open} {{}}"));
            } else {
                text.braces(open, |text| {
                    text.line(uses);
                    for line in fields::encode_all(message) {
                        text.line(line);
                    }
                });
            }
            text.line("");
            text.braces("fn encoded_len(&self) -> usize", |text| {
                if parts.is_empty() {
                    return text.line("0");
                }
                text.line(uses);
                for (index, part) in parts.iter().enumerate() {
                    let plus = if index == 0 { "" } else { "    + " };
                    text.line(format!("{plus}{}", fields::len(message, part)));
                }
            });
            text.line("");
            merging(text, message);
            text.line("");
            text.line("fn clear(&mut self) {");
            text.line("    *self = Self::default();");
            text.line("}");
            if message.requires {
                text.line("");
                decoding(text);
            }
        },
    );
}

fn merging(text: &mut Text, message: &Message) {
    text.block(
        "fn merge_field(",
        ") -> ::bridge::__rt::codec::Merged {",
        |text| {
            text.line("&mut self,");
            text.line("tag: u32,");
            text.line("wire_type: ::bridge::__rt::codec::WireType,");
            text.line("buf: &mut impl ::bridge::__rt::codec::Buf,");
            text.line("ctx: ::bridge::__rt::codec::DecodeContext,");
        },
    );
    let parts = fields::in_order_of_declaration(message);
    let table = table_name(&message.name);
    text.indented("}", |text| {
        if parts.is_empty() {
            return text.line("::bridge::__rt::codec::skip_field(wire_type, tag, buf, ctx)");
        }
        text.line("use ::bridge::__rt::codec::{self as __codec, Codec as _};");
        let close = format!("}}.map_err(|error| __codec::at(error, &{table}, tag))");
        text.block("match tag {", &close, |text| {
            for part in &parts {
                text.line(fields::merge(message, part));
            }
            text.line("_ => __codec::skip_field(wire_type, tag, buf, ctx),");
        });
    });
}

/// Required fields are looked for before the message is read, over the bytes: only there is a
/// field that is missing apart from one that has its default.
fn decoding(text: &mut Text) {
    let open = "fn decode(buf: impl ::bridge::__rt::codec::Buf) -> \
                ::core::result::Result<Self, ::bridge::__rt::codec::DecodeError>";
    text.braces(open, |text| {
        text.line("::bridge::__rt::message::decode_checked(buf)");
    });
}

/// Functions for the defaults that proto2 fields state.
fn defaults(text: &mut Text, scope: &Scope<'_>, message: &Message) {
    let getters: Vec<String> = message
        .fields
        .iter()
        .filter(|field| field.oneof.is_none() && field.label == Label::Explicit)
        .filter_map(|field| fields::default_getter(scope, field))
        .collect();
    if getters.is_empty() {
        return;
    }
    text.line("");
    if message.outer.is_empty() {
        text.quiet();
    }
    text.braces(format!("impl {}", names::camel(&message.name)), |text| {
        for (index, getter) in getters.iter().enumerate() {
            if index > 0 {
                text.line("");
            }
            getter.lines().for_each(|line| text.line(line));
        }
    });
}

fn table(text: &mut Text, scope: &Scope<'_>, message: &Message) {
    let (name, table) = (names::camel(&message.name), table_name(&message.name));
    let head = format!(
        "{name} as {table}, {}, requires: {}, doc: {};",
        quoted(&message.full_name),
        message.requires,
        quoted(&docs::plain(&message.said.comments)),
    );
    text.braces("::bridge::__rt::describe_message!", |text| {
        text.line(head);
        let mut fields: Vec<_> = message.fields.iter().collect();
        fields.sort_by_key(|field| field.number);
        for field in fields {
            let label = match field.label {
                Label::Implicit => "Label::Implicit".to_owned(),
                Label::Explicit => "Label::Explicit".to_owned(),
                Label::Required { .. } => "Label::Required".to_owned(),
                Label::Repeated { packed } => format!("Label::Repeated {{ packed: {packed} }}"),
                Label::Map(key) => format!("Label::Map(Scalar::{key:?})"),
            };
            let kind = scope.kind(&field.ty);
            let group = match field.oneof {
                Some(index) => format!("Some({index})"),
                None => "None".to_owned(),
            };
            text.line(format!(
                "{} {} {} ({label}, {kind}, {group}) {};",
                field.number,
                quoted(&field.name),
                quoted(&field.json),
                quoted(&docs::plain(&field.said.comments)),
            ));
        }
    });
}
