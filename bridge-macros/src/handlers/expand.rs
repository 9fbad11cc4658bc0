//! The list as an expression of type `bridge::Handlers`.
//!
//! May assume that the names are paths.
//!
//! Invariant: each path keeps its own span, so an unknown handler is underlined in the list.

use proc_macro2::TokenStream;
use quote::quote;

use super::parse::List;

pub(super) fn list(list: &List) -> TokenStream {
    let List { facade, names } = list;
    let rt = facade.rt();
    quote! {
        #facade::Handlers::from_operations(
            ::std::vec![#(<#names as #rt::Operation>::operation()),*]
        )
    }
}

/// The messages, and the names that were right.
pub(super) fn refused(list: &List, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    let right = self::list(list);
    quote!({ #errors #right })
}
