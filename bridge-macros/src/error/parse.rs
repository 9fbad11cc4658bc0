//! Reads the enum and its `#[bridge(…)]` attributes; what they mean is for `check`.
//!
//! Refuses malformed keys and nothing else: a struct is read too, so that `check` can name it.
//!
//! Invariant: every name and literal is the user's own token.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Fields, Generics, LitInt, LitStr, Meta};

use crate::diag::{Code, Diag};
use crate::keys::{self, Entry, Place};
use crate::paths::Facade;

const ON_ENUM: Place = Place {
    attribute: "`#[bridge(…)]` on an enum",
    keys: &["crate"],
    flags: &[],
    elsewhere: &[],
};
const ON_VARIANT: Place = Place {
    attribute: "`#[bridge(…)]` on a variant",
    keys: &["code", "message", "status", "grpc"],
    flags: &["retryable", "transparent"],
    elsewhere: &[],
};

/// The type under the derive.
pub(super) struct Business {
    pub(super) facade: Facade,
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    /// The keyword of a type that is no enum.
    pub(super) not_an_enum: Option<TokenStream>,
    pub(super) variants: Vec<Variant>,
}

/// One variant as written.
pub(super) struct Variant {
    pub(super) ident: Ident,
    pub(super) fields: Fields,
    pub(super) code: Option<LitStr>,
    pub(super) message: Option<LitStr>,
    pub(super) status: Option<LitInt>,
    pub(super) grpc: Option<LitStr>,
    pub(super) retryable: Option<Ident>,
    pub(super) transparent: Option<Ident>,
}

pub(super) fn business(diag: &Diag, input: DeriveInput) -> Business {
    let mut facade = Facade::default();
    for entry in entries(diag, &ON_ENUM, &input.attrs) {
        facade = entry.facade(diag).unwrap_or_default();
    }
    let (not_an_enum, variants) = match input.data {
        Data::Enum(data) => (None, data.variants),
        Data::Struct(data) => (
            Some(data.struct_token.to_token_stream()),
            Default::default(),
        ),
        Data::Union(data) => (Some(data.union_token.to_token_stream()), Default::default()),
    };
    let variants = variants.into_iter().map(|it| variant(diag, it));
    Business {
        facade,
        ident: input.ident,
        generics: input.generics,
        not_an_enum,
        variants: variants.collect(),
    }
}

fn variant(diag: &Diag, variant: syn::Variant) -> Variant {
    let entries = entries(diag, &ON_VARIANT, &variant.attrs);
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let text = |key: &str| find(key).and_then(|entry| entry.text(diag));
    Variant {
        code: text("code"),
        message: text("message"),
        status: find("status").and_then(|entry| entry.number(diag)),
        grpc: text("grpc"),
        retryable: find("retryable").map(|entry| entry.key.clone()),
        transparent: find("transparent").map(|entry| entry.key.clone()),
        ident: variant.ident,
        fields: variant.fields,
    }
}

/// The entries of all `#[bridge(…)]` at one place, read as one list so that a key given in two
/// attributes is given twice.
fn entries(diag: &Diag, place: &Place, attrs: &[Attribute]) -> Vec<Entry> {
    let mut pieces = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("bridge")) {
        let Meta::List(list) = &attr.meta else {
            let text = "write `#[bridge(key = value)]`";
            diag.error(Code::KeyMalformed, &attr.meta, text);
            continue;
        };
        pieces.extend(keys::pieces(diag, list.tokens.clone()));
    }
    keys::entries(diag, place, pieces)
}
