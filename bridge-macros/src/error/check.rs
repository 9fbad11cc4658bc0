//! The rules of a business error, one function per rule.
//!
//! Refuses what could not come back from the wire as it went, and statuses that are no errors.
//!
//! Invariant: the variants returned have pairwise different, non-empty codes if nothing was noted.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Field, LitInt, LitStr, Member};

use crate::case::{screaming_snake, sentence};
use crate::diag::{Code, Diag};

use super::parse::{Business, Variant};
use super::shape::{self, Shape};

/// gRPC's codes by name, in the order of their numbers; the first is no error.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// Members that every problem has, or may have, by itself.
const MEMBERS: [&str; 9] = [
    "code",
    "detail",
    "errors",
    "instance",
    "retryable",
    "status",
    "title",
    "trace",
    "type",
];

/// A variant that follows the rules.
pub(super) struct Checked<'v> {
    pub(super) ident: Ident,
    pub(super) kind: Kind,
    pub(super) shape: Shape<'v>,
    /// What the user wrote that decided the code.
    code_at: TokenStream,
}

/// What a variant is on the wire.
pub(super) enum Kind {
    /// Whatever the `CallError` in it is.
    Transparent,
    Own {
        code: String,
        text: Text,
        status: Option<u16>,
        grpc: Option<i32>,
        is_retryable: bool,
    },
}

/// Where a variant's message comes from.
pub(super) enum Text {
    /// Always this.
    Fixed(String),
    /// Its one `String`.
    Held,
    /// These words, with fields in them.
    Written(LitStr),
}

/// Applies every rule and returns the variants that follow theirs.
pub(super) fn business<'v>(diag: &Diag, input: &'v Business) -> Vec<Checked<'v>> {
    is_enum(diag, input);
    is_concrete(diag, input);
    let variants: Vec<Checked<'v>> = input
        .variants
        .iter()
        .filter_map(|variant| follows_rules(diag, variant))
        .collect();
    has_different_codes(diag, &variants);
    has_one_transparent(diag, input);
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

fn follows_rules<'v>(diag: &Diag, variant: &'v Variant) -> Option<Checked<'v>> {
    let shape = shape::of(diag, variant);
    if let Some(shape) = &shape {
        has_members_of_its_own(diag, shape);
    }
    if let Some(flag) = &variant.transparent {
        is_transparent(diag, variant, flag, shape.as_ref());
        return Some(Checked {
            ident: variant.ident.clone(),
            kind: Kind::Transparent,
            shape: shape?,
            code_at: TokenStream::new(),
        });
    }
    let code = code(diag, variant);
    let status = variant.status.as_ref().and_then(|it| status(diag, it));
    let grpc = variant.grpc.as_ref().and_then(|it| grpc(diag, it));
    let text = shape.as_ref().map(|shape| text(diag, variant, shape));
    let (code, code_at) = code?;
    Some(Checked {
        ident: variant.ident.clone(),
        kind: Kind::Own {
            code,
            text: text?,
            status,
            grpc,
            is_retryable: variant.retryable.is_some(),
        },
        shape: shape?,
        code_at,
    })
}

fn is_transparent(diag: &Diag, variant: &Variant, flag: &Ident, shape: Option<&Shape<'_>>) {
    if shape.is_some_and(|shape| !shape.is_call()) {
        let name = &variant.ident;
        let text = format!(
            "only a failed call has a code of its own; write `{name}(#[from] bridge::CallError)`"
        );
        diag.error(Code::ErrorTransparent, flag, text);
    }
    let keys = [
        variant.code.as_ref().map(ToTokens::to_token_stream),
        variant.message.as_ref().map(ToTokens::to_token_stream),
        variant.status.as_ref().map(ToTokens::to_token_stream),
        variant.grpc.as_ref().map(ToTokens::to_token_stream),
        variant.retryable.as_ref().map(ToTokens::to_token_stream),
    ];
    for key in keys.into_iter().flatten() {
        let text =
            "a transparent variant takes everything from its call; remove this or `transparent`";
        diag.error(Code::ErrorTransparent, key, text);
    }
}

fn has_one_transparent(diag: &Diag, input: &Business) {
    let flags = input
        .variants
        .iter()
        .filter_map(|it| it.transparent.as_ref());
    for flag in flags.skip(1) {
        let text = "another variant is transparent already, and a code cannot tell them apart; \
                    give this one a code of its own";
        diag.error(Code::ErrorTransparent, flag, text);
    }
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

fn status(diag: &Diag, given: &LitInt) -> Option<u16> {
    let status = given.base10_parse::<u16>().ok();
    let status = status.filter(|it| (400..600).contains(it));
    if status.is_none() {
        let text = "an error has a status from 400 to 599, such as `409`";
        diag.error(Code::ErrorStatus, given, text);
    }
    status
}

fn grpc(diag: &Diag, given: &LitStr) -> Option<i32> {
    let name = given.value();
    let number = (0..)
        .zip(GRPC)
        .find(|(number, it)| *number > 0 && *it == name);
    if number.is_none() {
        let text = format!(
            "gRPC has no error of this name; write one of {}",
            GRPC[1..].join(", ")
        );
        diag.error(Code::ErrorGrpc, given, text);
    }
    number.map(|(number, _)| number)
}

fn text(diag: &Diag, variant: &Variant, shape: &Shape<'_>) -> Text {
    match (&variant.message, shape) {
        (Some(given), Shape::Text) => {
            let text = "this variant's `String` is its message; remove one of them, \
                        or give the `String` a name, such as `{ sku: String }`";
            diag.error(Code::ErrorShape, given, text);
            Text::Held
        }
        (Some(given), _) => {
            prints_what_travels(diag, given, shape);
            Text::Written(given.clone())
        }
        (None, Shape::Text) => Text::Held,
        (None, _) => Text::Fixed(sentence(&variant.ident.unraw().to_string())),
    }
}

/// What else may be wrong with the words is said by `format_args!`, which they end up in.
fn prints_what_travels(diag: &Diag, given: &LitStr, shape: &Shape<'_>) {
    let Some(source) = shape.source() else {
        return;
    };
    let member = match &source.member {
        Member::Named(name) => name.unraw().to_string(),
        Member::Unnamed(at) => at.index.to_string(),
    };
    let words = given.value().replace("{{", "");
    let is_source = |opened: &str| {
        let name = opened.split([':', '}']).next().unwrap_or_default().trim();
        name == member || (name.is_empty() && matches!(source.member, Member::Unnamed(_)))
    };
    if words.split('{').skip(1).any(is_source) {
        let text = "a source stays with its service and the message goes to the caller, so it cannot \
                    print its source; say what the caller may know, and log the source";
        diag.error(Code::ErrorSource, given, text);
    }
}

fn has_members_of_its_own(diag: &Diag, shape: &Shape<'_>) {
    for Field { ident, .. } in shape.travelling() {
        let name = ident
            .as_ref()
            .map(|it| it.unraw().to_string())
            .unwrap_or_default();
        if MEMBERS.contains(&name.as_str()) {
            let text =
                format!("every problem has a `{name}` of its own; call this field differently");
            diag.error(Code::ErrorField, ident, text);
        }
    }
}

fn has_different_codes(diag: &Diag, variants: &[Checked<'_>]) {
    let code_of = |variant: &Checked<'_>| match &variant.kind {
        Kind::Own { code, .. } => Some(code.clone()),
        Kind::Transparent => None,
    };
    for (at, variant) in variants.iter().enumerate() {
        let Some(code) = code_of(variant) else {
            continue;
        };
        let same = |earlier: &&Checked<'_>| code_of(earlier).as_ref() == Some(&code);
        if let Some(first) = variants[..at].iter().find(same) {
            let text = format!(
                "`{}` already has code {code:?}; give this one its own",
                first.ident
            );
            diag.error(Code::ErrorCodeTwice, &variant.code_at, text);
        }
    }
}
