//! Where the compiler underlines what is added.
//!
//! rustc says the same thing once if it would underline the same place, so a type that is wrong has
//! one message if everything that mentions it is underlined as the type is, from end to end.
//!
//! Invariant: a name made here is seen by no token of the user's.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

/// First and last token of a type.
pub(crate) type Ends = (Span, Span);

/// A name that the user's tokens cannot see.
pub(crate) fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}

/// Resolves like generated code, and is underlined at `place`.
pub(crate) fn located(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// `<qualified>::item`, with exactly the span of `ty`: from its first token to its last.
pub(crate) fn item_of(ty: &impl ToTokens, qualified: &TokenStream, item: &str) -> TokenStream {
    let (first, last) = ends_of(ty);
    let item = Ident::new(item, last);
    let open = quote_spanned!(first=> <);
    quote!(#open #qualified>::#item)
}

/// The spans of the first and the last token of a type.
pub(crate) fn ends_of(ty: &impl ToTokens) -> (Span, Span) {
    let spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let spans: Vec<Span> = spans.collect();
    let end = |span: Option<&Span>| span.copied().unwrap_or_else(Span::call_site);
    (end(spans.first()), end(spans.last()))
}

/// A name for a tuple of one value, and the expression of the value, which has two ends.
pub(crate) fn in_a_tuple(name: &str, (first, last): Ends) -> (Ident, TokenStream) {
    let name = Ident::new(&format!("__{name}"), first);
    let mut only = Literal::usize_unsuffixed(0);
    only.set_span(last);
    let value = quote!(#name.#only);
    (name, value)
}

/// `callee(passed)`, underlined at the type with these ends, if one is given.
pub(crate) fn called(callee: TokenStream, passed: TokenStream, ends: Option<Ends>) -> TokenStream {
    let Some((first, last)) = ends else {
        return quote!(#callee(#passed));
    };
    let callee = callee.into_iter().map(|mut token| {
        token.set_span(first);
        token
    });
    let mut passed = Group::new(Delimiter::Parenthesis, passed);
    passed.set_span(last);
    quote!(#(#callee)* #passed)
}
