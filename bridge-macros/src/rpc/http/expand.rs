//! What is added for an axum handler: the type of the same name and its operation.
//!
//! May assume that `check` found no fault. Nothing of what is added runs for a request.
//!
//! Invariant: what cannot be named outside of the function (generics, hidden types, elided
//! lifetimes) is left out instead of being refused.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericArgument, GenericParam, PathArguments, ReturnType, Type};

use crate::rpc::attribute::Attribute;
use crate::rpc::expand::{site, twin};
use crate::rpc::head::{Arg, Head, Role};
use crate::rpc::place::{called, ends_of, in_a_tuple, item_of, local, located};

use super::check::Operation;

pub(crate) fn operation(attribute: &Attribute, head: &Head, operation: &Operation) -> TokenStream {
    let facade = &attribute.facade;
    let rt = facade.rt();
    let Operation {
        method, path, name, ..
    } = operation;
    let tag = operation.tag.as_ref().map(|it| quote!(.tag(#it)));
    let deprecated = head.is_deprecated.then(|| quote!(.deprecated()));
    let site = site(head.ident(), None);
    let id = quote!(#rt::OperationId::http(#method, #path, #site));
    let [handlers, described] = ["handlers", "operation"].map(local);
    let doc = head.doc();
    let deadline = attribute
        .deadline_ms
        .map(|it| quote!(.deadline(#rt::millis(#it))));
    let idempotent = operation.header.as_ref().map(|header| {
        let keep = attribute.idempotent.as_ref().and_then(|it| it.keep_ms);
        let keep = match keep {
            Some(keep) => quote!(::core::option::Option::Some(#rt::millis(#keep))),
            None => quote!(::core::option::Option::None),
        };
        let given = attribute.idempotent.as_ref();
        let required = given
            .filter(|it| it.is_required)
            .map(|_| quote!(.key_required()));
        let within = &operation.within;
        quote!(.idempotent_by(#header, #keep) #required #(.within(#within))*)
    });
    let named = Named::of(head);
    let arguments = head.args.iter().zip(&named.arguments);
    let arguments: Vec<_> = arguments
        .filter(|(_, can_be)| **can_be)
        .map(|(it, _)| it)
        .collect();
    let told = told(attribute, head, (&arguments, &named));
    let arguments = arguments.iter().map(|arg| argument(attribute, arg));
    let answer = answer(attribute, head, &named);
    let body = quote! {
        let mut #described = #rt::HttpOperation::new(Self::ID, #name, #doc) #tag #deprecated #deadline #idempotent;
        #(#arguments.describe(&mut #described);)*
        #answer
        #told
        #handlers.declare(#described);
    };
    twin(facade, head, &id, &handlers, &body)
}

/// `Argument::<T>::new()`, underlined at the type. A client is told apart by its name, so that one
/// without a contract is asked for nothing else.
fn argument(attribute: &Attribute, arg: &Arg) -> TokenStream {
    let ty = &arg.ty;
    let (first, _) = ends_of(ty);
    let rt = attribute.facade.rt_at(first);
    if matches!(arg.role, Role::Client) {
        return item_of(ty, &quote!(#rt::ClientArgument<#ty>), "IT");
    }
    let at_type = located(first);
    quote_spanned!(at_type=> #rt::Argument::<#ty>::new())
}

/// What documents say of the types, where the crate is built with it.
fn told(attribute: &Attribute, head: &Head, (arguments, named): (&[&Arg], &Named)) -> TokenStream {
    if !crate::TELLS_DOCUMENTS {
        return TokenStream::new();
    }
    let rt = attribute.facade.rt();
    let described = local("operation");
    // Of a client nothing is to be said in documents.
    let types = arguments
        .iter()
        .filter(|arg| !matches!(arg.role, Role::Client))
        .map(|arg| arg.ty.to_token_stream());
    let bodies = head.args.iter().zip(&named.arguments);
    let bodies = bodies.filter(|(arg, can_be)| !**can_be && !arg.is_conditional);
    let types = types.chain(bodies.filter_map(|(arg, _)| body_of_any(&arg.ty, &rt)));
    let answer = match &head.sig.output {
        ReturnType::Default => Some(quote!(, ())),
        ReturnType::Type(_, ty) => named.answer.then(|| quote!(, #ty)),
    };
    quote!(#rt::openapi!(#described, [#(#types),*] #answer);)
}

/// A body of a type that cannot be named, as one of any type: `Json<T>`, `Option<Form<Vec<T>>>`.
fn body_of_any(ty: &Type, rt: &TokenStream) -> Option<TokenStream> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(of) = &last.arguments else {
        return None;
    };
    if ["Json", "Form"].iter().any(|it| last.ident == it) {
        let extractor = &last.ident;
        return Some(quote!(#rt::docs::#extractor<#rt::docs::Any>));
    }
    if last.ident != "Option" {
        return None;
    }
    let within = of.args.iter().find_map(|it| match it {
        GenericArgument::Type(within) => body_of_any(within, rt),
        _ => None,
    });
    within.map(|it| quote!(::core::option::Option<#it>))
}

/// What the compiler checks of the function as a whole: its future can be sent between threads,
/// and what it returns is an answer.
fn answer(attribute: &Attribute, head: &Head, named: &Named) -> TokenStream {
    let ident = head.ident();
    let returns = match &head.sig.output {
        ReturnType::Type(_, ty) if head.sig.asyncness.is_some() && named.answer => {
            let (first, _) = ends_of(ty);
            let rt = attribute.facade.rt_at(first);
            let at_type = located(first);
            let checked = quote_spanned!(at_type=> #rt::answers::<#ty>);
            // Named and not called: nothing is compiled of it.
            quote!(let _ = #checked;)
        }
        _ => TokenStream::new(),
    };
    let is_callable = head.sig.unsafety.is_none() && !named.arguments.contains(&false);
    if !is_callable || named.is_generic {
        return returns;
    }
    let rt = attribute.facade.rt_at(ident.span());
    let at_name = located(ident.span());
    let mut slots = TokenStream::new();
    let mut passed = TokenStream::new();
    let mut client = None;
    for (at, Arg { ty, role, .. }) in head.args.iter().enumerate() {
        let name = format!("argument{at}");
        if matches!(role, Role::Client) {
            let ends = *client.get_or_insert(ends_of(ty));
            let (slot, value) = in_a_tuple(&name, ends);
            slots.extend(quote!(#slot: (#ty,),));
            passed.extend(quote!(#value,));
        } else {
            let slot = local(&name);
            slots.extend(quote!(#slot: #ty,));
            passed.extend(quote!(#slot,));
        }
    }
    // Without a client in it, what is wrong with the call is wrong with the function.
    let ends = client.unwrap_or_else(|| (ident.span(), ident.span()));
    let call = called(quote!(#ident), passed, Some(ends));
    let sent = quote_spanned!(at_name=> #rt::can_be_sent(#call));
    quote! {
        #returns
        let _ = |#slots| #sent;
    }
}

/// What can be named outside of the function.
struct Named {
    is_generic: bool,
    /// The types of its arguments, one by one, where they are always there.
    arguments: Vec<bool>,
    /// The type of its answer.
    answer: bool,
}

impl Named {
    fn of(head: &Head) -> Self {
        let parameters = head.sig.generics.params.iter().filter_map(|it| match it {
            GenericParam::Type(ty) => Some(&ty.ident),
            GenericParam::Const(value) => Some(&value.ident),
            GenericParam::Lifetime(_) => None,
        });
        let hidden: Vec<String> = parameters.map(ToString::to_string).collect();
        let can_be = |ty: &Type| !is_bound(ty.to_token_stream(), &hidden);
        let arguments = head
            .args
            .iter()
            .map(|arg| !arg.is_conditional && can_be(&arg.ty));
        Self {
            is_generic: !head.sig.generics.params.is_empty(),
            arguments: arguments.collect(),
            answer: match &head.sig.output {
                ReturnType::Default => true,
                ReturnType::Type(_, ty) => can_be(ty),
            },
        }
    }
}

/// Whether a type means something only inside of the function: one of its parameters, an `impl`, or
/// a lifetime other than `'static`, also an elided one.
fn is_bound(tokens: TokenStream, hidden: &[String]) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_static =
            |it: Option<&TokenTree>| matches!(it, Some(TokenTree::Ident(word)) if word == "static");
        match token {
            TokenTree::Ident(word) if word == "impl" || hidden.iter().any(|it| word == it) => {
                return true;
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' && !is_static(tokens.peek()) => {
                return true;
            }
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                let is_lifetime =
                    |it: &TokenTree| matches!(it, TokenTree::Punct(mark) if mark.as_char() == '\'');
                if !tokens.peek().is_some_and(is_lifetime) {
                    return true;
                }
            }
            TokenTree::Group(group) if is_bound(group.stream(), hidden) => return true,
            _ => {}
        }
    }
    false
}
