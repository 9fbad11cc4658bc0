//! Reads the type and its `#[bridge(…)]` attributes; what they mean is for `check`.
//!
//! Refuses malformed keys and nothing else: a type of another shape is read too, so that `check` can
//! name it.
//!
//! Invariant: every name, number and literal is the user's own token.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Generics, Lit, LitInt, LitStr, Meta, Type};

use crate::diag::{Code, Diag};
use crate::keys::{self, Entry, Place};
use crate::paths::Facade;

const ON_MESSAGE: Place = Place {
    attribute: "`#[bridge(…)]` on a message",
    keys: &["package", "name", "crate"],
    flags: &[],
    elsewhere: &[],
};
const ON_ENUMERATION: Place = Place {
    attribute: "`#[bridge(…)]` on an enum",
    keys: &["package", "name", "crate"],
    flags: &[],
    elsewhere: &[],
};
const ON_ONEOF: Place = Place {
    attribute: "`#[bridge(…)]` on a oneof",
    keys: &["crate"],
    flags: &[],
    elsewhere: &[
        ("package", "a oneof belongs to its message; leave it out"),
        (
            "name",
            "a oneof is called as the field is that holds it; leave it out",
        ),
    ],
};
const ON_FIELD: Place = Place {
    attribute: "`#[bridge(NUMBER, …)]` on a field",
    keys: &["name", "json", "key"],
    flags: &[
        "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "wrapper", "oneof",
    ],
    elsewhere: &[],
};
const ON_MEMBER: Place = Place {
    attribute: "`#[bridge(NUMBER, …)]` on a variant",
    keys: &["name", "json"],
    flags: &[
        "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64", "wrapper",
    ],
    elsewhere: &[],
};
const ON_VALUE: Place = Place {
    attribute: "`#[bridge(NUMBER, …)]` on a variant",
    keys: &["name"],
    flags: &[],
    elsewhere: &[],
};

/// The type under a derive.
pub(super) struct Declared {
    pub(super) facade: Facade,
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    pub(super) package: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) doc: String,
    pub(super) body: Body,
}

/// What the type holds.
pub(super) enum Body {
    /// A struct with named fields, or without any.
    Struct(Vec<Member>),
    Enum(Vec<Member>),
    /// A struct of another kind, or a union: the tokens that say so.
    Other(TokenStream),
}

/// A field of a struct, or a variant of an enum.
pub(super) struct Member {
    pub(super) ident: Ident,
    pub(super) doc: String,
    /// The type of a field, or of each field of a variant.
    pub(super) types: Vec<Type>,
    /// Whether those of a variant have names.
    pub(super) is_named: bool,
    pub(super) discriminant: Option<Expr>,
    pub(super) number: Option<Number>,
    pub(super) name: Option<LitStr>,
    pub(super) json: Option<LitStr>,
    pub(super) key: Option<LitStr>,
    pub(super) flags: Vec<Ident>,
}

/// A number as written, with its sign.
pub(super) struct Number {
    pub(super) tokens: TokenStream,
    pub(super) literal: LitInt,
    pub(super) is_negative: bool,
}

pub(super) fn message(diag: &Diag, input: DeriveInput) -> Declared {
    declared(diag, &ON_MESSAGE, [&ON_FIELD, &ON_VALUE], input)
}

pub(super) fn oneof(diag: &Diag, input: DeriveInput) -> Declared {
    declared(diag, &ON_ONEOF, [&ON_FIELD, &ON_MEMBER], input)
}

pub(super) fn enumeration(diag: &Diag, input: DeriveInput) -> Declared {
    declared(diag, &ON_ENUMERATION, [&ON_FIELD, &ON_VALUE], input)
}

fn declared(
    diag: &Diag,
    on_type: &Place,
    [on_field, on_variant]: [&Place; 2],
    input: DeriveInput,
) -> Declared {
    let (number, pieces) = numbered(diag, &input.attrs);
    if let Some(number) = number {
        let text = "a number belongs to a field or a variant; leave it out";
        diag.error(Code::KeyMalformed, number.tokens, text);
    }
    let entries = keys::entries(diag, on_type, pieces);
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let facade = find("crate").and_then(|entry| entry.facade(diag));
    let text = |key: &str| find(key).and_then(|entry| entry.text(diag));
    Declared {
        facade: facade.unwrap_or_default(),
        package: text("package"),
        name: text("name"),
        doc: doc(&input.attrs),
        body: body(diag, on_field, on_variant, input.data),
        ident: input.ident,
        generics: input.generics,
    }
}

fn body(diag: &Diag, on_field: &Place, on_variant: &Place, data: Data) -> Body {
    match data {
        Data::Struct(data) => match data.fields {
            Fields::Unit => Body::Struct(Vec::new()),
            Fields::Named(fields) => Body::Struct(
                fields
                    .named
                    .into_iter()
                    .filter_map(|field| {
                        let ident = field.ident.clone()?;
                        let types = vec![field.ty];
                        Some(member(diag, on_field, ident, &field.attrs, types))
                    })
                    .collect(),
            ),
            Fields::Unnamed(fields) => Body::Other(fields.into_token_stream()),
        },
        Data::Enum(data) => Body::Enum(
            data.variants
                .into_iter()
                .map(|variant| {
                    let is_named = matches!(variant.fields, Fields::Named(_));
                    let types = variant.fields.into_iter().map(|field| field.ty).collect();
                    let read = member(diag, on_variant, variant.ident, &variant.attrs, types);
                    Member {
                        is_named,
                        discriminant: variant.discriminant.map(|(_, value)| value),
                        ..read
                    }
                })
                .collect(),
        ),
        Data::Union(data) => Body::Other(data.union_token.to_token_stream()),
    }
}

fn member(
    diag: &Diag,
    place: &Place,
    ident: Ident,
    attrs: &[Attribute],
    types: Vec<Type>,
) -> Member {
    let (number, pieces) = numbered(diag, attrs);
    let entries = keys::entries(diag, place, pieces);
    let text = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key);
        entry.and_then(|entry| entry.text(diag))
    };
    let is_flag = |entry: &&Entry| place.flags.iter().any(|flag| entry.key == flag);
    Member {
        ident,
        doc: doc(attrs),
        types,
        is_named: false,
        discriminant: None,
        number,
        name: text("name"),
        json: text("json"),
        key: text("key"),
        flags: entries
            .iter()
            .filter(is_flag)
            .map(|entry| entry.key.clone())
            .collect(),
    }
}

/// The entries of all `#[bridge(…)]` at one place, cut at their commas, and the number that is the
/// first of them.
fn numbered(diag: &Diag, attrs: &[Attribute]) -> (Option<Number>, Vec<TokenStream>) {
    let mut pieces = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("bridge")) {
        let Meta::List(list) = &attr.meta else {
            let text = "write `#[bridge(…)]`";
            diag.error(Code::KeyMalformed, &attr.meta, text);
            continue;
        };
        pieces.extend(keys::pieces(diag, list.tokens.clone()));
    }
    let number = pieces.first().and_then(number);
    if number.is_some() {
        pieces.remove(0);
    }
    (number, pieces)
}

fn number(piece: &TokenStream) -> Option<Number> {
    let (expr, is_negative) = match syn::parse2(piece.clone()).ok()? {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => (*unary.expr, true),
        expr => (expr, false),
    };
    let Expr::Lit(lit) = expr else { return None };
    let Lit::Int(literal) = lit.lit else {
        return None;
    };
    Some(Number {
        tokens: piece.clone(),
        literal,
        is_negative,
    })
}

/// The documentation as plain text: lines without what they are indented by, trimmed as a whole.
fn doc(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(lit) = &pair.value
            && let Lit::Str(text) = &lit.lit
        {
            lines.extend(text.value().lines().map(|line| line.trim().to_owned()));
        }
    }
    lines.join("\n").trim().to_owned()
}
