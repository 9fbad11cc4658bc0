//! What users get from `handlers!`.
//!
//! Messages are tested with their spans as UI cases of the `bridge` crate.
//!
//! Invariant: an expansion is one expression, so it can stand wherever a list is wanted.

use proc_macro2::TokenStream;
use quote::quote;

use crate::golden;

use super::handlers;

fn in_a_function(expression: TokenStream) -> TokenStream {
    quote! { fn list() { let _ = #expression; } }
}

#[test]
fn names_and_paths_expand_as_reviewed() {
    let list = handlers(quote!(charge, orders::place, crate::r#move,));
    golden::check("handlers_full", in_a_function(list));
}

#[test]
fn another_place_for_the_crate_is_used() {
    let list = handlers(quote!(crate = my::bridge; charge));
    golden::check("handlers_crate", in_a_function(list));
}

#[test]
fn names_that_are_right_survive_those_that_are_not() {
    let list = handlers(quote!(charge, place(), orders::, "x", charge));
    golden::check("handlers_refused", in_a_function(list));
}

#[test]
fn one_wrong_entry_gives_one_message() {
    for wrong in [
        quote!(a::<B, C>),
        quote!(a::<B, C>()),
        quote!(a(b, c)),
        quote!(a, , b),
        quote!(,),
        quote!(
            #[cfg(any(a, b))]
            c
        ),
    ] {
        let text = wrong.to_string();
        assert_eq!(golden::messages(handlers(wrong)).len(), 1, "{text}");
    }
}

#[test]
fn an_empty_list_is_a_list() {
    assert!(golden::messages(handlers(quote!())).is_empty());
}
