//! What is added below a handler: the type of the same name and its operation.
//!
//! May assume that `check` found no fault. Adds no code per argument beyond one lookup and one
//! clone, because this is compiled once per handler.
//!
//! Invariant: every path is absolute, local names start with `__` (a `const request` in the user's
//! scope would otherwise turn a binding into a comparison), and the user's tokens cannot see them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{LitStr, Type};

use super::check::Operation;
use super::parse::{Handler, Role};

/// The twin type and the operation it stands for.
pub(super) fn operation(handler: &Handler, operation: &Operation) -> TokenStream {
    let rt = handler.facade.rt();
    let ident = &handler.sig.ident;
    let twin = twin(handler);
    let lookup = lookup(handler, operation);
    let definition = definition(handler, operation);
    // One constant for both: the compiler evaluates a constant also in `cargo check`, and it says
    // only once, of one body, that a type does not fit.
    quote! {
        #twin

        #[allow(deprecated)]
        impl #rt::Operation for #ident {
            fn operation() -> #rt::OperationDef {
                const FOUND: (
                    &#rt::MethodMeta,
                    fn(&'static #rt::MethodMeta) -> #rt::OperationDef,
                ) = (#lookup, #definition);
                (FOUND.1)(FOUND.0)
            }
        }
    }
}

/// The method of the contract. First in its constant: what it says about a message makes the
/// compiler drop what the definition would repeat, provided both are underlined at the same place.
fn lookup(handler: &Handler, operation: &Operation) -> TokenStream {
    let Operation {
        message,
        returns,
        method,
        method_at,
    } = operation;
    let method = LitStr::new(method, *method_at);
    let find = located(*method_at);
    let rt = handler.facade.rt();
    let rt_at_method = handler.facade.rt_at(*method_at);
    let reply = item_of(returns, &quote!(#returns as #rt::HandlerResult), "Reply");
    let methods = item_of(
        message,
        &quote!(#message as #rt::RpcRequest<#reply>),
        "METHODS",
    );
    quote_spanned!(find=> #rt_at_method::find_method(#methods, #method))
}

/// `<qualified>::item`, with exactly the span of `ty`: from its first token to its last.
fn item_of(ty: &Type, qualified: &TokenStream, item: &str) -> TokenStream {
    let spans: Vec<Span> = ty
        .to_token_stream()
        .into_iter()
        .map(|token| token.span())
        .collect();
    let end = |span: Option<&Span>| span.copied().unwrap_or_else(Span::call_site);
    let (first, last) = (end(spans.first()), end(spans.last()));
    let item = Ident::new(item, last);
    let open = quote_spanned!(first=> <);
    quote!(#open #qualified>::#item)
}

/// The function from the method to the operation; it captures nothing.
fn definition(handler: &Handler, operation: &Operation) -> TokenStream {
    let Operation {
        message, returns, ..
    } = operation;
    let Handler { facade, sig, .. } = handler;
    let ident = &sig.ident;
    let site = format!("::{}", ident.unraw());
    let rt = facade.rt();
    // A future that cannot be sent is a fault of the function, so it is underlined at its name.
    let rt_at_name = facade.rt_at(ident.span());
    let at_name = located(ident.span());

    let [method, states, request, context] = ["method", "states", "request", "context"].map(local);
    let mut slots = Vec::new();
    let mut slot_types = Vec::new();
    let mut arguments = Vec::new();
    for arg in &handler.args {
        arguments.push(match &arg.role {
            Role::Message => request.to_token_stream(),
            Role::Context => context.to_token_stream(),
            Role::State(inner) => {
                let slot = local(&format!("state{}", slots.len()));
                let argument = quote!(#rt::State(#slot));
                slots.push(slot);
                slot_types.push(inner);
                argument
            }
        });
    }
    let build = quote! {
        |#states: &#rt::States| {
            #(let #slots = #states.get::<#slot_types>()?;)*
            ::core::result::Result::Ok(move |#request: #message, #context: #facade::Context| {
                #(let #slots = <#slot_types as ::core::clone::Clone>::clone(&#slots);)*
                #ident(#(#arguments),*)
            })
        }
    };
    let site = quote!(::core::concat!(::core::module_path!(), #site));
    quote_spanned! {at_name=>
        |#method| #rt_at_name::OperationDef::unary::<#message, #returns, _, _, _>(
            #method,
            #site,
            #build,
        )
    }
}

/// The messages of a refused handler, inside an operation that satisfies whoever lists it.
pub(super) fn refused(handler: &Handler, errors: &syn::Error) -> TokenStream {
    let errors = errors.to_compile_error();
    if handler.receiver.is_some() {
        // Inside an `impl` block a type would be a second fault.
        return errors;
    }
    let rt = handler.facade.rt();
    let ident = &handler.sig.ident;
    let twin = twin(handler);
    quote! {
        #twin

        impl #rt::Operation for #ident {
            fn operation() -> #rt::OperationDef {
                #errors
            }
        }
    }
}

fn twin(handler: &Handler) -> TokenStream {
    let vis = &handler.vis;
    let ident = &handler.sig.ident;
    quote! {
        #[doc(hidden)]
        #[allow(missing_debug_implementations, non_camel_case_types)]
        #vis struct #ident {}
    }
}

/// A name that the user's tokens cannot see.
fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}

/// Resolves like generated code, and is underlined at `place`.
fn located(place: Span) -> Span {
    Span::call_site().located_at(place)
}
