//! Services as Rust: the contract type, the typed client, and who answers which request.
//!
//! Everything that the SDK must know is a constant; everything that runs is one call to it.
//!
//! Invariant: a (request, reply) pair has one `RpcRequest` in the whole output, in the package of
//! the request, or of the reply where the request is a well-known type.

use std::collections::BTreeMap;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::docs;
use super::types::Types;
use crate::model::{Method, Model, Package, Service};
use crate::names;

/// A request, its reply, and the unary methods that exchange them.
pub(super) struct Pair<'m> {
    input: &'m str,
    output: &'m str,
    methods: Vec<(&'m Service, &'m Method)>,
}

/// All pairs, by the package that they are rendered in.
pub(super) fn answered_by<'m>(
    model: &'m Model,
    types: &Types<'m>,
) -> BTreeMap<&'m str, Vec<Pair<'m>>> {
    let mut pairs: BTreeMap<(&str, &str), Vec<(&Service, &Method)>> = BTreeMap::new();
    for service in model
        .packages
        .values()
        .flat_map(|package| &package.services)
    {
        for method in service.methods.iter().filter(|method| !method.streaming) {
            let pair = (method.input.as_str(), method.output.as_str());
            pairs.entry(pair).or_default().push((service, method));
        }
    }
    let mut by_package: BTreeMap<&str, Vec<Pair<'_>>> = BTreeMap::new();
    for ((input, output), methods) in pairs {
        let owner = if types.get(input).well_known {
            output
        } else {
            input
        };
        let package = types.get(owner).package.as_str();
        by_package.entry(package).or_default().push(Pair {
            input,
            output,
            methods,
        });
    }
    by_package
}

/// The code of a package's services, and of the pairs that live in it.
pub(super) fn services(
    name: &str,
    package: &Package,
    pairs: &[Pair<'_>],
    types: &Types<'_>,
) -> TokenStream {
    let services = package
        .services
        .iter()
        .map(|service| render_service(name, service, types));
    let pairs = pairs.iter().map(|pair| render_pair(name, pair, types));
    quote! { #(#services)* #(#pairs)* }
}

fn render_service(package: &str, service: &Service, types: &Types<'_>) -> TokenStream {
    let contract = ident(&service.rust_name());
    let client = ident(&service.client_name());
    let docs = or_default(
        docs::lines(&service.comments),
        format!(" The contract `{}`.", service.full_name),
    );
    let metas = service
        .methods
        .iter()
        .map(|method| render_meta(service, method));
    let constants: Vec<_> = service.methods.iter().map(constant).collect();
    let (full_name, target) = (&service.full_name, names::kebab(&service.name));
    let client_code = render_client(package, service, types);
    quote! {
        #(#[doc = #docs])*
        #[derive(Clone, Copy, Debug)]
        pub struct #contract;

        #[doc(hidden)]
        impl #contract { #(#metas)* }

        impl ::bridge::__rt::Contract for #contract {
            const NAME: &'static str = #full_name;
            const DEFAULT_TARGET: &'static str = #target;
            const METHODS: &'static [::bridge::__rt::MethodMeta] = &[#(Self::#constants),*];
            type Client = #client;
        }

        #client_code
    }
}

fn render_meta(service: &Service, method: &Method) -> TokenStream {
    let (constant, full_name, name) = (constant(method), &service.full_name, &method.name);
    let (hash, streaming) = (&method.contract_hash, method.streaming);
    let input_schema = raw_string(&method.input_schema);
    let output_schema = raw_string(&method.output_schema);
    quote! {
        pub const #constant: ::bridge::__rt::MethodMeta = ::bridge::__rt::MethodMeta {
            service: #full_name,
            name: #name,
            contract_hash: #hash,
            input_schema: #input_schema,
            output_schema: #output_schema,
            streaming: #streaming,
        };
    }
}

fn render_client(package: &str, service: &Service, types: &Types<'_>) -> TokenStream {
    let contract = ident(&service.rust_name());
    let client = ident(&service.client_name());
    let docs = client_docs(service);
    let functions: Vec<_> = (0..)
        .zip(&service.methods)
        .filter(|(_, method)| !method.streaming)
        .map(|(index, method)| render_function(package, &contract, index, method, types))
        .collect();
    let functions = if functions.is_empty() {
        quote!()
    } else {
        quote! { impl #client { #(#functions)* } }
    };
    quote! {
        #(#[doc = #docs])*
        #[derive(Clone, Debug)]
        pub struct #client { target: ::bridge::__rt::Target }

        impl ::core::convert::From<::bridge::__rt::Target> for #client {
            fn from(target: ::bridge::__rt::Target) -> Self { Self { target } }
        }

        #functions
    }
}

fn client_docs(service: &Service) -> Vec<String> {
    let contract = service.rust_name();
    let mut lines = vec![format!(" Calls a service that speaks [`{contract}`].")];
    let streams: Vec<_> = service
        .methods
        .iter()
        .filter(|method| method.streaming)
        .map(|method| format!("`{}`", method.name))
        .collect();
    if !streams.is_empty() {
        lines.push(String::new());
        lines.push(format!(
            " {}: part of the contract, but this client has no function for streamed replies yet.",
            streams.join(", ")
        ));
    }
    lines
}

fn render_function(
    package: &str,
    contract: &syn::Ident,
    index: usize,
    method: &Method,
    types: &Types<'_>,
) -> TokenStream {
    let function = ident(&names::snake(&method.name));
    let docs = or_default(
        docs::lines(&method.comments),
        format!(" Calls `{}`.", method.name),
    );
    let request = path(&types.message(&method.input, package));
    let reply = path(&types.message(&method.output, package));
    let index = Literal::usize_unsuffixed(index);
    let deprecated = method.deprecated.then(|| quote! { #[deprecated] });
    quote! {
        #(#[doc = #docs])*
        #deprecated
        pub fn #function(&self, request: #request) -> ::bridge::Call<#reply> {
            let method = &<#contract as ::bridge::__rt::Contract>::METHODS[#index];
            self.target.unary(method, request)
        }
    }
}

fn render_pair(package: &str, pair: &Pair<'_>, types: &Types<'_>) -> TokenStream {
    let request = path(&types.message(pair.input, package));
    let reply = path(&types.message(pair.output, package));
    let methods = pair.methods.iter().map(|(service, method)| {
        let service_path = path(&format!(
            "{}{}",
            types.module(&service.package, package),
            service.rust_name()
        ));
        let constant = constant(method);
        quote! { #service_path::#constant }
    });
    quote! {
        impl ::bridge::__rt::RpcRequest<#reply> for #request {
            const METHODS: &'static [::bridge::__rt::MethodMeta] = &[#(#methods),*];
        }
    }
}

/// The prefix keeps a method called `Methods` apart from the trait's own constants.
fn constant(method: &Method) -> syn::Ident {
    format_ident!("RPC_{}", names::shouty(&method.name))
}

fn or_default(lines: Vec<String>, default: String) -> Vec<String> {
    if lines.is_empty() {
        vec![default]
    } else {
        lines
    }
}

/// Schemas are JSON; a raw string keeps them readable.
fn raw_string(text: &str) -> TokenStream {
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    let literal = format!("r{hashes}\"{text}\"{hashes}");
    literal
        .parse()
        .expect("json has no control characters, so any raw string can hold it")
}

fn ident(name: &str) -> syn::Ident {
    match name.strip_prefix("r#") {
        Some(raw) => syn::Ident::new_raw(raw, proc_macro2::Span::call_site()),
        None => format_ident!("{name}"),
    }
}

fn path(text: &str) -> TokenStream {
    text.parse()
        .expect("paths are made of identifiers and separators")
}
