//! `#[derive(bridge::Error)]`: an enum whose variants travel as codes and come back as variants.
//!
//! Takes units and variants with one `String`: on the wire an error is a code and a message, and a
//! variant with more would lose something on the way.
//!
//! Invariant: `from_wire(code(e), message(e))` is the variant of `e` again, because no two variants
//! share a code.

use proc_macro2::TokenStream;

use crate::diag::Diag;

mod check;
mod expand;
mod parse;
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
