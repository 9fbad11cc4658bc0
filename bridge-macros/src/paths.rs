//! The absolute paths that generated code may name.
//!
//! Refuses to look a name up in the user's scope: a module called `bridge` or `core` next to a
//! handler must not change what the handler expands to.
//!
//! Invariant: everything private that an expansion uses is below `__rt`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// Where `bridge` is found: `::bridge`, unless the user said `crate = …`.
pub(crate) struct Facade {
    path: TokenStream,
    /// Made once: an expansion names it often.
    rt: TokenStream,
}

impl Default for Facade {
    fn default() -> Self {
        Self::of(quote!(::bridge))
    }
}

impl Facade {
    /// The path given by the user, exactly as written.
    pub(crate) fn at(path: &syn::Path) -> Self {
        Self::of(path.to_token_stream())
    }

    fn of(path: TokenStream) -> Self {
        let rt = quote!(#path::__rt);
        Self { path, rt }
    }

    /// The private module that expansions build on; not for users, and may change in any release.
    pub(crate) fn rt(&self) -> TokenStream {
        self.rt.clone()
    }

    /// The same, underlined at `place` when the compiler has something to say about it.
    pub(crate) fn rt_at(&self, place: Span) -> TokenStream {
        let respan = |mut token: TokenTree| {
            token.set_span(token.span().located_at(place));
            token
        };
        self.rt().into_iter().map(respan).collect()
    }
}

impl ToTokens for Facade {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.path.to_tokens(tokens);
    }
}
