//! The list as an expression of type `bridge::Handlers`.
//!
//! May assume that the names are paths.
//!
//! Invariant: each path keeps its own span, so an unknown handler is underlined in the list, and
//! occurs once, so that it is underlined once.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::parse::List;

/// The list is a constant, so that two handlers of one operation are found while compiling.
pub(super) fn list(list: &List) -> TokenStream {
    let List { facade, names } = list;
    let mut seen = Vec::new();
    let names = names.iter().filter(|name| {
        let written = name.to_token_stream().to_string();
        let is_new = !seen.contains(&written);
        seen.push(written);
        is_new
    });
    let rt = facade.rt();
    quote! {{
        const __LIST: &[#rt::Listed] = #rt::distinct(&[#(#rt::Listed::of::<#names>()),*]);
        #facade::Handlers::listed(__LIST)
    }}
}

/// The messages, and the names that were right, each once.
pub(super) fn refused(list: &List, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    let right = self::list(list);
    quote!({ #errors #right })
}
