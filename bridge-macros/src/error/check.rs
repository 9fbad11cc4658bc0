//! The rules of a business error, one function per rule.
//!
//! Refuses what could not come back from the wire as it went: fields beyond the message, and two
//! variants with one code.
//!
//! Invariant: the variants returned have pairwise different, non-empty codes if nothing was noted.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Fields, Type};

use crate::case::{screaming_snake, sentence};
use crate::diag::{Code, Diag};

use super::parse::{Business, Variant};

/// A variant that follows the rules.
pub(super) struct Checked {
    pub(super) ident: Ident,
    pub(super) code: String,
    pub(super) message: Message,
    /// What the user wrote that decided the code.
    code_at: TokenStream,
}

/// Where a variant's message comes from.
pub(super) enum Message {
    /// A unit: always this text.
    Fixed(String),
    /// Its one `String`.
    Field,
}

/// Applies every rule and returns the variants that follow theirs.
pub(super) fn business(diag: &Diag, input: &Business) -> Vec<Checked> {
    is_enum(diag, input);
    is_concrete(diag, input);
    let variants: Vec<Checked> = input
        .variants
        .iter()
        .filter_map(|variant| follows_rules(diag, variant))
        .collect();
    has_different_codes(diag, &variants);
    variants
}

fn is_enum(diag: &Diag, input: &Business) {
    if let Some(keyword) = &input.not_an_enum {
        let text = format!(
            "`{}` is not an enum; a business error has one variant per code",
            input.ident
        );
        diag.error(Code::ErrorNotAnEnum, keyword, text);
    }
}

fn is_concrete(diag: &Diag, input: &Business) {
    if !input.generics.params.is_empty() {
        let text = format!(
            "`{}` is generic; a caller must be able to name the error",
            input.ident
        );
        diag.error(Code::ErrorGeneric, &input.generics, text);
    }
}

fn follows_rules(diag: &Diag, variant: &Variant) -> Option<Checked> {
    let code = code(diag, variant);
    let message = message(diag, variant);
    let (code, code_at) = code?;
    Some(Checked {
        ident: variant.ident.clone(),
        code,
        message: message?,
        code_at,
    })
}

fn code(diag: &Diag, variant: &Variant) -> Option<(String, TokenStream)> {
    let Some(given) = &variant.code else {
        let code = screaming_snake(&variant.ident.unraw().to_string());
        return Some((code, variant.ident.to_token_stream()));
    };
    if given.value().trim().is_empty() {
        let text = "code is empty; name the mistake, such as `\"OUT_OF_STOCK\"`, or remove the key";
        diag.error(Code::ErrorCodeEmpty, given, text);
        return None;
    }
    Some((given.value(), given.to_token_stream()))
}

fn message(diag: &Diag, variant: &Variant) -> Option<Message> {
    match &variant.fields {
        Fields::Unit => return Some(Message::Fixed(sentence(&variant.ident.unraw().to_string()))),
        Fields::Unnamed(fields)
            if fields.unnamed.len() == 1 && is_string(&fields.unnamed[0].ty) =>
        {
            return Some(Message::Field);
        }
        _ => {}
    }
    let name = &variant.ident;
    let text =
        format!("an error is a code and a message on the wire; write `{name}` or `{name}(String)`");
    diag.error(Code::ErrorShape, &variant.fields, text);
    None
}

fn is_string(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "String" && last.arguments.is_none()),
        Type::Group(group) => is_string(&group.elem),
        _ => false,
    }
}

fn has_different_codes(diag: &Diag, variants: &[Checked]) {
    for (at, variant) in variants.iter().enumerate() {
        if let Some(first) = variants[..at]
            .iter()
            .find(|earlier| earlier.code == variant.code)
        {
            let text = format!(
                "`{}` already has code {:?}; give this one its own",
                first.ident, first.code
            );
            diag.error(Code::ErrorCodeTwice, &variant.code_at, text);
        }
    }
}
