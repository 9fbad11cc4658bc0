//! `handlers![charge, orders::place]`: the operations behind a list of handler names.
//!
//! Takes names only; what a name stands for is looked up by the compiler, at the name.
//!
//! Invariant: names that are right are emitted also when others are wrong, so that one typing
//! mistake does not make every other handler look unused.

use proc_macro2::TokenStream;

use crate::diag::Diag;

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) fn handlers(input: TokenStream) -> TokenStream {
    let diag = Diag::default();
    let list = parse::list(&diag, input);
    check::list(&diag, &list);
    match diag.finish() {
        Ok(()) => expand::list(&list),
        Err(errors) => expand::refused(&list, &errors),
    }
}
