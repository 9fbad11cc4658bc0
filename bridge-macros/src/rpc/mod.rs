//! `#[bridge::rpc]`: an ordinary `async fn` becomes an operation that `handlers!` can list.
//!
//! Reads the attribute and the signature, never the body: a half-typed body must keep completion
//! alive. Emits the item as it came, then a type of the same name (functions and types do not share
//! a namespace, and `use orders::place` imports both) that carries the operation.
//!
//! Invariant: the item comes first and token for token, whatever else happens.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Diag;

mod check;
mod expand;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) fn rpc(attr: TokenStream, item: TokenStream) -> TokenStream {
    let diag = Diag::default();
    let handler = parse::handler(&diag, attr, &item);
    let operation = handler
        .as_ref()
        .and_then(|handler| check::handler(&diag, handler));
    let added = match (diag.finish(), &handler, operation) {
        (Ok(()), Some(handler), Some(operation)) => expand::operation(handler, &operation),
        (Err(errors), Some(handler), _) => expand::refused(handler, &errors),
        (Err(errors), None, _) => errors.to_compile_error(),
        // Not Rust: the compiler says so, at the item.
        (Ok(()), _, _) => TokenStream::new(),
    };
    quote!(#item #added)
}
