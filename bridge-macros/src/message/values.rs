//! The rules of enums, one function per rule.
//!
//! Refuses enums without a zero that comes first, and without a place for unknown numbers.
//!
//! Invariant: what is returned has different numbers and names if nothing was noted.

use proc_macro2::Ident;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;

use crate::diag::{Code, Diag};

use super::check::{full_name, identifier, is_concrete, own_name, shown, variants, whole};
use super::names;
use super::parse::{Declared, Member};

/// The variant for numbers that have no name.
pub(super) const UNRECOGNIZED: &str = "Unrecognized";

/// A value of an enum.
pub(super) struct Value<'d> {
    pub(super) ident: &'d Ident,
    pub(super) doc: &'d str,
    pub(super) number: i32,
    pub(super) name: String,
}

/// An enum that follows the rules.
pub(super) struct Enumeration<'d> {
    pub(super) package: String,
    pub(super) name: String,
    pub(super) values: Vec<Value<'d>>,
}

/// Applies every rule of an enum.
pub(super) fn enumeration<'d>(diag: &Diag, declared: &'d Declared) -> Option<Enumeration<'d>> {
    is_concrete(diag, declared);
    let full = full_name(diag, declared);
    let members = variants(diag, declared, "its variants are names of numbers")?;
    keeps_unknown_numbers(diag, declared, members);
    let named: Vec<_> = members
        .iter()
        .filter(|it| it.ident != UNRECOGNIZED)
        .collect();
    let spelt = match &declared.name {
        Some(name) => name.value(),
        None => declared.ident.unraw().to_string(),
    };
    let values: Vec<_> = named
        .iter()
        .filter_map(|it| value(diag, it, &spelt))
        .collect();
    zero_is_first(diag, declared, &named, &values);
    values_are_different(diag, &named, &values);
    let (package, name) = full?;
    Some(Enumeration {
        package,
        name,
        values,
    })
}

fn zero_is_first(diag: &Diag, declared: &Declared, named: &[&Member], values: &[Value<'_>]) {
    let first = values.first().filter(|it| it.number != 0);
    if let Some(first) = first {
        let text = format!(
            "`{}` comes first and has the number {}; give the first variant 0: it is what a field \
             holds before anything was said",
            first.ident, first.number
        );
        diag.error(Code::EnumerationZero, first.ident, text);
    } else if named.is_empty() {
        let text = format!(
            "`{}` has no value; add one with the number 0: it is what a field holds before anything \
             was said",
            declared.ident
        );
        diag.error(Code::EnumerationZero, &declared.ident, text);
    }
}

fn keeps_unknown_numbers(diag: &Diag, declared: &Declared, members: &[Member]) {
    let found = members.iter().find(|it| it.ident == UNRECOGNIZED);
    let holds_number = |it: &&Member| {
        let ty = it.types.first().map(|ty| ty.to_token_stream().to_string());
        !it.is_named && it.types.len() == 1 && ty.as_deref() == Some("i32") && it.number.is_none()
    };
    if found.is_none_or(|it| !holds_number(&it)) {
        let text = format!(
            "`{}` has no place for numbers of later versions; add the variant `Unrecognized(i32)`, \
             without a number of its own",
            declared.ident
        );
        let at = found.map_or(&declared.ident, |it| &it.ident);
        diag.error(Code::EnumerationUnrecognized, at, text);
    }
}

fn value<'d>(diag: &Diag, member: &'d Member, of: &str) -> Option<Value<'d>> {
    if !member.types.is_empty() || member.is_named {
        let text = format!(
            "`{}` holds something; the value of an enum is a number alone. For one of several \
             fields derive `bridge::Oneof`",
            member.ident
        );
        diag.error(Code::MessageShape, &member.ident, text);
        return None;
    }
    let Some(written) = &member.number else {
        let text = format!(
            "`{}` has no number; give it one, as `#[bridge(1)]`",
            member.ident
        );
        let at = match &member.discriminant {
            Some(value) => value.to_token_stream(),
            None => member.ident.to_token_stream(),
        };
        diag.error(Code::MessageNumberMissing, at, text);
        return None;
    };
    let Some(number) = whole(written).and_then(|it| i32::try_from(it).ok()) else {
        let text = format!("`{}` is no number of 32 bits", shown(written));
        diag.error(Code::MessageNumber, &written.tokens, text);
        return None;
    };
    let own = names::value(of, &member.ident.unraw().to_string());
    Some(Value {
        ident: &member.ident,
        doc: &member.doc,
        number,
        name: match &member.name {
            Some(name) => identifier(diag, name),
            None => own_name(diag, &member.ident, own),
        }?,
    })
}

fn values_are_different(diag: &Diag, members: &[&Member], values: &[Value<'_>]) {
    for (index, value) in values.iter().enumerate() {
        let earlier = &values[..index];
        let member = members.iter().find(|it| it.ident == *value.ident);
        if let Some(same) = earlier.iter().find(|it| it.number == value.number) {
            let text = format!(
                "the number {} is that of `{}`; take another one",
                value.number, same.ident
            );
            let at = member
                .and_then(|it| it.number.as_ref())
                .map(|it| &it.tokens);
            diag.error(Code::MessageNumberTwice, quote!(#at), text);
        }
        if let Some(same) = earlier.iter().find(|it| it.name == value.name) {
            let text = format!(
                "`{}` and `{}` are both called `{}` in the contract; say another name, as `name = \"…\"`",
                same.ident, value.ident, value.name
            );
            diag.error(Code::MessageNameTwice, value.ident, text);
        }
    }
}
