//! What the derive adds: the business error, `Display`, `std::error::Error`, the answer over HTTP,
//! and `From` where a variant asks for it.
//!
//! May assume that `check` found no fault.
//!
//! Invariant: every path is absolute, local names start with `__` (a `const message` in the user's
//! scope would otherwise turn a binding into a comparison), and a deprecated variant warns at its
//! uses only.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Field, Member};

use super::check::{Checked, Kind, Text};
use super::parse::Business;
use super::shape::Shape;

pub(super) fn business(input: &Business, variants: &[Checked<'_>]) -> TokenStream {
    let Business { facade, ident, .. } = input;
    let rt = facade.rt();
    let codes = arms(variants, |it| code(&rt, it));
    let values = variants.iter().filter_map(|it| value(&rt, it));
    let fallback = variants.iter().find_map(|it| transparent_value(&rt, it));
    let fallback = fallback.unwrap_or_else(|| quote!(::core::option::Option::None));
    let numbers = numbers(&rt, variants);
    let fields = fields(input, variants);
    let texts = variants.iter().map(|it| text(&rt, it));
    let sources = sources(variants);
    let conversions = variants.iter().filter_map(|it| conversion(ident, it));
    let answer = answer(input);
    let told = variants.iter().map(|it| told(&rt, it));
    let documents =
        crate::TELLS_DOCUMENTS.then(|| quote!(#rt::openapi_error! { #ident { #(#told)* } }));
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl #facade::BusinessError for #ident {
            fn code(&self) -> &'static str {
                match *self { #codes }
            }
            fn message(&self) -> ::std::string::String {
                #rt::error_message(self)
            }
            fn from_wire(__code: &str, __message: &str) -> ::core::option::Option<Self> {
                match __code {
                    #(#values)*
                    _ => #fallback,
                }
            }
            #numbers
            #fields
        }

        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match *self { #(#texts)* }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl ::core::error::Error for #ident { #sources }

        #(#conversions)*

        #answer

        #documents
    }
}

/// What documents say of a variant, where the crate is built with it.
fn told(rt: &TokenStream, variant: &Checked<'_>) -> TokenStream {
    let Kind::Own {
        code,
        text,
        status,
        is_retryable,
        ..
    } = &variant.kind
    else {
        return quote!((transparent));
    };
    let text = match text {
        Text::Fixed(text) => text.clone(),
        Text::Held => String::new(),
        Text::Written(words) => words.value(),
    };
    let status = match status {
        Some(status) => quote!(#status),
        None => quote!(#rt::STATUS_DEFAULT),
    };
    let flag = is_retryable.then(|| quote!(, retryable));
    let fields = variant.shape.travelling();
    let names = fields.iter().map(|it| name_of(it));
    let types = fields.iter().map(|it| &it.ty);
    quote!((#code, #status, #text #flag { #(#names: #types),* }))
}

/// One arm per variant, none of which looks at more than a call in it.
fn arms(variants: &[Checked<'_>], value: impl Fn(&Checked<'_>) -> TokenStream) -> TokenStream {
    let arms = variants.iter().map(|variant| {
        let ident = &variant.ident;
        let value = value(variant);
        match variant.kind {
            Kind::Transparent => {
                let member = source_member(variant);
                quote!(Self::#ident { #member: ref __call } => #value,)
            }
            Kind::Own { .. } => quote!(Self::#ident { .. } => #value,),
        }
    });
    arms.collect()
}

fn source_member(variant: &Checked<'_>) -> Option<Member> {
    variant.shape.source().map(|source| source.member.clone())
}

fn code(rt: &TokenStream, variant: &Checked<'_>) -> TokenStream {
    match &variant.kind {
        Kind::Transparent => quote!(#rt::failed::code(__call)),
        Kind::Own { code, .. } => code.to_token_stream(),
    }
}

/// Status, gRPC code and whether to repeat, as far as a variant differs from what the trait says.
fn numbers(rt: &TokenStream, variants: &[Checked<'_>]) -> TokenStream {
    let any = |differs: fn(&Kind) -> bool| variants.iter().any(|it| differs(&it.kind));
    let mut numbers = TokenStream::new();
    if any(|it| {
        matches!(
            it,
            Kind::Transparent
                | Kind::Own {
                    status: Some(_),
                    ..
                }
        )
    }) {
        let arms = arms(variants, |it| match it.kind {
            Kind::Transparent => quote!(#rt::failed::status(__call)),
            Kind::Own {
                status: Some(status),
                ..
            } => quote!(#status),
            Kind::Own { .. } => quote!(#rt::STATUS_DEFAULT),
        });
        numbers.extend(quote!(fn status(&self) -> u16 { match *self { #arms } }));
    }
    if any(|it| matches!(it, Kind::Transparent | Kind::Own { grpc: Some(_), .. })) {
        let arms = arms(variants, |it| match it.kind {
            Kind::Transparent => quote!(#rt::failed::grpc(__call)),
            Kind::Own {
                grpc: Some(grpc), ..
            } => quote!(#grpc),
            Kind::Own { .. } => quote!(#rt::grpc_of(self)),
        });
        numbers.extend(quote!(fn grpc(&self) -> i32 { match *self { #arms } }));
    }
    if any(|it| {
        matches!(
            it,
            Kind::Transparent
                | Kind::Own {
                    is_retryable: true,
                    ..
                }
        )
    }) {
        let arms = arms(variants, |it| match it.kind {
            Kind::Transparent => quote!(#rt::failed::retryable(__call)),
            Kind::Own { is_retryable, .. } => quote!(#is_retryable),
        });
        numbers.extend(quote!(fn retryable(&self) -> bool { match *self { #arms } }));
    }
    numbers
}

/// What travels beside the message, where anything does.
fn fields(input: &Business, variants: &[Checked<'_>]) -> TokenStream {
    let rt = input.facade.rt();
    let holding = variants
        .iter()
        .filter(|it| !it.shape.travelling().is_empty());
    let arms: Vec<_> = holding
        .map(|variant| {
            let ident = &variant.ident;
            let fields = variant.shape.travelling();
            let names = fields.iter().map(|it| &it.ident);
            let slots: Vec<Ident> = (0..fields.len()).map(slot).collect();
            let added = fields.iter().zip(&slots).map(|(field, slot)| {
                let (name, ty) = (name_of(field), &field.ty);
                quote_spanned!(ty.span()=> .with::<#ty>(#name, #slot))
            });
            quote! {
                Self::#ident { #(#names: ref #slots,)* .. } => {
                    #rt::ErrorFields::default() #(#added)*
                }
            }
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    let rest = (arms.len() < variants.len()).then(|| quote!(_ => #rt::ErrorFields::default(),));
    quote! {
        fn fields(&self) -> #rt::ErrorFields {
            match *self { #(#arms)* #rest }
        }
    }
}

fn slot(at: usize) -> Ident {
    quote::format_ident!("__field{at}")
}

fn name_of(field: &Field) -> String {
    let name = field.ident.as_ref();
    name.map(|it| it.unraw().to_string()).unwrap_or_default()
}

/// The arm that makes a variant of what came over the wire; none where its source is missing.
fn value(rt: &TokenStream, variant: &Checked<'_>) -> Option<TokenStream> {
    let Kind::Own { code, .. } = &variant.kind else {
        return None;
    };
    let ident = &variant.ident;
    let some = |value: TokenStream| quote!(#code => ::core::option::Option::Some(#value),);
    Some(match &variant.shape {
        Shape::Unit => some(quote!(Self::#ident)),
        Shape::Text => some(quote!(Self::#ident(::std::string::String::from(__message)))),
        Shape::Fields { travelling, source } => {
            if source.as_ref().is_some_and(|it| !it.is_call()) {
                return None;
            }
            let member = source.iter().map(|it| &it.member);
            let source = quote!(#(#member: #rt::failed::left_behind(),)*);
            if travelling.is_empty() {
                return Some(some(quote!(Self::#ident { #source })));
            }
            let names = travelling.iter().map(|it| &it.ident);
            let types = travelling.iter().map(|it| &it.ty);
            let texts = travelling.iter().map(|it| name_of(it));
            quote! {
                #code => {
                    use #rt::StrangeField as _;
                    let mut __fields = #rt::ErrorFields::of_message(__message)?;
                    ::core::option::Option::Some(Self::#ident {
                        #(#names: #rt::Field::<#types>::new().take(&mut __fields, #texts)?,)*
                        #source
                    })
                }
            }
        }
    })
}

fn transparent_value(rt: &TokenStream, variant: &Checked<'_>) -> Option<TokenStream> {
    if !matches!(variant.kind, Kind::Transparent) {
        return None;
    }
    let ident = &variant.ident;
    let member = source_member(variant);
    Some(quote! {
        #rt::failed::from_wire(__code, __message).map(|__call| Self::#ident { #member: __call })
    })
}

fn text(rt: &TokenStream, variant: &Checked<'_>) -> TokenStream {
    let ident = &variant.ident;
    match &variant.kind {
        Kind::Transparent => {
            let member = source_member(variant);
            quote!(Self::#ident { #member: ref __call } => __f.write_str(#rt::failed::text(__call)),)
        }
        Kind::Own {
            text: Text::Fixed(text),
            ..
        } => {
            quote!(Self::#ident { .. } => __f.write_str(#text),)
        }
        Kind::Own {
            text: Text::Held, ..
        } => {
            quote!(Self::#ident(ref __message) => __f.write_str(__message),)
        }
        Kind::Own {
            text: Text::Written(words),
            ..
        } => {
            let named = variant.shape.travelling().iter().map(|it| &it.ident);
            quote! {
                Self::#ident { #(ref #named,)* .. } => {
                    __f.write_fmt(::core::format_args!(#words))
                }
            }
        }
    }
}

/// `source`, where a variant has one. A transparent variant is its call, which has no other.
fn sources(variants: &[Checked<'_>]) -> TokenStream {
    let arms = variants
        .iter()
        .filter(|it| matches!(it.kind, Kind::Own { .. }));
    let arms: Vec<_> = arms
        .filter_map(|variant| {
            let ident = &variant.ident;
            let source = variant.shape.source()?;
            let member = &source.member;
            let behind = source.is_boxed().then(|| quote!(&**));
            Some(quote_spanned! {source.ty.span()=>
                Self::#ident { #member: ref __source, .. } => {
                    ::core::option::Option::Some(#behind __source)
                }
            })
        })
        .collect();
    if arms.is_empty() {
        return TokenStream::new();
    }
    let rest = (arms.len() < variants.len()).then(|| quote!(_ => ::core::option::Option::None,));
    quote! {
        fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
            match *self { #(#arms)* #rest }
        }
    }
}

fn conversion(ident: &Ident, variant: &Checked<'_>) -> Option<TokenStream> {
    let source = variant.shape.source().filter(|it| it.is_from)?;
    let (name, member, ty) = (&variant.ident, &source.member, source.ty);
    Some(quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl ::core::convert::From<#ty> for #ident {
            fn from(__source: #ty) -> Self {
                Self::#name { #member: __source }
            }
        }
    })
}

/// The answer over HTTP.
fn answer(input: &Business) -> TokenStream {
    let Business {
        facade,
        ident,
        generics,
        ..
    } = input;
    let rt = facade.rt();
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #rt::IntoResponse for #ident #type_generics #clause {
            fn into_response(self) -> #rt::Response {
                #rt::problem(&self)
            }
        }
    }
}

/// The messages of a refused error, inside impls that satisfy the handlers that return it.
pub(super) fn refused(input: &Business, errors: &syn::Error) -> TokenStream {
    let Business { facade, ident, .. } = input;
    let (impl_generics, type_generics, clause) = input.generics.split_for_impl();
    let errors = errors.to_compile_error();
    let answer = answer(input);
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

        #answer
    }
}
