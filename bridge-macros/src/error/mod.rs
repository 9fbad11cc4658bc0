//! `#[derive(bridge::Error)]`: an enum whose variants travel as codes and come back as variants.
//!
//! On the wire an error is a code and a message, over HTTP a problem. What a variant holds travels
//! with either, except for its source: that stays with the service it happened in.
//!
//! Invariant: `from_wire(code(e), message(e))` is the variant of `e` again with the same fields,
//! because no two variants share a code; only a source other than a `CallError` keeps a variant
//! from coming back.

use proc_macro2::TokenStream;

use crate::diag::Diag;

mod parse;
mod shape;
mod check;
mod expand;
#[cfg(test)]
mod tests;

pub(crate) fn error(input: TokenStream) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        // Out of reach in a derive: the compiler hands it only what it parsed itself.
        Err(error) => return error.to_compile_error(),
    };
    let diag = Diag::default();
    let input = parse::business(&diag, input);
    let variants = check::business(&diag, &input);
    match diag.finish() {
        Ok(()) => expand::business(&input, &variants),
        Err(errors) => expand::refused(&input, &errors),
    }
}
