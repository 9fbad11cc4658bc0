//! What is added for a service: the way from the value to its handlers.
//!
//! May assume that `check` found no fault.
//!
//! Invariant: every path is absolute, and local names start with `__`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::rpc::check::Operation;
use crate::rpc::expand::serve;
use crate::rpc::place::local;

use super::parse::{Method, Service};

pub(super) fn handlers(service: &Service, operations: &[(&Method, Operation)]) -> TokenStream {
    let Service { facade, ty, .. } = service;
    let [value, handlers] = ["service", "handlers"].map(local);
    let added = operations.iter().map(|(method, operation)| {
        let cfgs = &method.head.cfgs;
        let serve = serve(facade, &method.head, operation, Some(ty));
        quote!(#(#cfgs)* { #serve })
    });
    let body = quote! {
        let #value = ::std::sync::Arc::new(#value);
        let mut #handlers = Self::default();
        #(#added)*
        #handlers
    };
    conversion(service, &body)
}

/// The messages of a refused service, inside a conversion that satisfies whoever serves it.
pub(super) fn refused(service: &Service, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    conversion(service, &quote!(#errors Self::default()))
}

fn conversion(service: &Service, body: &TokenStream) -> TokenStream {
    let Service {
        facade,
        cfgs,
        generics,
        ty,
        ..
    } = service;
    let (params, _, clause) = generics.split_for_impl();
    let value = local("service");
    quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        impl #params ::core::convert::From<#ty> for #facade::Handlers #clause {
            fn from(#value: #ty) -> Self {
                #body
            }
        }
    }
}
