//! `#[derive(bridge::Message)]`, `#[derive(bridge::Enumeration)]` and `#[derive(bridge::Oneof)]`:
//! contracts that are written in Rust.
//!
//! What is written is what the generator writes for the same `.proto`: a table, the wire encoding,
//! and what follows from a table. Which Rust type is which kind of value is said by traits of
//! `bridge::__rt::codec`; here only spellings are looked at, for a better word about those that
//! nothing can be done with.
//!
//! Invariant: a number, a name and a JSON name of a message mean one field.

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diag::Diag;

mod names;
mod parse;
mod types;
mod check;
mod values;
mod fields;
mod expand;
mod refused;
#[cfg(test)]
mod tests;

use parse::Declared;

pub(crate) fn message(input: TokenStream) -> TokenStream {
    let expanded = |diag: &Diag, declared: &Declared| {
        let checked = check::message(diag, declared)?;
        Some(expand::message(declared, &checked))
    };
    derive(input, parse::message, expanded, refused::message)
}

pub(crate) fn oneof(input: TokenStream) -> TokenStream {
    let expanded = |diag: &Diag, declared: &Declared| {
        let checked = check::oneof(diag, declared)?;
        Some(expand::oneof(declared, &checked))
    };
    derive(input, parse::oneof, expanded, refused::oneof)
}

pub(crate) fn enumeration(input: TokenStream) -> TokenStream {
    let expanded = |diag: &Diag, declared: &Declared| {
        let checked = values::enumeration(diag, declared)?;
        Some(expand::enumeration(declared, &checked))
    };
    derive(input, parse::enumeration, expanded, refused::enumeration)
}

/// The way of each derive. What is expanded of a type with a fault is thrown away.
fn derive(
    input: TokenStream,
    parse: fn(&Diag, DeriveInput) -> Declared,
    expanded: fn(&Diag, &Declared) -> Option<TokenStream>,
    refused: fn(&Declared, Result<(), syn::Error>) -> TokenStream,
) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        // Out of reach in a derive: the compiler hands it only what it parsed itself.
        Err(error) => return error.to_compile_error(),
    };
    let diag = Diag::default();
    let declared = parse(&diag, input);
    let expanded = expanded(&diag, &declared);
    match (diag.finish(), expanded) {
        (Ok(()), Some(expanded)) => expanded,
        (result, _) => refused(&declared, result),
    }
}
