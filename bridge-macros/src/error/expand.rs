//! What the derive adds: the business error, `Display` and `std::error::Error`.
//!
//! May assume that `check` found no fault.
//!
//! Invariant: every path is absolute, local names start with `__` (a `const message` in the user's
//! scope would otherwise turn a binding into a comparison), and a deprecated variant warns at its
//! uses only.

use proc_macro2::TokenStream;
use quote::quote;

use super::check::{Checked, Message};
use super::parse::Business;

pub(super) fn business(input: &Business, variants: &[Checked]) -> TokenStream {
    let Business { facade, ident, .. } = input;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let codes: Vec<_> = variants.iter().map(|variant| &variant.code).collect();
    let messages = variants
        .iter()
        .map(|Checked { ident, message, .. }| match message {
            Message::Fixed(text) => quote!(Self::#ident => ::std::string::String::from(#text)),
            Message::Field => {
                quote!(Self::#ident(ref __message) => ::core::clone::Clone::clone(__message))
            }
        });
    let texts = variants
        .iter()
        .map(|Checked { ident, message, .. }| match message {
            Message::Fixed(text) => quote!(Self::#ident => __f.write_str(#text)),
            Message::Field => quote!(Self::#ident(ref __message) => __f.write_str(__message)),
        });
    let values = variants
        .iter()
        .map(|Checked { ident, message, .. }| match message {
            Message::Fixed(_) => quote!(Self::#ident),
            Message::Field => quote!(Self::#ident(::std::string::String::from(__message))),
        });
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #facade::BusinessError for #ident {
            fn code(&self) -> &'static str {
                match *self { #(Self::#idents { .. } => #codes,)* }
            }
            fn message(&self) -> ::std::string::String {
                match *self { #(#messages,)* }
            }
            fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
                match __code {
                    #(#codes => ::core::option::Option::Some(#values),)*
                    _ => ::core::option::Option::None,
                }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self { #(#texts,)* }
            }
        }

        #[automatically_derived]
        impl ::core::error::Error for #ident {}
    }
}

/// The messages of a refused error, inside impls that satisfy the handlers that return it.
pub(super) fn refused(input: &Business, errors: &syn::Error) -> TokenStream {
    let Business { facade, ident, .. } = input;
    let (impl_generics, type_generics, clause) = input.generics.split_for_impl();
    let errors = errors.to_compile_error();
    quote! {
        #[automatically_derived]
        impl #impl_generics #facade::BusinessError for #ident #type_generics #clause {
            fn code(&self) -> &'static str {
                #errors
            }
            fn message(&self) -> ::std::string::String {
                ::std::string::String::new()
            }
            fn from_wire(_: &str, _: &str) -> ::core::option::Option<Self> {
                ::core::option::Option::None
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::fmt::Display for #ident #type_generics #clause {
            fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::error::Error for #ident #type_generics #clause {}
    }
}
