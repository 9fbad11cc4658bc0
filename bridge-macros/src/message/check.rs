//! The rules of messages and oneofs, one function per rule.
//!
//! Refuses what no `.proto` file could say, and types that are spelt like something that cannot
//! travel.
//!
//! Invariant: what is returned has different numbers, names and JSON names if nothing was noted.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{LitStr, Type};

use crate::diag::{Code, Diag};

use super::parse::{Body, Declared, Member, Number};
use super::{names, types};

/// The highest number of a field.
const NUMBER_MAX: i64 = (1 << 29) - 1;
/// Numbers that protobuf keeps for itself.
const RESERVED: std::ops::RangeInclusive<i64> = 19_000..=19_999;
/// Kinds of integers, and what each is called in Rust.
const KINDS: [(&str, &str); 7] = [
    ("sint32", "Sint32"),
    ("sint64", "Sint64"),
    ("fixed32", "Fixed32"),
    ("fixed64", "Fixed64"),
    ("sfixed32", "Sfixed32"),
    ("sfixed64", "Sfixed64"),
    ("wrapper", "Wrapper"),
];
/// A field, or a member of a oneof.
pub(super) struct Field<'d> {
    pub(super) ident: &'d Ident,
    pub(super) ty: &'d Type,
    pub(super) doc: &'d str,
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) json: String,
    /// The kinds of its values and of its keys, below `codec`.
    pub(super) kind: Ident,
    pub(super) key: Ident,
}

/// A field that holds a oneof.
pub(super) struct Group<'d> {
    /// What names it, where it is not its field.
    name_at: Option<&'d LitStr>,
    pub(super) ident: &'d Ident,
    /// What is in its `Option`.
    pub(super) ty: &'d Type,
    pub(super) doc: &'d str,
    pub(super) name: String,
}

/// A message that follows the rules.
pub(super) struct Message<'d> {
    pub(super) package: String,
    pub(super) name: String,
    pub(super) fields: Vec<Field<'d>>,
    pub(super) oneofs: Vec<Group<'d>>,
}

/// Applies every rule of a message.
pub(super) fn message<'d>(diag: &Diag, declared: &'d Declared) -> Option<Message<'d>> {
    is_concrete(diag, declared);
    let full = full_name(diag, declared);
    let Body::Struct(members) = &declared.body else {
        let text = format!(
            "`{}` is no struct with named fields, as a message is; for one of several fields derive \
             `bridge::Oneof`, for names of numbers `bridge::Enumeration`",
            declared.ident
        );
        diag.error(Code::MessageShape, shape_at(declared), text);
        return None;
    };
    let (groups, plain): (Vec<_>, Vec<_>) = members.iter().partition(|it| is_oneof(it));
    let oneofs: Vec<_> = groups.iter().filter_map(|it| group(diag, it)).collect();
    let fields: Vec<_> = plain
        .iter()
        .filter_map(|it| {
            let spelt = it.ident.unraw().to_string();
            let ty = it.types.first()?;
            if declared.generics.params.is_empty() {
                types::field(diag, ty);
            }
            field(diag, it, ty, spelt)
        })
        .collect();
    are_different(diag, members, &fields);
    oneofs_have_names_of_their_own(diag, &fields, &oneofs);
    let (package, name) = full?;
    Some(Message {
        package,
        name,
        fields,
        oneofs,
    })
}

/// Applies every rule of a oneof.
pub(super) fn oneof<'d>(diag: &Diag, declared: &'d Declared) -> Option<Vec<Field<'d>>> {
    is_concrete(diag, declared);
    let members = variants(
        diag,
        declared,
        "a oneof has a variant for each of its fields",
    )?;
    if members.is_empty() {
        let text = format!(
            "`{}` has no variant; a oneof has at least one field",
            declared.ident
        );
        diag.error(Code::MessageOneof, &declared.ident, text);
    }
    let mut fields = Vec::new();
    for member in members {
        let [ty] = member.types.as_slice() else {
            one_value(diag, member);
            continue;
        };
        if member.is_named {
            one_value(diag, member);
            continue;
        }
        if declared.generics.params.is_empty() {
            types::value_of(diag, ty);
        }
        let spelt = names::field(&member.ident.unraw().to_string());
        fields.extend(field(diag, member, ty, spelt));
    }
    are_different(diag, members, &fields);
    Some(fields)
}

pub(super) fn is_concrete(diag: &Diag, declared: &Declared) {
    if !declared.generics.params.is_empty() {
        let text = format!(
            "`{}` is generic; a contract names every type, so write it out for each",
            declared.ident
        );
        diag.error(Code::MessageGeneric, &declared.generics, text);
    }
}

/// The package and the name in it.
pub(super) fn full_name(diag: &Diag, declared: &Declared) -> Option<(String, String)> {
    let name = match &declared.name {
        Some(name) => identifier(diag, name),
        None => own_name(diag, &declared.ident, declared.ident.unraw().to_string()),
    };
    let Some(package) = &declared.package else {
        let text = format!(
            "`{}` has no package; say it as `#[bridge(package = \"shop.orders.v1\")]`",
            declared.ident
        );
        diag.error(Code::MessageName, &declared.ident, text);
        return None;
    };
    if package.value().split('.').all(names::is_identifier) {
        return Some((package.value(), name?));
    }
    let text = "is no package; write names with dots in between, such as `shop.orders.v1`";
    let text = format!("`{}` {text}", package.value());
    diag.error(Code::MessageName, package, text);
    None
}

pub(super) fn identifier(diag: &Diag, name: &LitStr) -> Option<String> {
    let text = name.value();
    if names::is_identifier(&text) {
        return Some(text);
    }
    let text =
        format!("`{text}` is no name of a contract: letters, digits and `_`, a letter first");
    diag.error(Code::MessageName, name, text);
    None
}

/// A name that comes from Rust.
pub(super) fn own_name(diag: &Diag, ident: &Ident, spelt: String) -> Option<String> {
    if names::is_identifier(&spelt) {
        return Some(spelt);
    }
    let text = format!(
        "`{spelt}` is no name of a contract: letters, digits and `_`, a letter first; say another \
         one as `name = \"…\"`"
    );
    diag.error(Code::MessageName, ident, text);
    None
}

fn shape_at(declared: &Declared) -> TokenStream {
    match &declared.body {
        Body::Other(tokens) => tokens.clone(),
        Body::Struct(_) | Body::Enum(_) => declared.ident.to_token_stream(),
    }
}

pub(super) fn variants<'d>(
    diag: &Diag,
    declared: &'d Declared,
    what: &str,
) -> Option<&'d [Member]> {
    if let Body::Enum(members) = &declared.body {
        return Some(members);
    }
    let text = format!(
        "`{}` is not an enum; {what}; for a message derive `bridge::Message`",
        declared.ident
    );
    diag.error(Code::MessageShape, shape_at(declared), text);
    None
}

fn is_oneof(member: &Member) -> bool {
    member.flags.iter().any(|it| it == "oneof")
}

fn group<'d>(diag: &Diag, member: &'d Member) -> Option<Group<'d>> {
    let others = member.flags.iter().filter(|it| *it != "oneof");
    let others = others.map(ToTokens::to_token_stream);
    let texts = [&member.json, &member.key].into_iter().flatten();
    let number = member.number.iter().map(|it| it.tokens.clone());
    let mut beside = number
        .chain(others)
        .chain(texts.map(ToTokens::to_token_stream));
    if let Some(beside) = beside.next() {
        let text =
            "a oneof has no number, no JSON name and no kind: its variants have; leave this out";
        diag.error(Code::MessageOneof, beside, text);
        return None;
    }
    let ty = member.types.first()?;
    let Some(held) = types::optional(ty) else {
        let text = "a oneof is an `Option` of an enum below `#[derive(bridge::Oneof)]`: none of its \
                    fields may be there";
        diag.error(Code::MessageOneof, ty, text);
        return None;
    };
    Some(Group {
        name_at: member.name.as_ref(),
        ident: &member.ident,
        ty: held,
        doc: &member.doc,
        name: match &member.name {
            Some(name) => identifier(diag, name),
            None => own_name(diag, &member.ident, member.ident.unraw().to_string()),
        }?,
    })
}

fn one_value(diag: &Diag, member: &Member) {
    let text = format!(
        "`{}` does not hold one value without a name; write `{}(Type)`",
        member.ident, member.ident
    );
    diag.error(Code::MessageOneof, &member.ident, text);
}

fn field<'d>(diag: &Diag, member: &'d Member, ty: &'d Type, spelt: String) -> Option<Field<'d>> {
    let number = field_number(diag, member);
    let kind = kind(diag, &member.flags);
    let key = key(diag, member.key.as_ref());
    let name = match &member.name {
        Some(name) => identifier(diag, name),
        None => own_name(diag, &member.ident, spelt),
    }?;
    Some(Field {
        ident: &member.ident,
        ty,
        doc: &member.doc,
        number: number?,
        json: match &member.json {
            Some(json) => json_name(diag, json),
            None => Some(names::json(&name)),
        }?,
        name,
        kind: kind?,
        key: key?,
    })
}

/// JSON takes nearly everything as a key; what begins with a bracket means an extension there.
fn json_name(diag: &Diag, json: &LitStr) -> Option<String> {
    let name = json.value();
    if !name.is_empty() && !name.starts_with('[') && !name.contains(char::is_control) {
        return Some(name);
    }
    let text = format!(
        "`{}` is no JSON name of a field: write letters, not in brackets",
        name.escape_debug()
    );
    diag.error(Code::MessageName, json, text);
    None
}

fn field_number(diag: &Diag, member: &Member) -> Option<u32> {
    let Some(written) = &member.number else {
        let text = format!(
            "`{}` has no number; give it one that no other field has or had, as `#[bridge(1)]`",
            member.ident
        );
        diag.error(Code::MessageNumberMissing, &member.ident, text);
        return None;
    };
    let number = whole(written).filter(|it| (1..=NUMBER_MAX).contains(it));
    let Some(number) = number.filter(|it| !RESERVED.contains(it)) else {
        let text = format!(
            "`{}` is no number of a field; take one from 1 to 536870911, but for 19000 to 19999, \
             which protobuf keeps for itself",
            shown(written)
        );
        diag.error(Code::MessageNumber, &written.tokens, text);
        return None;
    };
    u32::try_from(number).ok()
}

pub(super) fn shown(number: &Number) -> String {
    let sign = if number.is_negative { "-" } else { "" };
    format!("{sign}{}", number.literal)
}

pub(super) fn whole(number: &Number) -> Option<i64> {
    let digits: i64 = number.literal.base10_parse().ok()?;
    Some(if number.is_negative { -digits } else { digits })
}

/// What says how a value is written.
fn kind(diag: &Diag, flags: &[Ident]) -> Option<Ident> {
    if let [first, second, ..] = flags {
        let text = format!("`{first}` and `{second}` are two kinds of value; keep one");
        diag.error(Code::MessageKind, second, text);
        return None;
    }
    let flag = flags.first();
    let known = KINDS
        .iter()
        .find(|(word, _)| flag.is_some_and(|it| it == word));
    let span = flag.map_or_else(proc_macro2::Span::call_site, Ident::span);
    Some(Ident::new(known.map_or("ByType", |(_, kind)| kind), span))
}

fn key(diag: &Diag, key: Option<&LitStr>) -> Option<Ident> {
    let Some(key) = key else {
        return Some(Ident::new("ByType", proc_macro2::Span::call_site()));
    };
    let word = key.value();
    let known = KINDS.iter().filter(|(word, _)| *word != "wrapper");
    let Some((_, kind)) = known.clone().find(|(it, _)| *it == word) else {
        let all: Vec<_> = known.map(|(word, _)| format!("`{word}`")).collect();
        let text = format!(
            "`{word}` is no kind of key; take one of {}, or leave it out",
            all.join(", ")
        );
        diag.error(Code::MessageKind, key, text);
        return None;
    };
    Some(Ident::new(kind, key.span()))
}

/// Two fields have different numbers, names and JSON names.
fn are_different(diag: &Diag, members: &[Member], fields: &[Field<'_>]) {
    let member_of = |field: &Field<'_>| members.iter().find(|it| it.ident == *field.ident);
    for (index, field) in fields.iter().enumerate() {
        let earlier = &fields[..index];
        let Some(member) = member_of(field) else {
            continue;
        };
        if let Some(same) = earlier.iter().find(|it| it.number == field.number) {
            let text = format!(
                "the number {} is that of `{}`; take another one",
                field.number, same.ident
            );
            let at = member.number.as_ref().map(|it| &it.tokens);
            diag.error(Code::MessageNumberTwice, quote!(#at), text);
        }
        let same = earlier
            .iter()
            .find(|it| it.name == field.name || it.json == field.json);
        if let Some(same) = same {
            let (what, name) = if same.name == field.name {
                ("the contract", &field.name)
            } else {
                ("JSON", &field.json)
            };
            let text = format!(
                "`{}` and `{}` are both called `{name}` in {what}; say another name, as `{} = \"…\"`",
                same.ident,
                field.ident,
                if what == "JSON" { "json" } else { "name" },
            );
            let at = match (&member.json, &member.name) {
                (Some(json), _) if what == "JSON" => json.to_token_stream(),
                (_, Some(name)) => name.to_token_stream(),
                _ => field.ident.to_token_stream(),
            };
            diag.error(Code::MessageNameTwice, at, text);
        }
    }
}

/// A oneof is called otherwise than other oneofs and the fields beside it; the fields in it are not
/// known here.
fn oneofs_have_names_of_their_own(diag: &Diag, fields: &[Field<'_>], oneofs: &[Group<'_>]) {
    for (index, group) in oneofs.iter().enumerate() {
        let of_fields = fields.iter().map(|it| (it.ident, &it.name));
        let of_oneofs = oneofs[..index].iter().map(|it| (it.ident, &it.name));
        let mut all = of_fields.chain(of_oneofs);
        if let Some((same, name)) = all.find(|(_, name)| **name == group.name) {
            let text = format!(
                "`{same}` and `{}` are both called `{name}` in the contract; say another name, as \
                 `name = \"…\"`",
                group.ident
            );
            match group.name_at {
                Some(at) => diag.error(Code::MessageNameTwice, at, text),
                None => diag.error(Code::MessageNameTwice, group.ident, text),
            }
        }
    }
}
