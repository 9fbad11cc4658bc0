//! `#[bridge::service]`: the methods of one value become the handlers of a contract.
//!
//! Reads the attributes and signatures in the block, never the bodies. The block is emitted as it
//! came, but for the arguments of `#[bridge::rpc]` in it: they are replaced by a word that tells the
//! inner attribute that it has been read. So the inner attribute stays one that the compiler looks
//! up, and it says what is missing where it stands alone.
//!
//! Invariant: the methods come first and token for token, whatever else happens.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Diag;

mod parse;
mod check;
mod expand;
#[cfg(test)]
mod tests;

pub(crate) fn service(attr: TokenStream, item: TokenStream) -> TokenStream {
    let diag = Diag::default();
    let service = parse::service(&diag, attr, &item);
    let operations = service
        .as_ref()
        .map(|service| check::service(&diag, service));
    let emitted = parse::marked(item);
    let added = match (diag.finish(), &service, operations) {
        (Ok(()), Some(service), Some(operations)) => expand::handlers(service, &operations),
        (Err(errors), Some(service), _) => expand::refused(service, &errors),
        (Err(errors), None, _) => errors.to_compile_error(),
        // Not Rust: the compiler says so, at the item.
        (Ok(()), _, _) => TokenStream::new(),
    };
    quote!(#emitted #added)
}
